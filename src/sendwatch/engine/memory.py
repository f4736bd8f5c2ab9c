"""Verdicts on sends that are alike, remembered: what a send's own rules say turns on few of its fields.

Belongs here: telling which sends are alike. Not here: judging them (`judge.py`).

Two sends are alike when the registries give them the very same answer and their texts the very same reading, and port,
SP, declared category and, where anything turns on it, carrier and province are the same. Rules that turn on the time
of day are asked each time; a send that names a template is not remembered, for what its variables hold is its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.judge import judge
from sendwatch.verdict import Verdict

if TYPE_CHECKING:
    from sendwatch.facts import Facts
    from sendwatch.judge import Asked
    from sendwatch.registry import Standing
    from sendwatch.text import Reading

MOST = 65_536
Rules = tuple["Asked", ...]


class Memory:
    """The verdicts of the rules of the send; bounded, and forgotten all at once when full."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._known: dict[tuple[object, ...], tuple[Standing, Reading | None, Verdict]] = {}
        self._split: dict[int, tuple[Rules, Rules, Rules]] = {}

    def judge(self, facts: Facts, own: Rules) -> Verdict:
        """What `own`, the rules of the send in force, say of it."""
        standing, reading = facts.standing, facts.reading
        if facts.template is not None or standing is None:
            return judge(facts, own)
        _, by_clock, lasting = self._split.get(id(own)) or self._divide(own)
        where = (facts.carrier, facts.province) if _turns_on_place(standing) else None
        key = (id(standing), id(reading), id(own), facts.port, facts.sp, facts.declared, where)
        known = self._known.get(key)
        if known is not None and known[0] is standing and known[1] is reading:
            verdict = known[2]
        else:
            verdict = judge(facts, lasting)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = (standing, reading, verdict)
        return joined(verdict, judge(facts, by_clock))

    def _divide(self, own: Rules) -> tuple[Rules, Rules, Rules]:
        by_clock = tuple(each for each in own if each.rule.by_clock or each.exceptions)  # exceptions end
        lasting = tuple(each for each in own if not (each.rule.by_clock or each.exceptions))
        self._split[id(own)] = (own, by_clock, lasting)  # holding `own` keeps its id its own
        return self._split[id(own)]


def joined(one: Verdict, other: Verdict) -> Verdict:
    """Both verdicts on one send, of different rules."""
    if not other.flags and not other.undecided and not other.suppressed:
        return one
    suppressed = one.suppressed + other.suppressed
    return Verdict(one.flags + other.flags, {**one.undecided, **other.undecided}, suppressed)


def _turns_on_place(standing: Standing) -> bool:
    row = standing.port
    return (
        standing.turns_on_carrier
        or standing.turns_on_province
        or (row is not None and (row.carriers is not None or row.provinces is not None))
    )
