"""Two stages: whoever rolls the ledger up, dies, freezes or repeats itself, each of its records is counted once."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from sendwatch import ledger
from sendwatch.aggregator.ledger_fold import Folding
from sendwatch.aggregator.rollup_fold import RollupFolding
from sendwatch.aggregator.rollups import Accepted, Rolling, unpack
from sendwatch.engine.store import MemoryStore
from sendwatch.outgoing import read_breach
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits
from windows_builders import HOUR, MINUTE, NOW, VERSION, a_record, a_tally, copied, hit

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from sendwatch.engine.store import Store

PARTITIONS = range(3)
Ledgers = dict[int, list[bytes]]


def some_ledgers(random: Random) -> Ledgers:
    """Of each partition claims and ranges; some are void, some have nothing in them."""
    found: Ledgers = {}
    for number in PARTITIONS:
        records: list[Any] = [ledger.Claim(1, "w", NOW, VERSION)]
        epoch, count = 1, 0
        for turn in range(random.randrange(12)):
            if random.random() < 0.2:
                epoch, count = epoch + 1, 0
                records.append(ledger.Claim(epoch, "w", NOW, VERSION))
            at, stale = NOW + turn * random.randrange(20) * MINUTE, random.random() < 0.2
            count += not stale
            made = [a_tally(at, random.randrange(5), port=f"1069000{random.randrange(3)}") for _ in range(3)]
            sums = {"hits": [hit(at)] if random.random() < 0.2 else []}
            sums["copied"] = [copied(name, at=at) for name in "甲乙丙丁戊" if random.random() < 0.3]  # type: ignore[misc]
            records.append(a_record(at, made, epoch=epoch - stale, number=0 if stale else count, **sums))
        found[number] = [ledger.encode(record) for record in records]
    return found


class Process:
    """One of the first stage, whose partitions and moments others decide on."""

    def __init__(self, topic: list[bytes]) -> None:
        """Begin with what the last rollup tells, as `Roller` does."""
        self.topic = topic
        last = unpack(topic[-1]) if topic else None
        self.upto = last.upto if last is not None else 0
        self.rolling = Rolling("p", Accepted(last.before if last is not None else None))
        self.follow()

    def follow(self) -> None:
        """Read the topic on."""
        for value in self.topic[self.upto :]:
            self.rolling.accepted.take(unpack(value))
        self.upto = len(self.topic)

    def begin(self, partitions: Iterable[int]) -> None:
        """Be given partitions."""
        self.follow()
        self.rolling.begin(partitions)

    def take(self, ledgers: Ledgers, random: Random, most: int) -> None:
        """Take some records in, of one partition after another."""
        for number, place in self.rolling.places.items():
            for offset in range(place.next, min(len(ledgers[number]), place.next + random.randrange(most + 1))):
                if not self.rolling.take(number, offset, NOW, ledgers[number][offset]):
                    return

    def write(self) -> None:
        """Append what is in hand where nobody was before it, and go on or begin anew."""
        self.follow()
        if self.rolling.undisturbed:
            self.topic.append(self.rolling.record(self.upto))
            self.follow()
        if not self.rolling.goes_on():
            self.rolling.begin(list(self.rolling.places))


def rolled_up(ledgers: Ledgers, random: Random) -> list[bytes]:
    """A topic that three processes have written, who were killed, frozen and given others' partitions."""
    topic, frozen = list[bytes](), list[bytes]()
    processes = [Process(topic) for _ in range(3)]
    for _ in range(40):
        one = random.randrange(3)
        match random.randrange(6):
            case 0:  # killed, and started again
                processes[one] = Process(topic)
            case 1:  # given partitions, whoever else has them
                processes[one].begin(random.sample(PARTITIONS, random.randrange(4)))
            case 2:
                come_to_life(processes[one], frozen, random)
            case 3:
                processes[one].write()
            case _:
                processes[one].take(ledgers, random, 3)
    topic += frozen
    last = Process(topic)
    last.begin(PARTITIONS)
    for _ in range(50):
        last.take(ledgers, random, 5)
        last.write()
    return topic


