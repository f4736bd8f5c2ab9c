"""The fold over the ledger on disk: each record counted once, each breach told under one id, whatever dies."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from engine_builders import settings_of
from sendwatch import ledger
from sendwatch.aggregator.follow_ledger import LedgerStream
from sendwatch.aggregator.ledger_fold import Folding
from sendwatch.engine.aftermaths import Aftermaths, changes_of
from sendwatch.engine.limits import limits_of
from sendwatch.engine.store import MemoryStore
from sendwatch.outgoing import BreachEvent, breach_event, breach_message, read_breach
from sendwatch.windows.aftermath import Aftermath, CaseRow, Heard, Slip, Told
from sendwatch.windows.asked import total
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits
from windows_builders import DAY, HOUR, NOW, VERSION, a_record, a_tally, copied, hit

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.engine.store import Store

NAMES = "甲乙丙丁戊"


def claim(epoch: int) -> bytes:
    """A worker takes the partition over."""
    return ledger.encode(ledger.Claim(epoch, "w", NOW, VERSION))


def written(*records: Any) -> list[bytes]:
    """Records as they lie in the topic."""
    return [record if isinstance(record, bytes) else ledger.encode(record) for record in records]


def folding_of(store: Store | None = None) -> Folding:
    """A fold that takes up where a store stopped."""
    return Folding(Board(Limits()), store or MemoryStore())


def fold(folding: Folding, values: list[bytes], first: int = 0, partition: int = 0) -> Folding:
    """Take records in, from an offset on."""
    for offset, value in enumerate(values, first):
        folding.take(partition, offset, value)
    return folding


def sends(folding: Folding) -> int:
    """How many sends were counted."""
    return total(folding.board, "all", (), "30d").sends


def told(folding: Folding) -> list[tuple[str, str]]:
    """What waits to be published: ids and status."""
    events = [read_breach(message.value) for message in folding.outbox]
    return [(event.breach_id, event.status) for event in events]


def test_void_records_are_left_out() -> None:
    """Of a lower epoch than a claim before them, or told twice by a worker that took its append for failed."""
    mine = [a_record(tallies=[a_tally()], epoch=2, number=number) for number in (1, 1, 2)]
    folding = fold(folding_of(), written(claim(1), claim(2), a_record(tallies=[a_tally()], epoch=1), *mine))
    assert (sends(folding), folding.void) == (2, 2)


def test_a_record_is_counted_once_however_often_it_is_read() -> None:
    """The position is stored with what was counted."""
    values = written(claim(1), *(a_record(tallies=[a_tally()]) for _ in range(5)))
    folding = fold(folding_of(), values[:4])
    folding.save()
    fold(folding, values)
    assert sends(folding) == 5
    assert folding.positions == {0: 6}


def test_what_is_stored_in_another_shape_is_thrown_away_and_folded_anew() -> None:
    """By a program before this one: neither its counts are taken up nor how far it was."""
    store, values = MemoryStore(), written(claim(1), *(a_record(tallies=[a_tally()]) for _ in range(5)))
    fold(folding_of(store), values).save()
    store.write({b"\x00shape": None})
    again = folding_of(store)
    assert (again.positions, sends(again), store.scan(b"b")) == ({}, 0, [])
    assert sends(fold(again, values)) == 5


@pytest.mark.parametrize("seed", range(8))
def test_a_crash_anywhere_loses_nothing_and_counts_nothing_twice(seed: int) -> None:
    """Only what was stored survives; the rest is read again."""
    random, store, values = Random(seed), MemoryStore(), written(claim(1))
    for number in range(1, 30):
        at = NOW + number * HOUR // 3
        hits = [hit(at)] if random.random() < 0.2 else []
        values.append(ledger.encode(a_record(at, [a_tally(at, number)], number=number, hits=hits)))
    whole, folding, published = fold(folding_of(), values), folding_of(store), set[tuple[str, str]]()
    while folding.positions.get(0, 0) < len(values):
        at = folding.positions.get(0, 0)
        fold(folding, values[at : at + random.randint(1, 5)], at)
        if random.random() < 0.5:
            folding.save()
            if random.random() < 0.7:
                published |= set(told(folding))
                folding.published(len(folding.outbox))
        if random.random() < 0.4:
            folding = folding_of(store)
    folding.save()
    published |= set(told(folding))
    assert sends(folding) == sends(whole)
    assert published == set(told(whole))
    assert folding.board.outbreaks.open == whole.board.outbreaks.open


def test_what_was_stored_and_not_acknowledged_is_published_again_with_the_same_keys() -> None:
    """The outbox is stored with what it follows from."""
    store = MemoryStore()
    folding = fold(folding_of(store), written(claim(1), a_record(hits=[hit()])))
    folding.save()
    again = folding_of(store)
    assert again.outbox == folding.outbox
    assert len(again.outbox) == 1
    again.published(1)
    again.save()
    assert not folding_of(store).outbox


def test_partitions_add_up_to_one_breach() -> None:
    """Each saw one signature of five; their order does not matter for its id."""
    values = {n: written(claim(1), a_record(copied=[copied(name)])) for n, name in enumerate(NAMES)}
    one, other = folding_of(), folding_of()
    for number in range(5):
        fold(one, values[number], partition=number)
    for number in reversed(range(5)):
        fold(other, values[number], partition=number)
    assert told(one) == told(other)
    assert [status for _, status in told(one)] == ["open"]


def test_what_the_topic_says_is_open_and_is_not_is_closed() -> None:
    """As after a fold that began anew, where an earlier one had opened something that the ledger no longer tells."""
    folding = fold(folding_of(), written(claim(1), a_record(hits=[hit()])))
    (breach,) = folding.board.outbreaks.open.values()
    mine, stale = breach_event(breach), BreachEvent("x", "open", "B4_HARVEST", {}, {}, {}, {}, NOW - DAY, None)
    folding.published(1)
    past = msgspec.structs.replace(stale, breach_id="y", status="closed", closed_at=NOW)
    seen = {event.breach_id: event for event in (mine, stale, past)}
    assert folding.put_right(seen) == 1
    assert told(folding) == [("x", "closed")]


def test_what_is_to_be_closed_is_not_closed_again() -> None:
    """It was counted to its end, but whoever did so died before he told it: the topic still says that it is open."""
    folding = fold(folding_of(), written(claim(1), a_record(hits=[hit()])))
    (opening,) = [read_breach(message.value) for message in folding.outbox]
    folding.published(1)
    later = [a_record(at=NOW + hours * HOUR, tallies=[a_tally(NOW + hours * HOUR)]) for hours in (2, 4)]
    fold(folding, written(*later), first=2)
    assert told(folding) == [(opening.breach_id, "closed")]
    assert folding.put_right({opening.breach_id: opening}) == 0
    assert told(folding) == [(opening.breach_id, "closed")]


def test_what_is_counted_anew_keeps_the_id_under_which_it_was_told() -> None:
    """In another order of partitions a rate may be broken in another hour; what lies apart in time stays apart."""
    folding = fold(folding_of(), written(claim(1), a_record(hits=[hit()])))
    (opening,) = [read_breach(message.value) for message in folding.outbox]
    before = msgspec.structs.replace(opening, breach_id="told", opened_at=opening.opened_at - 2 * HOUR)
    past = msgspec.structs.replace(
        before, breach_id="past", status="closed", opened_at=NOW - DAY, closed_at=NOW - DAY + HOUR
    )
    assert folding.put_right({"past": past, "told": before}) == 0
    assert told(folding) == [("told", "open")]
    later = [a_record(at=NOW + hours * HOUR, tallies=[a_tally(NOW + hours * HOUR)]) for hours in (2, 4)]
    fold(folding, written(*later), first=2)
    assert told(folding) == [("told", "open"), ("told", "closed")]


def test_a_breach_is_published_as_a_cloud_event_under_its_id() -> None:
    """The last record of a key is what holds; a repeat has the same `ce_id`."""
    folding = fold(folding_of(), written(claim(1), a_record(hits=[hit()])))
    (breach,) = folding.board.outbreaks.open.values()
    message = breach_message(breach_event(breach))
    headers = dict(message.headers)
    assert (message.topic, message.partition, message.key) == ("breaches", 0, breach.id.encode())
    assert headers["ce_type"] == b"sendwatch.breach.opened.v1"
    assert headers["ce_id"] == f"{breach.id}/open".encode()
    assert json.loads(message.value) == {
        "breach_id": breach.id,
        "status": "open",
        "rule": "B4_HARVEST",
        "subject": {"sp": "sp1", "port": "1069"},
        "window": {"from": NOW // HOUR * HOUR, "until": (NOW // HOUR + 1) * HOUR},
        "measures": {"honeypots": 1, "reported": 0, "undelivered": 0},
        "limit": {"honeypots": 0, "reported": 20, "undelivered_share": 0.5},
        "opened_at": NOW,
        "closed_at": None,
    }
    breach.closed_at = NOW + HOUR
    assert dict(breach_message(breach_event(breach)).headers)["ce_type"] == b"sendwatch.breach.closed.v1"


# -- the stream ----------------------------------------------------------------------------------------------


class Rec(NamedTuple):
    """A record of the ledger as a consumer gives it."""

    partition: int
    offset: int
    timestamp: int


class Consumer:
    """Hands out so many records of one partition at a time, in the partitions' order; paused ones are left out."""

    def __init__(self, logs: dict[int, list[int]], most: int = 3) -> None:
        """`logs`: timestamps by partition."""
        self.logs = {n: [Rec(n, offset, at) for offset, at in enumerate(times)] for n, times in logs.items()}
        self.at: dict[int, int] = {}
        self.paused: set[int] = set()
        self.first = 0
        self._most = most
        self._turn = 0

    def assign(self, places: list[TopicPartition]) -> None:
        """Nothing to do."""

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that is there."""
        return dict.fromkeys(places, self.first)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The next offset."""
        return {place: len(self.logs[place.partition]) for place in places}

    async def offsets_for_times(self, at: dict[TopicPartition, int]) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        """The first record of that time or later."""
        found = {p: next((r for r in self.logs[p.partition] if r.timestamp >= t), None) for p, t in at.items()}
        return {p: OffsetAndTimestamp(r.offset, r.timestamp) if r else None for p, r in found.items()}

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Read on from there."""
        self.at[place.partition] = offset

    def pause(self, place: TopicPartition) -> None:
        """Leave out."""
        self.paused.add(place.partition)

    def resume(self, place: TopicPartition) -> None:
        """Take in again."""
        self.paused.discard(place.partition)

    async def position(self, place: TopicPartition) -> int:
        """The next offset to be read."""
        return self.at[place.partition]

    def highwater(self, place: TopicPartition) -> int:
        """The end."""
        return len(self.logs[place.partition])

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Rec]]:
        """Some records of one partition, in turn."""
        open_to = [n for n in self.logs if n not in self.paused and self.at[n] < len(self.logs[n])]
        if not open_to:
            return {}
        self._turn += 1
        number = open_to[self._turn % len(open_to)] if self._most > 1 else open_to[0]
        records = self.logs[number][self.at[number] : self.at[number] + self._most]
        self.at[number] += len(records)
        return {TopicPartition("l", number): records}


async def all_of(stream: LedgerStream) -> list[Rec]:
    """Everything that there is."""
    taken: list[Rec] = []
    while not stream.caught_up:
        taken += await stream.take(0)
    return taken


@pytest.mark.parametrize("most", [1, 3, 1000])
async def test_partitions_that_are_behind_are_merged_by_time(most: int) -> None:
    """Whichever of them the consumer happens to read first; one may be far longer than another, or empty."""
    logs = {0: list(range(0, 3000, 2)), 1: list(range(1, 600, 3)), 2: []}
    stream = LedgerStream(Consumer(logs, most), "l", logs)
    await stream.start({})
    taken = await all_of(stream)
    assert [each.timestamp for each in taken] == sorted(logs[0] + logs[1])
    assert stream.lag == 0


async def test_a_stream_is_past_its_start_though_more_comes_all_the_time() -> None:
    """What was there at the start is told from what has come since."""
    consumer = Consumer({0: list(range(40)), 1: list(range(40))}, 10)
    stream = LedgerStream(consumer, "l", consumer.logs)
    await stream.start({})
    taken: list[Rec] = []
    while not stream.past_start:
        consumer.logs[0] += [Rec(0, len(consumer.logs[0]) + more, 50) for more in range(10)]
        taken += await stream.take(0)
        assert len(taken) < 500, "it never was past its start"
        assert not stream.caught_up
    assert {(each.partition, each.offset) for each in taken} >= {(n, offset) for n in (0, 1) for offset in range(40)}


async def test_a_stream_goes_on_where_a_fold_stopped_and_elsewhere_from_a_time() -> None:
    """A partition of which nothing was folded yet begins with what the windows reach."""
    logs = {0: list(range(100)), 1: list(range(100)), 2: [5]}
    consumer = Consumer(logs)
    stream = LedgerStream(consumer, "l", logs)
    assert await stream.start({0: 40}, since=90) == {}
    taken = await all_of(stream)
    assert next((each.partition, each.offset) for each in taken if each.partition != 1) == (0, 40)
    assert [each.offset for each in taken if each.partition == 1] == list(range(90, 100))
    assert not [each for each in taken if each.partition == 2]


async def test_what_is_gone_before_it_was_read_is_told() -> None:
    """Retention was shorter than the pause."""
    consumer = Consumer({0: list(range(100))})
    consumer.first = 60
    stream = LedgerStream(consumer, "l", [0])
    assert await stream.start({0: 40}) == {0: (40, 60)}
    assert len(await all_of(stream)) == 40


# -- what came back, on disk ---------------------------------------------------------------------------------

ANNE, BODO = b"a" * 16, b"b" * 16
HEARD = Heard("x", "12321", "1069", NOW, None, None, None, None, "text", None, "")


def test_marks_tell_in_passing_whose_sends_matter() -> None:
    """Complainants, those whose complaint waits, those whose report waits; after a restart too."""
    store = MemoryStore()
    file = Aftermath([Told("x", NOW, "O1", "m")])
    waiting = Aftermath(slips=[Slip("s", NOW, "DELIVRD", counted=False)], heard=[HEARD])
    store.write(changes_of({ANNE: file, BODO: waiting}))
    kept = Aftermaths(store)
    assert kept.until == {ANNE: NOW + 30 * DAY, BODO: NOW + 30 * DAY}
    assert (kept.waiting, kept.due_by(NOW - 1), kept.due_by(NOW)) == ({BODO}, [], [BODO])
    assert kept.load([ANNE, b"c"]) == {ANNE: file, b"c": Aftermath()}
    nothing = {ANNE: Aftermath(), BODO: Aftermath()}
    store.write(changes_of(nothing))
    kept.applied(nothing)
    assert (kept.until, kept.waiting, kept.due, store.count()) == ({}, set(), {}, 0)


def test_a_case_of_the_ledger_keeps_the_reports_that_the_store_has_joined() -> None:
    """The ledger's rows tell of complaints; reports after them were read from their own topic."""
    store = MemoryStore()
    store.write(changes_of({ANNE: Aftermath(slips=[Slip("late", NOW + 5, "X", counted=True)])}))
    kept = Aftermaths(store)
    case = Aftermath([Told("x", NOW, "O1", "m")], slips=[Slip("early", NOW, "X", counted=True)])
    kept.replay([CaseRow(ANNE, Aftermath()), CaseRow(ANNE, case)])
    assert [slip.send_id for slip in kept.load([ANNE])[ANNE].slips] == ["early", "late"]
    assert kept.until == {ANNE: NOW + 30 * DAY}


def test_honeypots_are_read_from_their_file(tmp_path: Path) -> None:
    """A recipient a line."""
    assert limits_of(settings_of()).honeypots == frozenset()
    file = tmp_path / "honeypots"
    file.write_text("19900000001\n19900000002\n\n", encoding="utf-8")
    assert limits_of(settings_of(breaches__honeypots=str(file))).honeypots == {"19900000001", "19900000002"}
