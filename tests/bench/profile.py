"""`make profile`: where the time of a send goes, over the benchmark's traffic, in this process and without Kafka.

Belongs here: a clock around each stage of the hot path, less what lies in the stages within. Not here: single rules
(`rule_costs.py`), reading from Kafka and writing to it (`make bench`).

It judges all sends, and then the same sends once more, to a partition that has none of them yet, by a memory that knows
every shape of text: the first time tells what new texts cost, the second what a send costs that says nothing new. Both
without clocks, by quarters, and anew with them, for the shares. A clock costs what it lies in some 0.5 µs.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from bench.loading import records_of
from bench.rule_costs import BATCH, Cost, a_judging, numbered
from bench.town import Town, Wish
from bench.traffic import Traffic
from sendwatch import ledger
from sendwatch.engine import assembly, batch, flagging, memory, send_intake
from sendwatch.engine.batch import FACTS, process
from sendwatch.engine.partition import Partition
from sendwatch.engine.store import MemoryStore
from sendwatch.pseudonyms import Pseudonyms
from sendwatch.reader import Reader
from sendwatch.registry import Registry
from sendwatch.text import reading
from sendwatch.windows.copies import Fingerprints
from sendwatch.worker.garbage import rarely

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.rule_costs import Read
    from sendwatch.engine.judging import Judging

SENDS, RECIPIENTS, QUARTERS = 100_000, 100_000, 4
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("decode and check a record", Reader, "read"),
    ("its partition", send_intake, "misplaced"),
    ("find a known shape of text", reading.Shapes, "of"),
    ("read a new shape", reading, "_outline"),
    ("class of a new shape", reading, "classify"),
    ("find sends that are alike", memory.Memory, "of"),
    ("hold it against its template", memory.Memory, "_as_filed"),
    ("learn what alike sends share", memory.Memory, "_learn"),
    ("facts of the send itself", memory, "facts_of_send"),
    ("ask the registries", Registry, "standing"),
    ("ask the rules of the send", memory, "judge"),
    ("pseudonyms", Pseudonyms, "internal"),
    ("fetch dossiers", batch.Batch, "fetch"),
    ("open dossiers", batch.Batch, "dossier"),
    ("keep what is commercial", send_intake, "_meet_dossiers"),
    ("let the rest pass", send_intake, "_let_pass"),
    ("judge by the dossier", batch.Batch, "_judge_whole"),
    ("add the recipient's facts", batch, "add_recipient"),
    ("ask the rules of the recipient", batch, "judge"),
    ("publish what differs", flagging.Flagging, "settle"),
    ("count a send", flagging.Flagging, "count"),
    ("tallies", flagging.Flagging, "sum_up"),
    ("fingerprints of texts", Fingerprints, "of"),
    ("long messages", assembly.Assembly, "put_together"),
    ("pack changed dossiers", batch, "changes_of"),
    ("put the outcome together", batch.Batch, "outcome"),
    ("the rest of the batch", sys.modules[__name__], "process"),
    ("encode the ledger record", ledger, "encode"),
    ("apply it to a store in memory", Partition, "apply"),
)


class Clocks(Struct):
    """What each stage took (ns), without the stages within it; `open` are those that it is in."""

    costs: dict[str, Cost] = field(default_factory=dict)
    open: list[list[int]] = field(default_factory=list)

    def around(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, with a clock."""
        cost, inside, clock = self.costs.setdefault(stage, Cost()), self.open, time.perf_counter_ns

        def worked(*given: Any, **named: Any) -> Any:
            within = [0]
            inside.append(within)
            began = clock()
            try:
                return work(*given, **named)
            finally:
                took = clock() - began
                inside.pop()
                cost.asked += 1
                cost.spent += took - within[0]
                if inside:
                    inside[-1][0] += took

        return worked


def judge_all(judging: Judging, records: Mapping[str, Sequence[Read]], clocks: Clocks | None = None) -> list[float]:
    """Fold all facts and judge all sends, with clocks around the stages of the latter; CPU seconds by batch."""
    partition = Partition(0, MemoryStore())
    partition.epoch = 1
    for kind in FACTS:
        for at in range(0, len(records.get(kind, ())), BATCH):
            _round(partition, judging, kind, records[kind][at : at + BATCH])
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in STAGES]
    for stage, owner, name in STAGES if clocks is not None else ():
        assert clocks is not None
        setattr(owner, name, clocks.around(stage, getattr(owner, name)))
    spent = []
    try:
        for at in range(0, len(records["sends"]), BATCH):
            began = time.process_time()
            _round(partition, judging, "sends", records["sends"][at : at + BATCH])
            spent.append(time.process_time() - began)
    finally:
        for owner, name, work in kept:
            setattr(owner, name, work)
    return spent


def _round(partition: Partition, judging: Judging, kind: str, some: Sequence[Read]) -> None:
    outcome = process(partition, judging, {kind: some}, {kind: some[-1].offset + 1}, 0, 0)
    ledger.encode(outcome.record)
    partition.apply(outcome, partition.position.ledger_next + 1)


def main() -> int:
    """Print the table; an argument is the number of sends."""
    rarely()
    rarely()
    sends = int(sys.argv[1]) if len(sys.argv) > 1 else SENDS
    traffic = Traffic(Town(Wish(sends=sends, recipients=RECIPIENTS)))
    records = {kind: numbered(written) for kind, written in records_of(traffic, 0, 1)}
    sends = len(records["sends"])
    judging = a_judging(None, records)
    for what in ("all sends", "the same, every text known"):
        spent = judge_all(judging, records)
        size = max(1, len(spent) // QUARTERS)
        quarters = [sum(spent[at : at + size]) / (size * BATCH) * 1e6 for at in range(0, size * QUARTERS, size)]
        say = " ".join(f"{each:.1f}" for each in quarters)
        a_send = sum(spent) / sends * 1e6
        print(f"{what}: {sends:,} sends, {a_send:.1f} µs each; by quarters {say}")  # noqa: T201 - a command line
    judging = a_judging(None, records)
    rounds = (Clocks(), Clocks())
    for clocks in rounds:
        judge_all(judging, records, clocks)
    whole = [sum(cost.spent for cost in clocks.costs.values()) for clocks in rounds]
    print(f"with clocks {whole[0] / sends / 1000:.1f} µs each, and {whole[1] / sends / 1000:.1f} every text known")  # noqa: T201
    titles = f"{'times a send':>12} {'µs each':>8} {'µs a send':>10} {'of all':>7}"
    print(f"{'stage':32} {titles} | {titles}")  # noqa: T201
    for stage, _ in sorted(rounds[0].costs.items(), key=lambda item: -item[1].spent):
        told = [_told(clocks.costs[stage], sends, all_of_it) for clocks, all_of_it in zip(rounds, whole, strict=True)]
        print(f"{stage:32} {' | '.join(told)}")  # noqa: T201
    return 0


def _told(cost: Cost, sends: int, whole: int) -> str:
    each, a_send = cost.spent / max(cost.asked, 1) / 1000, cost.spent / sends / 1000
    return f"{cost.asked / sends:12.3f} {each:8.2f} {a_send:10.2f} {cost.spent / whole:7.1%}"


if __name__ == "__main__":
    sys.exit(main())
