"""What a replay would change: its flags held against those that stand.

Belongs here: counting and a few examples. Not here: judging (`rejudge.py`), words (`show.py`). Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.audit import Flagged
    from sendwatch.outgoing import FlagEvent

EXAMPLES = 5
RAISED, CLEARED, CHANGED = "raised", "cleared", "changed"


class Example(Struct, frozen=True):
    """One flag that would be raised, cleared or changed; where its send lies. No number, no text."""

    what: str
    rule: str
    flag_id: str
    send_id: str
    at: int
    partition: int
    offset: int


class Difference(Struct):
    """All of it, counts by rule; of each rule and sort of change the first few examples, in order of time.

    `stands`: flags that would stay as they are. `changed`: that would rest on other evidence, or on another law.
    """

    stands: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    cleared: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.raised.total() or self.cleared.total() or self.changed.total())

    @property
    def rules(self) -> list[str]:
        """The rules that it knows of."""
        return sorted({*self.stands, *self.raised, *self.cleared, *self.changed})

    def add(self, other: Difference) -> None:
        """Add the difference of another partition."""
        for name in ("stands", RAISED, CLEARED, CHANGED):
            getattr(self, name).update(getattr(other, name))
        self.examples = _few([*self.examples, *other.examples])


def compare(ours: Mapping[str, FlagEvent], theirs: Mapping[str, Flagged], *, same_law: bool = True) -> Difference:
    """Hold what a replay found, by flag id, against the flags that stand.

    `same_law` False: the law is another one on purpose, and that a flag rests on it is no change.
    """
    found = Difference()
    for flag_id, event in ours.items():
        standing = theirs.get(flag_id)
        if standing is None:
            found.raised[event.rule] += 1
            found.examples.append(_of_event(RAISED, event))
        elif _differs(event, standing, same_law=same_law):
            found.changed[event.rule] += 1
            found.examples.append(_of_event(CHANGED, event))
        else:
            found.stands[event.rule] += 1
    for flag_id, flag in theirs.items():
        if flag_id not in ours:
            found.cleared[flag.rule] += 1
            found.examples.append(
                Example(CLEARED, flag.rule, flag_id, flag.send_id, flag.at, flag.partition, flag.offset)
            )
    found.examples = _few(found.examples)
    return found


def _differs(event: FlagEvent, standing: Flagged, *, same_law: bool) -> bool:
    evidence = msgspec.json.encode(event.evidence, order="sorted")
    return (
        evidence != standing.evidence
        or event.shadow != standing.shadow
        or (same_law and event.law.pack != standing.pack)
    )


def _of_event(what: str, event: FlagEvent) -> Example:
    source, send = event.source, event.send
    return Example(what, event.rule, event.flag_id, send.id, send.at, source.partition, source.offset)


def _few(examples: list[Example]) -> list[Example]:
    """The earliest few of each rule and sort."""
    seen, few = Counter[tuple[str, str]](), []
    for each in sorted(examples, key=lambda one: (one.rule, one.what, one.at, one.flag_id)):
        seen[each.rule, each.what] += 1
        if seen[each.rule, each.what] <= EXAMPLES:
            few.append(each)
    return few
