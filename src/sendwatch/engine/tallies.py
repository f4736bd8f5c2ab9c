"""Sums of one range, by minute and by who sent what where: what the ledger record carries to be added up.

Belongs here: counting a verdict into its row, and taking a send out of one. Not here: windows over many ranges
(`windows/`), finding out how a send was counted before (`batch.py`, `assembly.py`, `review.py`).

Corrections subtract: where a send turns out to be somebody else's, or a rule can say now what it could not, minus one
goes to the row that it was counted in, and one to where it belongs, both of the send's own minute; and so do its flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sendwatch.ledger import Tally
from sendwatch.parts import Counted

if TYPE_CHECKING:
    from sendwatch.dossier import Kept
    from sendwatch.events import Send
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
        corrections = self._row(row_of(kept)).corrections
        corrections[rule_id + sign] = corrections.get(rule_id + sign, 0) + 1

    def add_again(self, counted: Counted, number: int) -> None:
        """Count a send that was counted before: 1 where it belongs, -1 where it was."""
        tally = self._row(counted.row)
        tally.sends += number
        if counted.undecided:
            tally.undecided += number
        else:
            tally.judged += number

    def rows(self) -> list[Tally]:
        """All of them that tell of anything, in the order in which they were begun."""
        return [row for row in self._rows.values() if row.sends or row.judged or row.flags or row.corrections]

    def _row(self, key: Key) -> Tally:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Tally(*key)
        return row


def row_of(kept: Kept) -> Key:
    """The row that a kept send is counted in."""
    where = (kept.at // MINUTE, kept.carrier, kept.province, kept.sp, kept.port)
    return (*where, kept.owner, kept.signature, kept.type)


def counted_of(kept: Kept) -> Counted | None:
    """How a kept send is counted; None where it is not, under this row."""
    return None if kept.undecided is None else Counted(*row_of(kept), kept.undecided != 0)


def counted_in_passing(send: Send, facts: Facts, verdict: Verdict) -> Counted:
    """How a send is counted of which nothing is kept; of `facts` SP, owner, signature and type are taken."""
    where = (send.at // MINUTE, send.carrier, send.province, facts.sp, send.port)
    return Counted(*where, facts.owner, facts.signature, facts.type, bool(verdict.undecided))
