"""How fast the ledger is added up: `PYTHONPATH=tests:tests/live .venv/bin/python -m bench.fold_speed`.

Belongs here: made-up ledger records, as workers write them under load, folded as the aggregator folds them, on a store
on disk; and in two stages. Not here: how fast sends are judged (`bench`), Kafka.

Each record sums up a range of so many sends of one partition, all within a minute or two; a few owners send most.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from sendwatch import ledger
from sendwatch.aggregator.ledger_fold import Folding
from sendwatch.aggregator.rollup_fold import RollupFolding
from sendwatch.aggregator.rollups import Accepted, Rolling, unpack
from sendwatch.engine.store import RocksShared, RocksStore
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits
from sendwatch.windows.sums import Copied, Reported, Sums
from sendwatch.worker import garbage

if TYPE_CHECKING:
    from sendwatch.windows.lines import Subject
    from sendwatch.windows.rollup import Rollup

SENDS = 5000  # in a record, as many as a worker reads at once
RECORDS, PARTITIONS = 200, 12
OWNERS = 5000
MINUTE, BEGAN_AT = 60_000, 1_781_071_200_000
RATE = 50_000  # sends a second: a province
NATION, ROLLERS, EACH_HAS = 500_000, 10, 20
"""Sends a second; processes of the first stage, and partitions of each."""
SAVE_EVERY = 10 * RATE // SENDS  # records; the aggregator saves every ten seconds
PROVINCES = [f"{number:02}" for number in range(31)]
TYPES = ("marketing.retail", "otp", "service")
VERSION = ledger.Version("0", "0", "0")


def record(random: Random, number: int) -> tuple[bytes, int]:
    """A range of a partition as it lies in the ledger, and how many tallies it has."""
    at = BEGAN_AT + number * SENDS * 1000 // RATE
    rows: dict[tuple[object, ...], ledger.Tally] = {}
    for _ in range(SENDS):
        owner = int(OWNERS * random.random() ** 3)
        kind = TYPES[int(3 * random.random() ** 2)]
        where = (at // MINUTE - (random.random() < 0.2), ("CMCC", "CUCC", "CTCC")[owner % 3], random.choice(PROVINCES))
        key = (*where, owner, kind)
        row = rows.get(key)
        if row is None:
            port, name = f"1069{owner:06}", f"签名{owner}"
            row = rows[key] = ledger.Tally(*where, f"SP{owner % 100}", port, f"O{owner}", name, kind)
        row.sends += 1
        if random.random() < 0.03:
            row.flags["C1_CONSENT_MISSING"] = row.flags.get("C1_CONSENT_MISSING", 0) + 1
    hour = at // (60 * MINUTE)
    sums = Sums(
        reported=[Reported(hour, f"SP{one % 100}", f"1069{one:06}", 20, 1) for one in range(500)],
        copied=[Copied(hour, f"{number % 500 + one:032x}", f"签名{one}", f"1069{one:06}", 3) for one in range(500)],
    )
    whole = ledger.Range(1, VERSION, at, at, {}, {}, 0, tallies=list(rows.values()), sums=sums)
    return ledger.encode(whole), len(rows)


def fold(folding: Folding, values: list[tuple[int, bytes]], save_every: int) -> float:
    """Fold records of partitions, saving now and then; CPU seconds."""
    offsets: dict[int, int] = {}
    began = time.process_time()
    for number, (partition, value) in enumerate(values):
        offsets[partition] = offsets.get(partition, -1) + 1
        folding.take(partition, offsets[partition], value)
        if number % save_every == save_every - 1:
            folding.save()
    return time.process_time() - began


def on_disk(kind: type[Folding], values: list[tuple[int, bytes]], save_every: int) -> float:
    """Fold records from nothing, on a store on disk; CPU seconds."""
    with tempfile.TemporaryDirectory(prefix="sendwatch-bench-") as folder:
        folding = kind(Board(Limits()), RocksStore(Path(folder) / "store", RocksShared(16, 16)))
        try:
            return fold(folding, values, save_every)
        finally:
            folding.store.close()


def say(line: str) -> None:
    """Print a line."""
    print(line, flush=True)  # noqa: T201


def roll_up(made: list[bytes]) -> tuple[int, float]:
    """The size of what a process of the first stage makes of records of its partitions, and its CPU seconds."""
    began, rolling = time.process_time(), Rolling("bench", Accepted())
    rolling.begin(range(EACH_HAS))
    for number, value in enumerate(made):
        assert rolling.take(number % EACH_HAS, number // EACH_HAS, BEGAN_AT, value)
    return len(rolling.record(0)), time.process_time() - began


def rollups(seconds: int) -> list[bytes]:
    """What each process of the first stage hands on, that often, of the same mix; one text for each owner."""
    made, accepted, random = list[bytes](), Accepted(), np.random.default_rng(1)
    for roller in range(ROLLERS):
        rolling = Rolling("bench", accepted)
        rolling.begin(range(roller * EACH_HAS, (roller + 1) * EACH_HAS))
        add_mix(rolling.rollup, random, NATION * seconds // ROLLERS)
        made.append(rolling.record(roller))
        accepted.take(unpack(made[-1]))
    return made


def add_mix(rollup: Rollup, random: np.random.Generator, sends: int) -> None:
    """So many sends of the mix that `record` has, counted without making them one by one."""
    owner, kind = (OWNERS * random.random(sends) ** 3).astype(int), (3 * random.random(sends) ** 2).astype(int)
    province, raised = random.integers(31, size=sends), np.bincount(owner[: sends * 3 // 100], minlength=OWNERS)
    hour, late = BEGAN_AT // (60 * MINUTE), sends // 5
    names = [(f"O{one}", f"签名{one}", f"1069{one:06}", f"SP{one % 100}") for one in range(OWNERS)]
    lanes = np.bincount((owner * 3 + kind) * 31 + province, minlength=OWNERS * 93)
    rollup.now = BEGAN_AT
    rollup.pile.lanes[hour] = {
        (*names[one // 93][1:], TYPES[one // 31 % 3], PROVINCES[one % 31]): int(lanes[one])
        for one in np.nonzero(lanes)[0]
    }
    for minute, some in ((0, slice(late, None)), (1, slice(late))):
        sent = np.bincount(owner[some], minlength=OWNERS)
        senders: dict[Subject, list[int]] = {
            names[one]: [int(sent[one]), 0, int(raised[one])] for one in np.nonzero(sent)[0]
        }
        there = np.bincount((owner[some] % 3 * 3 + kind[some]) * 31 + province[some], minlength=279)
        places: dict[Subject, list[int]] = {
            (("CMCC", "CUCC", "CTCC")[one // 93], PROVINCES[one % 31], TYPES[one // 31 % 3]): [int(there[one]), 0, 0]
            for one in np.nonzero(there)[0]
        }
        rollup.pile.put(BEGAN_AT // MINUTE + minute, senders, places)
    rollup.rules[hour] = {("C1_CONSENT_MISSING", names[one][0]): int(raised[one]) for one in np.nonzero(raised)[0]}
    rollup.raised[hour] = {names[one][1:3]: int(raised[one]) for one in np.nonzero(raised)[0]}
    rollup.reported[hour] = {(f"SP{one % 100}", f"1069{one:06}"): [20, 1] for one in range(500)}
    rollup.copied[hour] = {(f"{one:032x}", *names[one][1:3]): int(lanes[one]) for one in range(OWNERS)}


def main() -> None:
    """Fold the records, directly and in two stages, and print what each carries."""
    garbage.rarely()  # as in every process of sendwatch
    random = Random(1)
    made = [record(random, number) for number in range(RECORDS)]
    tallies, sends = sum(count for _, count in made), RECORDS * SENDS
    seconds = on_disk(Folding, [(number % PARTITIONS, value) for number, (value, _) in enumerate(made)], SAVE_EVERY)
    say(f"{RECORDS} records, {tallies:,} tallies of {sends:,} sends in {seconds:.1f} s of one core: "
        f"{tallies / seconds:,.0f} tallies/s, {sends / seconds:,.0f} sends/s")  # fmt: skip
    size, seconds = roll_up([value for value, _ in made])
    say(f"first stage: the same into a rollup of {size / 1e6:.1f} MB in {seconds:.1f} s of one core: "
        f"{sends / seconds:,.0f} sends/s by each of its processes")  # fmt: skip
    for every, turns in ((10, 6), (60, 1)):
        values = rollups(every)
        again = [(0, value) for value in values] * turns
        seconds = on_disk(RollupFolding, again, len(again))  # it saves once a minute
        say(f"second stage: {ROLLERS} processes x {EACH_HAS} partitions hand on {NATION:,} sends/s each {every} s: "
            f"{seconds:.1f} s of one core for 60 s, {NATION * 60 / seconds:,.0f} sends/s")  # fmt: skip


if __name__ == "__main__":
    main()
