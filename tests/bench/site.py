"""Where a measurement takes place: the stage of a run whose sends are its own, workers that stand, how far they are.

Belongs here: what latency, scale-out and pressure have in common. Not here: what each of them asks (`latency.py`,
`scale_out.py`, `pressure.py`), the ordinary run (`__main__.py`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from bench.outcome import progress, read_mark
from bench.pinned import LOOK_SECONDS, STOP_WITHIN, TICK, Course, PinnedWorker, on_core
from bench.report import steady_from
from sendwatch.demo.stage import WorkerFailedError
from sendwatch.kafka import connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bench.broker import KeptKafka
    from bench.loading import Truth
    from bench.town import Wish
    from sendwatch.demo.stage import Stage
    from sendwatch.settings import Settings

READY_WITHIN = 900.0
PAGE_WITHIN = 5.0


class Site(Struct, frozen=True):
    """What a measurement is given: `on` are the rules that are on, `cores` those that workers may have, best first."""

    wish: Wish
    truth: Truth
    on: frozenset[str]
    stage: Callable[[int], Stage]
    kafka: KeptKafka
    folder: Path
    cores: list[int]
    yardstick: float
    tell: Callable[[str], None]

    def own_sends(self, number: int) -> Stage:
        """The stage of a run to which sends are written as it goes on; facts are everybody's."""
        stage = self.stage(number)
        ledger = stage.settings.topics.names.ledger
        stage.overrides["topics.names.sends"] = ledger.removesuffix("ledger") + "sends"
        stage.settings = stage.settings_of({})
        return stage

    def worker(self, stage: Stage, name: str, number: int = 0) -> StandingWorker:
        """A worker that is not started yet; `number`: which of the cores it has."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return StandingWorker(folder, self.cores[number % len(self.cores)], stage.overrides)

    def stored(self, topic: str) -> int:
        """The bytes of a topic's records as they lie on the broker's disk, compressed as they were sent."""
        return sum(each.stat().st_size for each in self.kafka.data.glob(f"{topic}-*/*.log"))


class StandingWorker(PinnedWorker):
    """`sendwatch run` on a core, which goes on until it is stopped. `resident`: (time, MB) as it went on."""

    module = "sendwatch"
    course: Course
    resident: list[tuple[float, float]]

    async def __aenter__(self) -> Self:
        """Start it; it need not be ready."""
        self.course, self.resident = Course(time.time()), []
        command = [sys.executable, "-m", self.module, "run"]
        with on_core(self.core), self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - its end is waited for by os.wait4, for what it used
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._watching = asyncio.create_task(self._watch_it())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it, and see that it ends."""
        if not self._watching.done():
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self._watching
        except TimeoutError:
            self._process.kill()
            self._process.wait()

    async def ready(self) -> None:
        """Wait until it says that it judges what comes."""
        asking = asyncio.create_task(self._ready(self.course))
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not asking.done():
                    self.check()
                    await asyncio.sleep(LOOK_SECONDS)
        finally:
            asking.cancel()

    def check(self) -> None:
        """Raise WorkerFailedError if it has ended."""
        if self._watching.done():
            raise WorkerFailedError(f"the worker ended ({self._process.returncode}); see {self.log}")

    def check_end(self) -> None:
        """Raise WorkerFailedError unless it has ended in order."""
        if self._process.returncode:
            raise WorkerFailedError(f"the worker ended ({self._process.returncode}); see {self.log}")

    async def page(self, path: str) -> tuple[int, str]:
        """One of its pages: the status, and what it says."""
        timeout = aiohttp.ClientTimeout(total=PAGE_WITHIN)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def _watch_it(self) -> None:
        pid, course = self._process.pid, self.course
        while True:
            ended, status, used = os.wait4(pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
            if ended:
                break
            self._look(pid, course)
            self.resident.append((time.time(), resident_mb(pid)))
            await asyncio.sleep(LOOK_SECONDS)
        self._process.returncode = course.status = os.waitstatus_to_exitcode(status)
        course.ended_at = time.time()
        course.cpu_seconds = used.ru_utime + used.ru_stime


def resident_mb(pid: int) -> float:
    """The memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_of(pid: int) -> float:
    """CPU-seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Ledger:
    """How many sends are accounted for, as the ledger tells; it is read on from where it was read before."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Bind a consumer that stands at the beginning."""
        self._consumer = consumer
        self._next: dict[int, int] = {}

    async def accounted(self) -> int:
        """Sends accounted for by now."""
        for place, records in (await self._consumer.getmany(timeout_ms=100, max_records=1000)).items():
            for record in records:
                span = read_mark(record.value).spans.get("sends")
                if span is not None:
                    self._next[place.partition] = span.next
        return sum(self._next.values())

    async def reaches(self, sends: int, worker: StandingWorker, within: float = READY_WITHIN) -> None:
        """Wait until so many are; WorkerFailedError where the worker ends before, TimeoutError after a while."""
        async with asyncio.timeout(within):
            while await self.accounted() < sends:
                worker.check()


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[Ledger]:
    """The ledger of a run, from its beginning."""
    options = connection.client_options(settings.kafka)
    async with AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False) as consumer:
        places = [TopicPartition(settings.topics.name("ledger"), each) for each in range(settings.topics.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        yield Ledger(consumer)


async def best_rate(settings: Settings) -> float:
    """Sends a second of wall time that a backlog was judged at, in its steady stretch."""
    sends = await progress(settings, "sends")
    begins_at = steady_from(sends)
    return sends.after(begins_at) / max(sends.last_at - begins_at, 0.001)
