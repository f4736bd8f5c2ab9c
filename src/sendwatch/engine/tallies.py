"""Sums of one range, by minute and by who sent what where: what the ledger record carries to be added up.

Belongs here: counting a verdict into its row. Not here: windows over many ranges (`windows.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.ledger import Tally

if TYPE_CHECKING:
    from sendwatch.dossier import Kept
    from sendwatch.facts import Facts
    from sendwatch.verdict import Verdict

MINUTE = 60_000


class Tallies:
    """The tallies of one range, while it is being processed."""

    def __init__(self) -> None:
        """Start with none."""
        self._rows: dict[tuple[object, ...], Tally] = {}

    def add(self, facts: Facts, verdict: Verdict) -> None:
        """Count one send with its first verdict."""
        tally = self._row(facts)
        tally.sends += 1
        if verdict.undecided:
            tally.undecided += 1
        else:
            tally.judged += 1
        for flag in verdict.flags:
            tally.flags[flag.rule.id] = tally.flags.get(flag.rule.id, 0) + 1

    def correct(self, kept: Kept, rule_id: str, sign: str) -> None:
        """Count one flag that a correction raised (`+`) or cleared (`-`)."""
        corrections = self._row(kept).corrections
        corrections[rule_id + sign] = corrections.get(rule_id + sign, 0) + 1

    def rows(self) -> list[Tally]:
        """All of them, in the order in which they were begun."""
        return list(self._rows.values())

    def _row(self, of: Facts | Kept) -> Tally:
        minute = of.at // MINUTE
        key = (minute, of.carrier, of.province, of.sp, of.port, of.owner, of.signature, of.type)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Tally(
                minute, of.carrier, of.province, of.sp, of.port, of.owner, of.signature, of.type
            )
        return row
