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
Where: TypeAlias = tuple[int, str | None, str | None, str, str]  # minute, carrier, province, SP, port


class Tallies:
    """The tallies of one range, while it is being processed."""

    def __init__(self) -> None:
        """Start with none."""
        self._rows: dict[tuple[object, ...], Tally] = {}

    def add(self, where: Where, facts: Facts, verdict: Verdict, number: int) -> None:
        """Count so many sends with their first verdict; of `facts` owner, signature and type are taken."""
        tally = self._row(where, facts)
        tally.sends += number
        if verdict.undecided:
            tally.undecided += number
        else:
            tally.judged += number
        for flag in verdict.flags:
            tally.flags[flag.rule.id] = tally.flags.get(flag.rule.id, 0) + number

    def correct(self, kept: Kept, rule_id: str, sign: str) -> None:
        """Count one flag that a correction raised (`+`) or cleared (`-`)."""
        corrections = self._row((kept.at // MINUTE, kept.carrier, kept.province, kept.sp, kept.port), kept).corrections
        corrections[rule_id + sign] = corrections.get(rule_id + sign, 0) + 1

    def rows(self) -> list[Tally]:
        """All of them, in the order in which they were begun."""
        return list(self._rows.values())

    def _row(self, where: Where, who: Facts | Kept) -> Tally:
        key = (where, who.owner, who.signature, who.type)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Tally(*where, who.owner, who.signature, who.type)
        return row
