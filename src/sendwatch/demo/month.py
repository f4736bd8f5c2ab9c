"""The demo's month: workers judge, one process adds up, some of them are killed; breaches open and close on the way.

Belongs here: the order of events. Not here: the month (`simulate/month.py`), holding what came out against what was
planted and against a count from the topics alone (`month_score.py`), how it is shown (`month_show.py`).
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp
import msgspec
from aiokafka import TopicPartition
from msgspec import Struct
from rich.console import Console

from sendwatch.broker import Embedded
from sendwatch.demo import Progress, settled, until_ready, write
from sendwatch.demo.audience import Audience
from sendwatch.demo.month_score import Ran, score_of
from sendwatch.demo.month_show import as_json, changed, final
from sendwatch.demo.stage import Stage
from sendwatch.kafka import clients, connection
from sendwatch.outgoing import read_breach
from sendwatch.simulate import stream
from sendwatch.simulate.month import DAYS, LIMITS, START_AT, Month
from sendwatch.simulate.write import pour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka import AIOKafkaProducer

    from sendwatch.demo.month_score import MonthScore
    from sendwatch.demo.stage import Worker
    from sendwatch.outgoing import BreachEvent
    from sendwatch.settings import Settings
    from sendwatch.simulate import Message

    Outlet = tuple[AIOKafkaProducer, dict[str, str], dict[str, int]]

WITHIN = 600.0
CALM_SECONDS = 2.0
BREATH = 0.05
CHUNK, AHEAD = 200, 400  # messages written at once; sends that may be written and not judged yet, a day or two
WEEK = 7 * 86_400_000
KILL_WORKER_AT, KILL_AGGREGATOR_AT = 0.25, 0.5
ADDED_UP_AT = "sendwatch_ledger_added_up_timestamp_seconds"


class Wish(Struct, frozen=True):
    """What the caller asked for; `rate` in records a second, None: as fast as it goes; `sends`: of the background."""

    sends: int = 6000
    rate: float | None = None
    seed: int = 1
    partitions: int = 4
    workers: int = 1
    kill: bool = False
    exit: bool = False
    output: str = "text"


async def run(wish: Wish) -> bool:
    """Run the month; True where exactly the planted breaches opened and closed, and every sum is right."""
    console = Console(stderr=wish.output == "json", highlight=False)
    month = Month(wish.seed, wish.sends, partitions=wish.partitions, start_at=lately(int(time.time() * 1000)))
    with tempfile.TemporaryDirectory(prefix="sendwatch-demo-") as folder:
        console.print(f"starting an embedded broker, {wish.workers} workers, and one process that adds up …")
        async with Embedded() as broker:
            stage = Stage(broker.bootstrap, Path(folder), partitions=wish.partitions, embedded=True)
            prepare(stage, month)
            await stage.make_topics()
            play = Play(stage, month, wish, console.print)
            async with play:
                score = await play.to_the_end()
                console.print(final(score))
                if wish.output == "json":
                    print(msgspec.json.encode(as_json(score)).decode())  # noqa: T201 - what the caller asked for
                if not wish.exit:
                    await play.go_on()
    return score.good


def lately(now: int) -> int:
    """When the month begins, ms: 618's, or as many weeks earlier as lets it have passed by now."""
    ends_at = START_AT + (DAYS + 1) * 86_400_000
    return START_AT - max(0, -(-(ends_at - now) // WEEK)) * WEEK


def prepare(stage: Stage, month: Month) -> None:
    """Set the limits of so small a carrier, and put out its honeypots."""
    file = stage.folder / "honeypots"
    file.write_text("\n".join(month.honeypots), encoding="utf-8")
    stage.overrides |= {**LIMITS, "breaches.honeypots": str(file)}
    stage.settings = stage.settings_of({})


class Play:
    """The processes of a month, and what is seen of them; `async with` it starts and stops them all."""

    def __init__(self, stage: Stage, month: Month, wish: Wish, tell: Callable[[object], None]) -> None:
        """Nothing is started yet."""
        self.stage, self.month, self._wish, self._tell = stage, month, wish, tell
        self.workers = [stage.worker(f"worker-{number + 1}") for number in range(wish.workers)]
        self.aggregator = stage.aggregator("aggregator", self.workers)
        self._audience = Audience(stage.settings)
        self._breaches = Breaches(stage.settings)
        self._progress = Progress()
        victims = ((KILL_WORKER_AT, self.workers[0]), (KILL_AGGREGATOR_AT, self.aggregator))
        self._victims = list(victims) if wish.kill else []
        self.killed: list[str] = []

    async def __aenter__(self) -> Self:
        """Write the facts, start everything, and wait until it is ready."""
        await write(self.month.facts(), self.stage, None, self._progress.add)
        await self._audience.start()
        await self._breaches.start()
        try:
            for process in (*self.workers, self.aggregator):
                await process.start()
            for process in (*self.workers, self.aggregator):
                await until_ready(process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything."""
        await self._audience.stop()
        await self._breaches.stop()
        for process in (*self.workers, self.aggregator):
            await process.stop()

    async def to_the_end(self) -> MonthScore:
        """Write the month, follow it until all of it is added up, and hold it against the truth."""
        began = time.monotonic()
        async with stream.writing(self.stage.settings) as outlet:
            await self._follow(asyncio.create_task(self._write(outlet)), began + WITHIN)
            for messages in self.month.epilogue():
                await self._follow(asyncio.create_task(self._put(messages, outlet)), began + WITHIN)
        await self._until_added_up(began + WITHIN)
        seconds = time.monotonic() - began
        await self.aggregator.stop()
        ran = Ran(len(self.workers), self.killed, round(seconds, 1), self._audience.judged())
        return await score_of(self.month, self.stage, self.aggregator.data_dir / "breaches", ran)

    async def go_on(self) -> None:
        """Leave the workers up, and add up again, until interrupted."""
        await self.aggregator.start()
        where = f"page {self.aggregator.page}  metrics {self.aggregator.address}/metrics"
        self._tell(f"all goes on: {where} (Ctrl-C ends it)")
        await asyncio.Event().wait()

    async def _write(self, outlet: Outlet) -> None:
        """Write the month, and wait where the slowest partition is days behind: time does not leap for anybody."""
        messages, written_at = self.month.sends(), 0.0
        while some := list(islice(messages, CHUNK)):
            await self._put(some, outlet)
            while await self._behind(written_at):  # noqa: ASYNC110 - seen from outside only
                await asyncio.sleep(BREATH)
            written_at = time.time()

    async def _behind(self, added_up_at: float) -> bool:
        """Whether much is still to be judged, or to be rolled up that was judged by a time (s), where that is done."""
        if self._progress.written - self._audience.judged() > AHEAD:
            return True
        if not self.stage.settings.breaches.rollups:
            return False  # the ledger's partitions are merged by time
        return (await gauge(self.aggregator, ADDED_UP_AT) or 0) < added_up_at

    async def _put(self, messages: Iterable[Message], outlet: Outlet) -> None:
        await pour(messages, *outlet, self._wish.rate, self._progress.add)

    async def _follow(self, writing: asyncio.Task[None], until: float) -> None:
        """Show breaches as they happen, until everything written is judged; kill where that was wished for."""
        try:
            while not writing.done() or not await settled(self._audience, self._progress):
                await self._look(until)
                if self._victims and self._audience.judged() > self._victims[0][0] * self.month.count:
                    await self._kill(self._victims.pop(0)[1])
            await writing
        finally:
            writing.cancel()

    async def _until_added_up(self, until: float) -> None:
        """Wait until the aggregator says that it has added up whatever workers write within a while from now."""
        due = time.time() + CALM_SECONDS
        while (await gauge(self.aggregator, ADDED_UP_AT) or 0) < due:
            await self._look(until)

    async def _look(self, until: float) -> None:
        for process in (*self.workers, self.aggregator):
            process.check()
        await self._audience.look()
        for event in await self._breaches.look():
            self._tell(changed(event))
        if time.monotonic() > until:
            raise TimeoutError(f"it did not come to an end; see {self.stage.folder}")

    async def _kill(self, process: Worker) -> None:
        process.kill()
        await process.wait(10)
        self.killed.append(process.name)
        self._tell(f"[bold]kill -9[/bold] {process.name}, and start it again")
        await process.start()


class Breaches:
    """Follows the topic of breaches from its beginning."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read before `start`."""
        options = connection.client_options(settings.kafka)
        self._place = TopicPartition(settings.topics.name("breaches"), 0)
        self._consumer = clients.consumer(options, fetch_max_wait_ms=50)

    async def start(self) -> None:
        """Connect, and begin at the beginning."""
        await self._consumer.start()
        self._consumer.assign([self._place])
        await self._consumer.seek_to_beginning(self._place)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def look(self) -> list[BreachEvent]:
        """What has come since."""
        fetched = await self._consumer.getmany(timeout_ms=50)
        return [read_breach(record.value) for records in fetched.values() for record in records]


async def gauge(process: Worker, name: str) -> float | None:
    """What a process tells of itself, by the name of a gauge that it has once; None: it does not tell that now."""
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{process.address}/metrics") as answer:
                lines = (await answer.text()).splitlines()
        except aiohttp.ClientError:
            return None
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{")), None)
