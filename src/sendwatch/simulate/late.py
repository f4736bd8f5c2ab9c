"""Facts recorded late: which ones, and when they come.

Belongs here: holding a part of the consents and replies back, until after the first send that they bear on. Not here:
what follows from them: nothing, for all come within the window. What comes too late to count is in latecomers.py.

A fact that bears on sends from a time on waits for its recipient's first send from that time, and is recorded up to
60 hours after it: so it counts for that send, and for every later one. Some are written hours after they were
recorded, some are sent twice.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendwatch.simulate.malformed import encode
from sendwatch.simulate.truth import HOUR, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sendwatch.simulate.world import Settings

LATEST: Final = 60 * HOUR
WRITTEN_WITHIN: Final = 20 * HOUR  # after it was recorded; up to 24 h the time of recording counts
TIMES: Final = {"consents": "effective_at", "replies": "received_at"}


class Held(NamedTuple):
    """A fact that is held back: it bears on sends from `since` on."""

    since: int
    kind: str
    record: dict[str, Any]


class Late:
    """Which facts of a story are late, and by how much: told by their ids, so that it is the same in every pass."""

    def __init__(self, settings: Settings) -> None:
        self._seed, self._part, self._end_at = settings.seed, settings.late, settings.end_at

    def has(self, fact_id: str) -> bool:
        """Whether the fact of this id is recorded late."""
        return self._part > 0 and self._chance("late", fact_id) < self._part

    def messages(self, held: Held, sent_at: int) -> Iterator[Message]:
        """A late fact as it is written, once or twice, after a send of that time."""
        fact_id = held.record["id"]
        delay = int(self._chance("delay", fact_id) ** 2 * LATEST)
        recorded_at = written_at = min(sent_at + delay, max(sent_at, self._end_at))
        record = held.record
        if self._chance("recorded", fact_id) < 0.2:
            record = record | {"recorded_at": recorded_at}
            written_at += int(self._chance("written", fact_id) * WRITTEN_WITHIN)
        key, value = record["recipient"].encode(), encode(record)
        yield Message(held.kind, key, value, written_at)
        if self._chance("again", fact_id) < 0.1:
            yield Message(held.kind, key, value, written_at + int(self._chance("gap", fact_id) * 20 * HOUR))

    def _chance(self, what: str, fact_id: str) -> float:
        told = blake2b(f"{self._seed}/{what}/{fact_id}".encode(), digest_size=4).digest()
        return int.from_bytes(told, "big") / 2**32


class Waiting:
    """The late facts of a story by recipient, each until a send that it bears on."""

    def __init__(self, late: Late, facts: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """`facts`: every fact with its topic kind; those that are not late are left out."""
        self._late = late
        self._held: dict[str, list[Held]] = {}
        for kind, record in facts:
            if late.has(record["id"]):
                held = Held(record[TIMES[kind]], kind, record)
                self._held.setdefault(record["recipient"], []).append(held)

    def due(self, recipient: str, sent_at: int, at: int) -> Iterator[Message]:
        """What a send to `recipient` that counts from `at` on brings about."""
        held = self._held.get(recipient)
        if held:
            self._held[recipient] = [each for each in held if each.since > at]
            for each in held:
                if each.since <= at:
                    yield from self._late.messages(each, sent_at)

    def rest(self, at: int) -> Iterator[Message]:
        """What bears on no send of the week, in the order of time."""
        for held in self._held.values():
            for each in held:
                yield Message(each.kind, each.record["recipient"].encode(), encode(each.record), at)
