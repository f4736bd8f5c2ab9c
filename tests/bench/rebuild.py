"""`make bench ARGS='--rebuild --recipients 10000000 --sends 1000'`: from no store to ready, and once more with it.

Belongs here: the two starts, the room on disk. Not here: any sends to speak of; few are enough.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bench.outcome import progress

if TYPE_CHECKING:
    from pathlib import Path

    from bench.site import Site

SAMPLES = ("cold", "warm")


async def measure(site: Site) -> dict[str, Any]:
    """A cold start until every fact is folded and sends are judged, a clean stop, and a warm start."""
    stage = site.stage(1)
    await stage.make_topics()
    found: dict[str, Any] = {"starts": {}, "void": []}
    folder = site.folder / "rebuilt"
    for start in SAMPLES:
        worker = site.worker(stage, "rebuilt")
        async with worker:
            began = time.time()
            await worker.ready()
            seconds = time.time() - began
            cpu = worker.course.looks[-1][1]
        worker.check_end()
        found["starts"][start] = {
            "ready_seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mb": round(worker.course.peak_mb),
        }  # fmt: skip
        found["starts"][start]["bytes_per_recipient"] = round(size_of(folder / "state") / site.wish.recipients)
    facts = await progress(stage.settings, "consents")
    folded, wanted = sum(count for _, count in facts.ranges), site.truth.counts["consents"]
    if folded != wanted:
        found["void"].append(f"{folded} consents folded of {wanted}")
    found["facts"] = folded
    found["facts_per_second"] = round(folded / found["starts"]["cold"]["ready_seconds"])
    return found


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def as_lines(found: dict[str, Any]) -> list[str]:
    """A table, one column a start."""
    lines = [f"{'':<36}" + "".join(f"{name:>12}" for name in SAMPLES)]
    for title, name in (
        ("seconds until ready", "ready_seconds"), ("  CPU-seconds", "cpu_seconds"), ("peak memory, MB", "peak_mb"),
        ("bytes of disk per recipient, after", "bytes_per_recipient"),
    ):  # fmt: skip
        lines.append(f"{title:<36}" + "".join(f"{found['starts'][each][name]:>12,}" for each in SAMPLES))
    return [*lines, "", f"{found['facts']:,} facts folded, {found['facts_per_second']:,} a second of the cold start"]
