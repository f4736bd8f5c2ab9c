"""The Faust application that hosts a worker: lifecycle, supervision, signals, timers.

Belongs here: starting and stopping everything in order. Not here: what the worker does (`worker/`), its pages
(`pages.py`).

Faust is the application and aiokafka the hot path: a Faust agent costs 115 to 140 µs per event, and can lose events
when one raises; a service of the same worker with a consumer of its own costs a tenth of that and commits by the
ledger.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faust
from faust.app.base import BootStrategy
from mode import Service

from sendwatch import pages
from sendwatch.aggregator.aggregator import Aggregator
from sendwatch.aggregator.roller import Roller
from sendwatch.engine.judging import REGISTRY_KINDS, prepare
from sendwatch.engine.store import refuse_unwritable
from sendwatch.kafka import clients, connection, topics
from sendwatch.kafka.group import telling
from sendwatch.kafka.log_reader import LogReader
from sendwatch.kafka.publish import Publisher
from sendwatch.metrics import Metrics
from sendwatch.starting import at_rest, starting
from sendwatch.worker import garbage, lookup
from sendwatch.worker.canary import Canary
from sendwatch.worker.owned import FOLLOWED, SOURCES
from sendwatch.worker.registries import Registries
from sendwatch.worker.worker import Worker

if TYPE_CHECKING:
    from sendwatch.engine.judging import Judging
    from sendwatch.settings import Settings

log = logging.getLogger("sendwatch.app")

MEGABYTE = 1 << 20
LARGEST_RECORD = 8 * MEGABYTE
HEALTHY_WITHIN = 10.0
FOLLOW_MS = 200
ASIDE_MS = 20  # look-ups queue behind its fetches
MEASURE_SECONDS = 5.0
STOP_WITHIN = 30.0
LEAVE_WITHIN, CLOSE_WITHIN = 2.0, 0.5


class Boot(BootStrategy):  # type: ignore[misc]
    """Faust's own consumer and producer are left out until there are agents for them to serve."""

    enable_kafka = False


class Host(faust.Worker):  # type: ignore[misc]
    """Runs an application; signals are `serve`'s, which waits until the worker has drained."""

    def install_signal_handlers(self) -> None:
        """Leave them alone: Faust's own would end the process while services are still stopping."""


class Application(faust.App):  # type: ignore[misc]
    """A Faust application with one worker in it."""

    BootStrategy = Boot
    live: Live | Aggregator | Roller
    beside: tuple[Service, ...] = ()

    def on_init_dependencies(self) -> list[Any]:
        """Faust's own services first, so that the pages answer while the worker connects."""
        beside = [*self.live.canaries(), *self.live.aggregators()] if isinstance(self.live, Live) else []
        return [*super().on_init_dependencies(), self.live, *beside, *self.beside]

    def _new_web(self) -> pages.Pages:
        return pages.Pages(self)


def build(settings: Settings, *, until_end: bool = False) -> Application:
    """The application for these settings; `until_end`: stop when all that was there at the start is judged."""
    return _host(settings, Live(settings, until_end=until_end))


def build_aggregator(settings: Settings) -> Application:
    """An application that only adds up what the workers have judged."""
    return _host(settings, Aggregator(settings, _metrics(settings, prepare(settings))))


def build_roller(settings: Settings) -> Application:
    """An application that sums up the ledger of some partitions, for the one that adds up all."""
    return _host(settings, Roller(settings, _metrics(settings, prepare(settings))))


def _host(settings: Settings, live: Live | Aggregator | Roller) -> Application:
    app = Application(
        f"{settings.kafka.group}-app",
        broker=[f"kafka://{server}" for server in settings.kafka.servers],
        topic_disable_leader=True,
        web_bind=settings.web.host,
        web_port=settings.web.port,
        datadir=settings.engine.data_dir,
    )
    app.live = live
    if isinstance(live, Live):
        lookup.add_routes(app, live.lookups)
    pages.add(app, live)
    return app


async def serve(app: Application) -> None:
    """Run the application until a signal or an error ends it; an error is raised."""
    refuse_unwritable(Path(app.conf.datadir))  # Faust's own folder lies there, too
    garbage.rarely()
    host = Host(app, quiet=True, override_logging=False, redirect_stdouts=False)
    host.spinner = None  # or it writes to the terminal between the log lines
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(host.start())  # ends when the application does
    waits = {running, asyncio.create_task(stop.wait()), asyncio.create_task(app.live.done.wait())}
    waits.add(asyncio.create_task(garbage.collect_by_the_clock()))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    await host.stop()
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    reason = app.crash_reason or (None if running.cancelled() else running.exception())  # the latter: while starting
    if reason is not None:
        raise reason


