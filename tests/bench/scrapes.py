"""`make scrape-cost`: what 200 scrapes a second take from a worker. Exit status 1 where it is over 5 % of its core.

Belongs here: a worker that has judged a small story and has nothing to do now, its CPU time with and without scrapes.
A worker under load has one core; what scrapes take of it, events do not get. The page is made once a second at most;
the rest is answering. What an answer costs is measured where one follows another, as in a worker under load: one that
sleeps would pay for waking up, too, which is told but not judged. Who scrapes does as Prometheus does.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import aiohttp

from sendwatch.broker import Embedded
from sendwatch.demo import until_ready
from sendwatch.demo.stage import Stage
from sendwatch.simulate import Story, stream

A_SECOND: Final = 200
AS_MANY_AS_GO: Final = 100_000
SECONDS: Final = 15
MOST: Final = 0.05
TICKS: Final = 100  # of Linux, a second
AS_PROMETHEUS: Final = {
    "User-Agent": "Prometheus/2.42.0",
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}
"""What it sends, on one connection that it keeps."""


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def used(pid: int, address: str, a_second: int) -> tuple[float, int, str]:
    """The share of a core over some seconds, scrapes answered, the size of the last page and of its answer."""
    before, began, answered, size = cpu_seconds(pid), time.monotonic(), 0, ""
    async with aiohttp.ClientSession(headers=AS_PROMETHEUS) as session:
        while (passed := time.monotonic() - began) < SECONDS:
            while answered < passed * a_second and time.monotonic() - began < SECONDS:
                async with session.get(f"{address}/metrics") as answer:
                    page = await answer.read()
                    size = f"{len(page) / 1000:.0f} kB (sent: {int(answer.headers['Content-Length']) / 1000:.1f})"
                    answered += 1
            await asyncio.sleep(0.005)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began), answered, size


async def main() -> int:
    """Measure, tell, judge."""
    with tempfile.TemporaryDirectory() as folder:
        async with Embedded() as broker:
            stage = Stage(broker.bootstrap, Path(folder), partitions=4, embedded=True)
            await stage.make_topics()
            story, worker = Story(5, 2000, 500, 60, partitions=4), stage.worker("scraped")
            await stream.write(story.facts(), stage.settings)
            await stream.write(story.sends(), stage.settings)
            await worker.start()
            try:
                await until_ready(worker)
                await asyncio.sleep(10)
                idle, _, _ = await used(worker.pid, worker.address, 0)
                once, _, size = await used(worker.pid, worker.address, 1)
                asleep, _, _ = await used(worker.pid, worker.address, A_SECOND)
                warm, many, _ = await used(worker.pid, worker.address, AS_MANY_AS_GO)
            finally:
                await worker.stop()
    page, each = once - idle, (warm - once) * SECONDS / many
    cost = page + A_SECOND * each
    sleeping = f"(of a sleeping worker's: {asleep - idle:.1%})"
    sys.stdout.write(
        f"{A_SECOND} scrapes a second of {size} take {cost:.1%} of a busy worker's core: {page:.1%} to "
        f"make the page once a second, {1000 * each:.3f} ms for each answer {sleeping}\n"
    )
    return int(cost > MOST)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
