"""A breach: a limit that many sends together have broken; how it opens, stays open and closes.

Belongs here: the shapes, the id, and when one state follows another. Not here: what is measured (the rules), when it
is asked (`board.py`).

    opens     when its rule says that the limit is broken
    closes    when its level, the measure as a part of the limit, has stayed below `close_below` for `hold`
    between   it stays open: a measure that swings around the limit opens and closes nothing

Opening again is a new breach. The id is made of rule, subject and the clock hour in which it opened, so that whoever
counts the same records again publishes under the same ids.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from sendwatch.windows.limits import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.verdict import Severity, Words
    from sendwatch.windows.limits import Limits

Number: TypeAlias = int | float
Named: TypeAlias = dict[str, str | None]


class WindowRule(Struct, frozen=True):
    """What is to be known of a windowed rule; `subjects` name the fields of what it is about, `reasons` a text each."""

    id: str
    severity: Severity
    title: Words
    reasons: tuple[Words, ...]
    subjects: tuple[tuple[str, ...], ...]

    def reason_of(self, subject: Mapping[str, object], measures: Mapping[str, object]) -> Words:
        """What happened, in words; the texts of other versions' subjects are the first one's."""
        known = [set(fields) for fields in self.subjects]
        at = known.index(set(subject)) if set(subject) in known else 0
        return self.reasons[at].filled({**subject, **measures})


class Measure(Struct, frozen=True):
    """What a rule measured of a subject. `level`: the measure as a part of the limit, 1 at the limit.

    `broken`: whether it breaks the limit. `since`, `until` (ms): the window. `hour`: the clock hour that it is about.
    """

    broken: bool
    level: float
    since: int
    until: int
    measures: dict[str, Number | str]
    limit: dict[str, Number]

    @property
    def hour(self) -> int:
        """The last clock hour of the window."""
        return (self.until - 1) // HOUR


class Breach(Struct):
    """One breach. `below_since`: since when (ms) its level is below the closing threshold; None: it is not."""

    id: str
    rule: str
    subject: Named
    window: dict[str, int]
    measures: dict[str, Number | str]
    limit: dict[str, Number]
    opened_at: int
    closed_at: int | None = None
    below_since: int | None = None

    @property
    def status(self) -> str:
        """`open` or `closed`."""
        return "open" if self.closed_at is None else "closed"


def breach_id(rule: str, subject: Named, hour: int) -> str:
    """The same whenever the same is counted again."""
    return blake2b(msgspec.json.encode([rule, sorted(subject.items()), hour]), digest_size=16).hexdigest()


def opened(rule: str, subject: Named, measure: Measure, now: int) -> Breach:
    """A breach that opens now (event time, ms)."""
    window = {"from": measure.since, "until": measure.until}
    key = breach_id(rule, subject, measure.hour)
    return Breach(key, rule, subject, window, dict(measure.measures), dict(measure.limit), now)


def went_on(breach: Breach, measure: Measure | None, now: int, limits: Limits) -> bool:
    """Take in what is measured now of an open breach; True where that closes it.

    No measure: nothing is left to measure. What is told of a breach is the last measure that broke the limit.
    """
    level = measure.level if measure is not None else 0.0
    if measure is not None and measure.broken:
        breach.measures, breach.limit = dict(measure.measures), dict(measure.limit)
        breach.window["until"] = max(breach.window["until"], measure.until)
    if level >= limits.close_below:
        breach.below_since = None
        return False
    if breach.below_since is None:
        breach.below_since = now
    if now - breach.below_since < limits.hold:
        return False
    breach.closed_at = now
    return True