class Live(Service):  # type: ignore[misc]
    """A worker with its clients, as a service of the application."""

    def __init__(self, settings: Settings, *, until_end: bool) -> None:
        """Nothing is connected before the service starts."""
        super().__init__()
        self._settings = settings
        self._judging = prepare(settings)
        self.metrics = _metrics(settings, self._judging)
        self.metrics.reloaded(int(time.time() * 1000))
        self._until_end = until_end
        self._ticked_at = time.monotonic()
        self._judged, self._followed, self.done = at_rest(), at_rest(), asyncio.Event()
        self.worker: Worker | None = None
        self._clients: tuple[Any, ...] = ()
        self.lookups = lookup.Lookups(settings, self._judging, lambda: self.worker)

    async def on_start(self) -> None:
        """Connect, begin to read the registries, and join the group."""
        settings = self._settings
        names = {kind: settings.topics.name(kind) for kind in ALL_KINDS}
        options = await connection.reach(settings.kafka, "starting the worker", log.warning)
        await topics.refuse_unfit(settings, NEEDED, log.warning)
        self._producer = clients.producer(options, **_producing(settings))
        self._aside = clients.consumer(options, fetch_max_wait_ms=ASIDE_MS)
        self._following = clients.consumer(options, auto_offset_reset="earliest", fetch_max_wait_ms=FOLLOW_MS)
        self._consumer = clients.consumer(options, **_consuming(settings))
        self._clients = (self._producer, self._aside, self._following)
        with starting(self, self._judged, self._followed):
            for client in self._clients:
                await client.start()
            self._registries = Registries(self._following, self._judging, names)
            await self._registries.start()
            self.worker = Worker(
                settings,
                self._judging,
                self._consumer,
                Publisher(self._producer, names),
                LogReader(self._aside),
                self._registries,
                self.metrics,
            )
            self._consumer.subscribe(topics=[names[kind] for kind in FOLLOWED], listener=self.worker)
            await self._consumer.start()

    async def on_stop(self) -> None:
        """Finish the round under way, leave the group, close the stores."""
        if self.worker is not None:
            self.worker.stop()
        async with asyncio.timeout(STOP_WITHIN):
            await self._judged.wait()
            await self._followed.wait()
        if self._clients:
            await take_leave(self._consumer, LEAVE_WITHIN)
        if self.worker is not None:
            await self.worker.close()
        await asyncio.gather(*(take_leave(each, CLOSE_WITHIN) for each in self._clients))

    @Service.task  # type: ignore[untyped-decorator]
    async def judge(self) -> None:
        """Read, judge, publish, commit, until stopped."""
        try:
            if self.worker is not None:
                await self.worker.run()
        finally:
            self._judged.set()

    @Service.task  # type: ignore[untyped-decorator]
    async def follow_registries(self) -> None:
        """Follow the registry topics until stopped."""
        set_aside = False
        try:
            while not self.should_stop:
                await self._registries.follow(FOLLOW_MS)
                if self._registries.caught_up and not set_aside:
                    garbage.set_aside()
                    set_aside = True
        finally:
            self._followed.set()

    @Service.timer(MEASURE_SECONDS)  # type: ignore[untyped-decorator]
    async def measure(self) -> None:
        """Bring lag, positions and table sizes up to date."""
        if self.worker is not None:
            await self.worker.measure()

    @Service.timer(0.5)  # type: ignore[untyped-decorator]
    async def end_when_done(self) -> None:
        """Stop the application once everything that was there at the start is judged."""
        if self._until_end and self.worker is not None and self.worker.finished:
            log.info("everything that was there is judged")
            self.done.set()

    @Service.timer(1.0)  # type: ignore[untyped-decorator]
    async def tick(self) -> None:
        """Show that the event loop goes round."""
        self._ticked_at = time.monotonic()

    def canaries(self) -> list[Canary]:
        """The canary, where there is one and the worker is to go on."""
        if self._settings.engine.canary_sp is None or self._until_end:
            return []
        return [Canary(self._settings, self.metrics, lambda: self.worker.owned if self.worker is not None else ())]

    def aggregators(self) -> list[Aggregator]:
        """What adds up the ledger, where this process is to stand ready for it and to go on."""
        if not self._settings.breaches.aggregate or self._until_end:
            return []
        return [Aggregator(self._settings, self.metrics)]

    @property
    def healthy(self) -> bool:
        """Whether the event loop went round lately; a restart would mend it if not."""
        return time.monotonic() - self._ticked_at < HEALTHY_WITHIN

    @property
    def ready(self) -> bool:
        """Whether the sends of every owned partition are being judged, and lately were."""
        worker = self.worker
        return worker is not None and worker.ready


async def take_leave(client: Any, seconds: float) -> None:
    """Close a client, but do not wait for a Kafka that does not answer: everything is committed, or void.

    In a task of its own: a client of aiokafka can end in the cancellation of its own fetches.
    """
    closing = asyncio.ensure_future(client.stop())
    done, _ = await asyncio.wait({closing}, timeout=seconds)
    closing.cancel()
    error = None
    if not done or closing.cancelled():
        error = "no answer"
    elif closing.exception() is not None:
        error = repr(closing.exception())
    if error is not None:
        log.warning("closed without Kafka's answer", extra={"client": type(client).__name__, "error": error})


def _producing(settings: Settings) -> dict[str, Any]:
    return {
        "idempotence": settings.kafka.idempotence,
        "compression_type": "zstd",  # a fifth of the CPU time of aiokafka's lz4, which is at level 9, and less to store
        "max_batch_size": MEGABYTE,
        "max_request_size": LARGEST_RECORD,
        "linger_ms": 0,
    }


def _consuming(settings: Settings) -> dict[str, Any]:
    return connection.member_options(settings.kafka) | {
        "auto_offset_reset": "earliest",
        "partition_assignment_strategy": (telling(lookup.address_of(settings.web)),),
        "max_poll_interval_ms": 600_000,
        "fetch_max_wait_ms": 100,
    }


def _metrics(settings: Settings, judging: Judging) -> Metrics:
    severities = {
        rule_id: (settings.rule(rule_id).severity or module.RULE.severity).value
        for rule_id, module in judging.rulebook.rules.items()
    }
    return Metrics(
        {kind: settings.topics.name(kind) for kind in ALL_KINDS},
        severities,
        carriers=settings.metrics.carriers,
        version=judging.version.sendwatch,
        ruleset_version=judging.version.rules,
        complaint_limits={"": settings.breaches.complaints_per_million} | settings.breaches.limits_by_carrier(),
    )


NEEDED = (*SOURCES, *REGISTRY_KINDS, "flags", "optouts", "quarantine", "ledger")
ALL_KINDS = (*NEEDED, "canary")
