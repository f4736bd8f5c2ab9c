"""The stage of a demo: a configuration, topics, and workers as processes of their own.

Belongs here: everything that has to stand before the first send. Not here: the sends (`simulate/`), what is seen
(`audience.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from sendwatch import config
from sendwatch.broker import tied
from sendwatch.kafka import topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sendwatch.settings import Settings

STOP_WITHIN = 30.0

# Keys of a demo hide made-up numbers only; they are fixed so that a repeated demo gives the same flag ids.
KEYS = {
    "SENDWATCH_RECIPIENTS__INTERNAL_KEY": "d3" * 32,
    "SENDWATCH_RECIPIENTS__PUBLIC_KEY": "e4" * 32,
}


class WorkerFailedError(Exception):
    """A worker ended by itself; the message names its log."""


class Stage:
    """A broker's topics and the workers that watch them, in `folder`."""

    def __init__(self, bootstrap: str, folder: Path, *, partitions: int, embedded: bool, prefix: str = "") -> None:
        """Nothing happens yet; `embedded`: the broker is the embedded one, which lacks idempotent writes."""
        self.bootstrap = bootstrap
        self.folder = folder
        self.overrides = {
            "kafka.bootstrap": bootstrap,
            "kafka.idempotence": "false" if embedded else "true",
            "kafka.session_timeout_seconds": "6" if embedded else "10",  # the embedded one holds a join for half of it
            "kafka.rebalance_timeout_seconds": "3" if embedded else "10",
            "topics.partitions": str(partitions),
            "topics.prefix": prefix,
            "topics.replication": "1",
            "topics.timestamps": "producer",
        }
        self.settings = self.settings_of({})

    def settings_of(self, more: Mapping[str, str]) -> Settings:
        """The configuration with these settings on top."""
        return config.read(None, KEYS, {**self.overrides, **more}).settings

    async def make_topics(self) -> None:
        """Make every topic that is declared."""
        await topics.apply(self.settings)

    def worker(self, name: str, *, until_end: bool = False, more: Mapping[str, str] | None = None) -> Worker:
        """A worker that is not started yet, with a state folder, a log and a port of its own."""
        return Worker(self, name, ("run", "--until-end") if until_end else ("run",), more or {})

    def aggregator(self, name: str, workers: Iterable[Worker] = ()) -> Worker:
        """What adds up what the workers judge, and serves the page; not started yet, with everything of its own.

        `workers`: those that it may ask about recipients; the embedded broker does not tell it who they are.
        """
        asked = ",".join(worker.address for worker in workers)
        return Worker(self, name, ("aggregate",), {"desk.workers": asked} if asked else {})


class Worker:
    """One `sendwatch run`, or another command that goes on until it is stopped, as a process."""

    def __init__(self, stage: Stage, name: str, command: tuple[str, ...], more: Mapping[str, str]) -> None:
        """Set up its settings; the log is `<name>.log` in the stage's folder."""
        self.name = name
        self.data_dir = stage.folder / name
        self.log = stage.folder / f"{name}.log"
        self.port, self._desk_port = free_port(), free_port()
        settings = {
            **stage.overrides,
            "kafka.client_id": name,
            "engine.data_dir": str(self.data_dir),
            "web.port": str(self.port),
            "desk.port": str(self._desk_port),
            "logs.format": "json",
            **more,
        }
        variables = {config.variable(key): value for key, value in settings.items()}
        self._environment = {**os.environ, **KEYS, **variables}
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        """Where the desk's page is, if it adds up."""
        return f"http://127.0.0.1:{self._desk_port}/"

    @property
    def pid(self) -> int:
        """Its process id; it must have been started."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start the process; it ends when this one does."""
        command = [sys.executable, "-m", "sendwatch", *self._command]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *tied(command), env=self._environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    def check(self) -> None:
        """Raise WorkerFailedError if it has ended."""
        if self._process is not None and self._process.returncode is not None:
            raise WorkerFailedError(f"worker {self.name} ended ({self._process.returncode}); see {self.log}")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)

    def pause(self, *, paused: bool) -> None:
        """Freeze it, or let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    async def wait(self, within: float) -> int:
        """Wait for its end and return its exit status."""
        assert self._process is not None
        async with asyncio.timeout(within):
            return await self._process.wait()

    async def stop(self) -> int | None:
        """Ask it to end, and see that it does; returns its exit status."""
        if self._process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            return await self.wait(STOP_WITHIN)
        except TimeoutError:
            self.kill()
            return await self._process.wait()


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
