"""Sums of one range, by minute and by who sent what where: what the ledger record carries to be added up.

Belongs here: counting a verdict into its row. Not here: windows over many ranges (`windows.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sendwatch.ledger import Tally

if TYPE_CHECKING:
    from sendwatch.dossier import Kept
    from sendwatch.facts import Facts
    from sendwatch.verdict import Verdict

MINUTE = 60_000
Key: TypeAlias = tuple[int, str | None, str | None, str, str, str | None, str | None, str | None]
"""Minute, carrier, province, SP, port, owner, signature, type: what a tally begins with."""


class Tallies:
    """The tallies of one range, while it is being processed."""

    def __init__(self) -> None:
        """Start with none."""
        self._rows: dict[Key, Tally] = {}

    def add(
        self,
        minute: int,
        carrier: str | None,
        province: str | None,
        port: str,
        facts: Facts,
        verdict: Verdict,
        number: int,
    ) -> None:
        """Count so many sends with their first verdict; of `facts` SP, owner, signature and type are taken."""
        tally = self._row((minute, carrier, province, facts.sp, port, facts.owner, facts.signature, facts.type))
        tally.sends += number
        if verdict.undecided:
            tally.undecided += number
        else:
            tally.judged += number
        for flag in verdict.flags:
            tally.flags[flag.rule.id] = tally.flags.get(flag.rule.id, 0) + number

    def correct(self, kept: Kept, rule_id: str, sign: str) -> None:
        """Count one flag that a correction raised (`+`) or cleared (`-`)."""
        where = (kept.at // MINUTE, kept.carrier, kept.province, kept.sp, kept.port)
        corrections = self._row((*where, kept.owner, kept.signature, kept.type)).corrections
        corrections[rule_id + sign] = corrections.get(rule_id + sign, 0) + 1

    def rows(self) -> list[Tally]:
        """All of them, in the order in which they were begun."""
        return list(self._rows.values())

    def _row(self, key: Key) -> Tally:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Tally(*key)
        return row