def come_to_life(process: Process, frozen: list[bytes], random: Random) -> None:
    """Something is appended late, or again; or a process freezes between looking and appending."""
    if process.rolling.undisturbed and random.random() < 0.5:
        frozen.append(process.rolling.record(process.upto))
    if frozen and random.random() < 0.5:
        process.topic.append(frozen.pop(random.randrange(len(frozen))))
    if process.topic and random.random() < 0.3:  # an append that was taken for failed
        process.topic.append(random.choice(process.topic[-3:]))


def folding_of(store: Store | None = None) -> RollupFolding:
    """The second stage, as it takes up where a store stopped."""
    return RollupFolding(Board(Limits()), store or MemoryStore())


def direct(ledgers: Ledgers) -> Folding:
    """The ledger itself, folded."""
    folding = Folding(Board(Limits()), MemoryStore())
    for number, values in ledgers.items():
        for offset, value in enumerate(values):
            folding.take(number, offset, value)
    return folding


def held(board: Board) -> dict[str, Any]:
    """Every count of every table, by subject and bucket; but for nothings."""
    return {
        name: {
            (subject, what, at): count
            for subject, row in table.rows.items()
            for what, line in row.items()
            for at, count in line.within(0, 1 << 40)
            if count
        }
        for name, table in board.tables().items()
        if not name.startswith("m.")  # those of minutes turn on when they come
    }


def broken(folding: Folding) -> set[tuple[str, Any]]:
    """Which rules were broken by whom; in which hour first turns on the order of partitions."""
    events = [read_breach(message.value) for message in folding.outbox]
    return {(event.rule, tuple(event.subject.items())) for event in events if event.status == "open"}


@given(st.integers(0, 1 << 32))
def test_whatever_happens_to_the_first_stage_every_record_is_counted_once(seed: int) -> None:
    """Tables, breaches and standing are those of the ledger folded directly; the second stage is killed too."""
    random = Random(seed)
    ledgers = some_ledgers(random)
    topic, whole = rolled_up(ledgers, random), direct(ledgers)
    store = MemoryStore()
    folding, at = folding_of(store), 0
    while at < len(topic):
        folding.take(0, at, topic[at])
        at += 1
        if random.random() < 0.3:
            folding.save()
        if random.random() < 0.2:
            folding = folding_of(store)
            at = folding.positions.get(0, 0)
    assert held(folding.board) == held(whole.board)
    assert broken(folding) == broken(whole)
    for number, place in whole.places.items():
        assert (folding.places[number].next, folding.places[number].standing) == (place.next, place.standing)


def a_range(sends: int = 1, at: int = NOW) -> bytes:
    """A record of the ledger, with so many sends."""
    return ledger.encode(a_record(at, [a_tally(at, sends)]))


def counted(folding: Folding) -> int:
    """How many sends are counted."""
    pairs = folding.board.pairs
    return sum(pairs.sum(subject, "sends", folding.board.now, 720) for subject in pairs.rows)


def of(values: list[bytes], partition: int = 0, accepted: Accepted | None = None, upto: int = 0) -> bytes:
    """A rollup of a partition, from where it is."""
    rolling = Rolling("p", accepted or Accepted())
    rolling.begin([partition])
    for offset, value in enumerate(values):
        assert rolling.take(partition, rolling.accepted.next_of(partition) + offset, NOW, value)
    return rolling.record(upto)


def test_of_two_owners_the_first_to_append_counts() -> None:
    """The other's is left out whole, and so is a repeat."""
    folding = folding_of()
    for offset, value in enumerate([of([a_range(2)]), of([a_range(2), a_range(3)]), of([a_range(2)])]):
        folding.take(0, offset, value)
    assert (counted(folding), folding.void, folding.places[0].next) == (2, 2, 1)


