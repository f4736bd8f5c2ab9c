"""The desk as it runs: a listener of its own beside the aggregator, and what it follows.

Belongs here: lifecycle, and what the answers are made from. Not here: the answers (`reading.py`, `acting.py`), what a
request passes before (`gate.py`).

It shares the process with the fold over the ledger, and keeps out of its way: what takes long to add up is kept for
twenty times as long as it took.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiohttp import web
from aiokafka.errors import KafkaError
from mode import Service

from sendwatch import __version__
from sendwatch.desk import counted, routes
from sendwatch.desk.access import Tokens
from sendwatch.desk.at_hand import AtHand
from sendwatch.desk.following import Following
from sendwatch.desk.gate import Gate, tell_problems
from sendwatch.desk.health import Positions, lag_of, wall
from sendwatch.desk.named import named
from sendwatch.desk.pace import Pace
from sendwatch.desk.say_counts import Corrections, Health, Hello, Pulse
from sendwatch.desk.stream import Stream
from sendwatch.desk.workers import Workers
from sendwatch.kafka import connection
from sendwatch.kafka.patience import passes
from sendwatch.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.aggregator.aggregator import Aggregator
    from sendwatch.desk.say_counts import Behind
    from sendwatch.settings import Settings
    from sendwatch.windows.board import Board

log = logging.getLogger("sendwatch.desk")

Answer = TypeVar("Answer")

PULSE_SECONDS, FLAGS_SECONDS, CHANGED_SECONDS = 1.0, 0.25, 5.0
PAUSE_SECONDS = 1.0
LARGEST_BODY = 16 * 2**20
KEPT_LEAST, KEPT_TIMES = 1.0, 20.0
STOP_WITHIN = 2.0


class Desk(Service):  # type: ignore[misc]
    """Serves the page and the API."""

    def __init__(self, settings: Settings, aggregator: Aggregator) -> None:
        """Read the tokens; nothing is connected before the service starts."""
        super().__init__()
        self.settings = settings
        self.aggregator = aggregator
        self.names = named(aggregator.judging)
        self.at_hand = AtHand(self.names, settings.desk.flags_kept)
        self.stream = Stream(self.at_hand)
        self.positions = Positions()
        self.workers = Workers(settings)
        tokens = Tokens(Path(settings.desk.tokens) if settings.desk.tokens else None)
        hosts = frozenset({*LOOPBACK, settings.desk.host.lower()})
        self.gate = Gate(tokens, Pace(settings.desk.rate), hosts)
        self.following: Following | None = None
        self._kept: dict[str, tuple[float, Any]] = {}
        self._runner: web.AppRunner | None = None
        self._told = False

    @property
    def board(self) -> Board | None:
        """What is counted; None while another process does it."""
        return self.aggregator.board

    async def on_start(self) -> None:
        """Listen, and begin to follow."""
        settings = self.settings
        app = web.Application(middlewares=[tell_problems], client_max_size=LARGEST_BODY)
        routes.add_to(app, self)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WITHIN)
        await self._runner.setup()
        await self._listen()
        options = await connection.reach(settings.kafka, "following flags for the desk", log.warning)
        self.following = Following(settings, self.at_hand, self.stream, options)
        await self.following.start()

    async def on_stop(self) -> None:
        """Let the pages go, and disconnect."""
        self.stream.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.workers.close()
        if self.following is not None:
            await self.following.stop()

    async def _listen(self) -> None:
        """Listen; where the port is taken, as by another process that stands by, go on without it for now."""
        host, port, runner = self.settings.desk.host, self.settings.desk.port, self._runner
        where = f"http://{host}:{port}/"
        if runner is None or runner.sites:
            return
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await site.stop()
            if not self._told:
                log.error("the desk cannot listen; trying again", extra={"page": where, "error": str(error)})  # noqa: TRY400
            self._told = True
            return
        if self.gate.tokens.open:
            log.warning("the desk is open to this machine: there are no tokens", extra={"page": where})
        else:
            log.info("the desk is open to those who have a token", extra={"page": where})

    # -- going round --------------------------------------------------------------------------------------------

    @Service.task  # type: ignore[untyped-decorator]
    async def follow(self) -> None:
        """Take in what is published, until stopped."""
        while not self.should_stop:
            if self.following is None:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                await self.following.look()
            except KafkaError as error:
                if not passes(error):
                    raise
                log.warning("Kafka does not tell the desk anything; trying again", extra={"error": repr(error)})
                await asyncio.sleep(PAUSE_SECONDS)

    @Service.timer(FLAGS_SECONDS)  # type: ignore[untyped-decorator]
    async def push_flags(self) -> None:
        """Push what was gathered."""
        self.stream.push_flags()

    @Service.timer(PULSE_SECONDS)  # type: ignore[untyped-decorator]
    async def beat(self) -> None:
        """Sample the positions, and tell the open pages how it stands."""
        folding = self.aggregator.folding
        if folding is not None:
            self.positions.see(folding.places, self.at_hand.flags.taken, time.monotonic(), wall())
        if len(self.stream):
            self.stream.push("pulse", self.pulse())

    @Service.timer(CHANGED_SECONDS)  # type: ignore[untyped-decorator]
    async def tell_changed(self) -> None:
        """Have open pages fetch the summary anew, look for other tokens, and for the workers."""
        await self._listen()
        self.stream.push("changed", {})
        try:
            self.gate.tokens.look()
        except (OSError, ValueError) as error:
            log.error("the tokens file cannot be read; the tokens before hold", extra={"error": str(error)})  # noqa: TRY400
        await self.workers.look()

    # -- how it stands ------------------------------------------------------------------------------------------

    def kept(self, key: str, make: Callable[[], Answer]) -> Answer:
        """What was made lately under this key; made anew where that is too long ago for what it costs."""
        until, answer = self._kept.get(key, (0.0, None))
        began = time.monotonic()
        if began >= until:
            answer = make()
            took = time.monotonic() - began
            self._kept[key] = (began + max(KEPT_LEAST, took * KEPT_TIMES), answer)
        return cast("Answer", answer)

    def hello(self) -> Hello:
        """The first event of a stream."""
        return Hello(__version__, self.now, wall(), self.gate.tokens.open, self.board is not None)

    def pulse(self) -> Pulse:
        """How it stands now, in short."""
        board = self.board
        if board is None:
            return Pulse(0, wall(), False, self.positions.rates(), {}, {}, self.health(), {}, {})
        totals = counted.totals(board)
        return Pulse(
            at=board.now,
            wall_at=wall(),
            counting=True,
            rates=self.positions.rates(),
            totals=totals,
            coverage=counted.coverage(board),
            health=self.health(),
            open_breaches=board.outbreaks.by_rule(),
            flags_by_rule_1d=self.kept("by_rule", lambda: dict(counted.by_rule(board, 24))),
        )

    def behind(self) -> list[Behind]:
        """What has not caught up since this process began; nothing: it is ready."""
        following = self.following
        found: dict[Behind, bool] = {
            "kafka": following is None,
            "registries": not self.aggregator.informed,
            "published": following is not None and not following.caught_up,
            "books": not self.aggregator.ready,
        }
        return [name for name, late in found.items() if late]

    def health(self) -> Health:
        """How the pipeline does."""
        folding, following, flags = self.aggregator.folding, self.following, self.at_hand.flags
        places = folding.places if folding is not None else {}
        behind = self.behind()
        return Health(
            ready=not behind,
            behind=behind,
            partitions=self.settings.topics.partitions,
            lag=lag_of(following.sends_ends, places) if following is not None and folding is not None else 0,
            ledger_lag=self.aggregator.lag,
            judged_at=self.positions.moved_at,
            event_at=self.now or None,
            corrections=Corrections(flags.raised_late, flags.cleared),
            flags_kept=len(flags),
            flags_read=following is not None and following.caught_up,
            workers=self.workers.known,
            left_out=counted.left_out(folding.board) if folding is not None else {},
        )

    @property
    def now(self) -> int:
        """Event time; 0 while nothing is counted."""
        return self.board.now if self.board is not None else 0
