"""How fast one process adds up the ledger: `PYTHONPATH=tests:tests/live .venv/bin/python -m bench.fold_speed`.

Belongs here: made-up ledger records, as workers write them under load, folded as the aggregator folds them, on a store
on disk. Not here: how fast sends are judged (`bench`).

Each record sums up a range of so many sends of one partition, all within a minute or two; a few owners send most.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random

from sendwatch import ledger
from sendwatch.aggregator.ledger_fold import Folding
from sendwatch.engine.store import RocksShared, RocksStore
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits
from sendwatch.windows.sums import Copied, Reported, Sums
from sendwatch.worker import garbage

SENDS = 5000  # in a record, as many as a worker reads at once
RECORDS, PARTITIONS = 200, 12
OWNERS = 5000
MINUTE, BEGAN_AT = 60_000, 1_781_071_200_000
RATE = 50_000  # sends a second: a province
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


def main() -> None:
    """Fold the records, and print a line."""
    garbage.rarely()  # as in every process of sendwatch
    random = Random(1)
    made = [record(random, number) for number in range(RECORDS)]
    tallies = sum(count for _, count in made)
    with tempfile.TemporaryDirectory(prefix="sendwatch-bench-") as folder:
        folding = Folding(Board(Limits()), RocksStore(Path(folder) / "store", RocksShared(16, 16)))
        began = time.process_time()
        for number, (value, _) in enumerate(made):
            folding.take(number % PARTITIONS, number // PARTITIONS, value)
            if number % SAVE_EVERY == SAVE_EVERY - 1:
                folding.save()
        seconds = time.process_time() - began
        folding.store.close()
    print(  # noqa: T201
        f"{RECORDS} records, {tallies:,} tallies of {RECORDS * SENDS:,} sends in {seconds:.1f} s of one core: "
        f"{tallies / seconds:,.0f} tallies/s, {RECORDS * SENDS / seconds:,.0f} sends/s"
    )


if __name__ == "__main__":
    main()