def test_whoever_was_disturbed_begins_where_the_other_stopped() -> None:
    """Though it has more in hand."""
    topic: list[bytes] = []
    one, other = Process(topic), Process(topic)
    for process, count in ((one, 1), (other, 2)):
        process.begin([0])
        for offset in range(count):
            process.rolling.take(0, offset, NOW, a_range())
    one.write()
    other.write()
    assert len(topic) == 1
    assert other.rolling.places[0].next == 1
    assert other.rolling.records == 0


def test_whoever_appended_after_another_does_not_go_on() -> None:
    """What it had in hand is counted already, or will be: by whoever begins where the other stopped."""
    topic: list[bytes] = []
    one, other = Process(topic), Process(topic)
    for process, count in ((one, 3), (other, 2)):
        process.begin([0])
        for offset in range(count):
            process.rolling.take(0, offset, NOW, a_range())
    topic += [other.rolling.record(0), one.rolling.record(0)]
    for process in (one, other):
        process.follow()
    assert (one.rolling.goes_on(), other.rolling.goes_on()) == (False, True)
    assert [offset for offset in range(4) if other.rolling.take(0, offset, NOW, a_range())] == [0, 1, 2, 3]
    assert other.rolling.records == 2


def test_a_rollup_ends_where_an_hour_does() -> None:
    """So that time goes on for whoever adds up as it went on in the ledger."""
    rolling = Rolling("p", Accepted())
    rolling.begin([0, 1])
    later = a_range(at=NOW + HOUR)
    assert rolling.take(0, 0, NOW, a_range())
    assert not rolling.take(1, 0, NOW, later)
    assert rolling.places[1].next == 0
    rolling.accepted.take(unpack(rolling.record(0)))
    assert rolling.goes_on()
    assert rolling.take(1, 0, NOW, later)


def test_what_is_in_no_rollup_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Of a partition that was begun; one that was not may begin anywhere."""
    ahead = Accepted()
    ahead.take(unpack(of([a_range()] * 3)))
    folding = folding_of()
    folding.take(0, 0, of([a_range()]))
    folding.take(0, 1, of([a_range()], accepted=ahead, upto=1))
    assert (folding.places[0].next, counted(folding)) == (4, 2)
    (told,) = caplog.records
    assert (told.getMessage(), told.__dict__["first"], told.__dict__["end"]) == (
        "ledger records are in no rollup",
        1,
        3,
    )
    folding_of().take(0, 0, of([a_range()], accepted=ahead, upto=1))
    assert len(caplog.records) == 1


def test_it_is_added_up_to_where_the_slowest_of_the_first_stage_is() -> None:
    """And to nowhere while a partition was never told of."""
    folding = folding_of()
    folding.take(0, 0, of([a_range()]))
    assert (folding.added_up_at(1), folding.added_up_at(2)) == (NOW, 0)
    rolling = Rolling("p", Accepted())
    rolling.begin([1])
    folding.take(0, 1, rolling.record(1, at=NOW - HOUR))
    assert folding.added_up_at(2) == NOW - HOUR


def test_nobody_goes_far_ahead_of_whoever_has_to_catch_up() -> None:
    """Of whom nothing is known is waited for; who has read all that there is, however long ago, is not."""
    rolling = Rolling("p", Accepted())
    rolling.begin([0])
    assert rolling.may_reach({0: 9, 1: 0}) is None
    assert rolling.may_reach({0: 9, 1: 5}) == HOUR
    rolling.accepted.take(unpack(of([a_range()], 1)))
    assert rolling.may_reach({0: 9, 1: 5, 2: 0}) == NOW + HOUR
    assert rolling.may_reach({0: 9, 1: 1}) is None


def test_nothing_is_taken_up_of_what_was_stored_by_the_other_way_of_adding_up() -> None:
    """How far each is means something else; a month is added up anew."""
    store = MemoryStore()
    first = folding_of(store)
    first.take(0, 0, of([a_range()]))
    first.save()
    folding = Folding(Board(Limits()), store)
    assert (folding.positions, counted(folding)) == ({}, 0)
    folding.take(0, 0, a_range(5))
    folding.save()
    again = folding_of(store)
    assert (again.positions, again.places, counted(again)) == ({}, {}, 0)
