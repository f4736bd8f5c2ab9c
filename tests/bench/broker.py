"""A Kafka of the benchmark's own, whose data stay in a folder: topics are filled once and measured many times.

Belongs here: the broker's process and its folder. Not here: its jars and most of its settings, which are the live
tests' (`tests/live/kafka.py`). It runs where the process that starts it is pinned to.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Self

from kafka import SETTINGS, jars

from sendwatch.broker import LOOPBACK, BrokerFailedError, Child, free_port, new_cluster

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PATIENCE, GRACE, FORMAT_WITHIN = 120.0, 60.0, 60.0
MORE = """\
log.message.timestamp.after.max.ms=9223372036854775807
log.segment.delete.delay.ms=1000
"""  # simulated time may lie ahead of the clock; topics of past runs shall go at once


class KeptKafka:
    """`async with KeptKafka(folder) as kafka: … kafka.bootstrap`; BrokerFailedError where it does not come up."""

    def __init__(self, folder: Path) -> None:
        """Nothing is started yet; the folder is made where it is missing."""
        self._folder = folder
        self._child: Child | None = None
        self.data = folder / "data"
        self.bootstrap = ""

    async def __aenter__(self) -> Self:
        java = shutil.which("java")
        if java is None:
            raise BrokerFailedError("a real Kafka needs java, which is not on the PATH")
        self._folder.mkdir(parents=True, exist_ok=True)
        self.bootstrap = f"{LOOPBACK}:{free_port()}"
        known, settings = self._folder / "cluster", self._folder / "server.properties"
        cluster = known.read_text() if known.exists() else new_cluster()
        listening = {"bootstrap": self.bootstrap, "controller": f"{LOOPBACK}:{free_port()}"}
        settings.write_text(SETTINGS.format(**listening, data=self.data) + MORE)
        command = [java, "-Xmx600m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars()}/*"]
        if not known.exists():
            await self._format([*command, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)])
            known.write_text(cluster)
        self._child = await Child.start([*command, "kafka.Kafka", str(settings)], self._folder / "kafka.log")
        try:
            await self._child.answers(self.bootstrap, cluster, PATIENCE)
        except BaseException:
            await self._child.end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            await self._child.end(GRACE)

    @property
    def pid(self) -> int:
        """Its process id; it must be up."""
        assert self._child is not None
        return self._child.pid

    async def _format(self, command: list[str]) -> None:
        import asyncio

        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        told, _ = await asyncio.wait_for(process.communicate(), FORMAT_WITHIN)
        if process.returncode:
            raise BrokerFailedError(f"Kafka's folder could not be formatted:\n{told.decode(errors='replace')}")
