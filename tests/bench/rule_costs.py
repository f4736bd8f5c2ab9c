"""`make rule-costs`: what each rule costs, over the benchmark's traffic, in this process and without Kafka.

Belongs here: a clock around each rule's `judge`, its own cost taken off. Not here: what the whole worker does in a
second (`make bench`).

A rule of the send is asked once for sends that are alike, a rule of the recipient for every commercial send: so the
cost is told per asking, and per send of the traffic.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from bench.loading import records_of
from bench.town import Town, Wish
from bench.traffic import Record as Written
from bench.traffic import Traffic
from sendwatch import config, rules
from sendwatch.demo.stage import KEYS
from sendwatch.engine.batch import FACTS, process
from sendwatch.engine.judging import REGISTRY_KINDS, Judging, prepare
from sendwatch.engine.partition import Partition
from sendwatch.engine.store import MemoryStore
from sendwatch.events import Deletion, Rejected, arrival
from sendwatch.reader import Reader
from sendwatch.worker.garbage import rarely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sendwatch.engine.partition import Record
    from sendwatch.facts import Facts
    from sendwatch.judge import Asked, InForce
    from sendwatch.verdict import Finding

SENDS, RECIPIENTS, BATCH = 200_000, 100_000, 2_000


class Read(Struct, gc=False):
    """A record as a consumer gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Cost(Struct):
    """How often a rule was asked, and for how long in all (ns)."""

    asked: int = 0
    spent: int = 0


def _clocked(rules: InForce, costs: Mapping[str, Cost]) -> InForce:
    def timed(asked: tuple[Asked, ...]) -> tuple[Asked, ...]:
        return tuple(msgspec.structs.replace(each, ask=around(each.ask, costs[each.rule.id])) for each in asked)

    parts = {name: timed(getattr(rules, name)) for name in ("of_send", "of_recipient", "lasting", "by_clock")}
    return msgspec.structs.replace(rules, **parts)


def around(ask: Callable[[Facts], Finding], cost: Cost) -> Callable[[Facts], Finding]:
    """The same rule, with a clock."""
    clock = time.perf_counter_ns

    def asked(facts: Facts) -> Finding:
        began = clock()
        found = ask(facts)
        cost.spent += clock() - began
        cost.asked += 1
        return found

    return asked


def a_judging(costs: Mapping[str, Cost] | None, rows: Mapping[str, Sequence[Read]]) -> Judging:
    """What is judged with: every rule, with a clock where `costs` are wanted; the traffic's registries."""
    given = {"kafka.bootstrap": "nowhere:9092", "topics.partitions": "1", "engine.store": "memory"}
    prepared = prepare(config.read(None, KEYS, given).settings)
    for kind in REGISTRY_KINDS:
        reader = Reader(kind, recipient_form="number")
        for record in rows.get(kind, ()):
            row: Any = reader(record.key, record.value, record.timestamp, Counter())
            assert not isinstance(row, Rejected), row
            gone = isinstance(row, Deletion)
            arrived = arrival(record.timestamp, None if gone else row.recorded_at)
            prepared.registry.put(kind, row.id, record.offset, arrived, None if gone else row)
    if costs is not None:
        book = prepared.rulebook
        book._in_force = [_clocked(each, costs) for each in book._in_force]
    return prepared


def judge_all(judging: Judging, records: Mapping[str, Sequence[Record]]) -> float:
    """Fold all facts, judge all sends; the CPU seconds that the sends took."""
    partition = Partition(0, MemoryStore())
    partition.epoch = 1
    spent, ledger_next = 0.0, 0
    for kind in (*FACTS, "sends"):
        began = time.process_time()
        for at in range(0, len(records.get(kind, ())), BATCH):
            some = records[kind][at : at + BATCH]
            outcome = process(partition, judging, {kind: some}, {kind: some[-1].offset + 1}, 0, 0)
            ledger_next += 1
            partition.apply(outcome, ledger_next)
        spent = time.process_time() - began
    return spent


def overhead() -> float:
    """What the clock itself takes of an asking, ns."""
    cost = Cost()
    nothing: Any = around(lambda _: None, cost)
    for _ in range(200_000):
        nothing(None)
    return cost.spent / cost.asked


def main() -> int:
    """Print the table."""
    rarely()
    rarely()
    traffic = Traffic(Town(Wish(sends=SENDS, recipients=RECIPIENTS)))
    records = {kind: numbered(written) for kind, written in records_of(traffic, 0, 1)}
    sends = len(records["sends"])
    found = {rule: Cost() for rule in rules.discover()}
    spent = judge_all(a_judging(found, records), records)
    clock = overhead()
    rows = [
        (rule, cost.asked / sends, max(0.0, cost.spent / cost.asked - clock) / 1000 if cost.asked else 0.0)
        for rule, cost in found.items()
    ]
    print(f"{sends:,} sends, {spent / sends * 1e6:.1f} µs each, clocks included")  # noqa: T201 - a command line prints
    print(f"{'rule':26} {'asked per send':>14} {'µs per asking':>14} {'µs per send':>12} {'of all':>7}")  # noqa: T201
    for rule, share, each in sorted(rows, key=lambda row: -row[1] * row[2]):
        print(f"{rule:26} {share:14.3f} {each:14.2f} {share * each:12.3f} {share * each / spent * sends / 1e6:7.1%}")  # noqa: T201
    return 0


def numbered(written: Iterable[Written]) -> list[Read]:
    """Records to be, as a consumer of their topic gives them."""
    return [Read(offset, each.timestamp, each.key, each.value) for offset, each in enumerate(written)]


if __name__ == "__main__":
    sys.exit(main())
