"""A real Apache Kafka, one node on loopback, for the tests that the embedded broker cannot stand for.

Needs java (17 or newer) and mvn; Maven brings the jars of pom.xml once, into .cache/ of the repository.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from sendwatch.broker import LOOPBACK, BrokerFailedError, Child, free_port, new_cluster

POM = Path(__file__).with_name("pom.xml")
CACHE = POM.parents[2] / ".cache" / "kafka-libs"
PATIENCE = 60.0  # seconds until it must answer; 3 to 5 are usual, recovery after a kill included
GRACE = 30.0  # seconds for an orderly stop; 1 is usual

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=PLAINTEXT://{bootstrap},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{bootstrap}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
log.retention.hours=-1
message.max.bytes=16777216
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
"""


class RealKafka:
    """Apache Kafka of one's own: `async with RealKafka() as kafka: … kafka.bootstrap`.

    `stop` or `kill` it, `start` it again: the port, the data and the cluster stay until the block ends.

    Args:
        log_path: a file to append its output to.

    Raises:
        BrokerFailedError: on entering, where it does not come up, or java, mvn or the jars are missing.
    """

    def __init__(self, log_path: Path | None = None) -> None:
        self._log_path = log_path
        self._home = Path()
        self._cluster = new_cluster()
        self._command: list[str] = []
        self._child: Child | None = None
        self.bootstrap = ""

    async def __aenter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="sendwatch-kafka-"))
        try:
            self._format()
            await self.start()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    @property
    def pid(self) -> int:
        """The broker's process, for SIGSTOP and SIGCONT."""
        if not self._child:
            raise BrokerFailedError("Kafka is not running")
        return self._child.pid

    async def start(self) -> None:
        """Start it on what it holds and wait until it answers."""
        self._child = await Child.start(self._command, self._log_path)
        await self._child.answers(self.bootstrap, self._cluster, PATIENCE)

    async def stop(self) -> None:
        """End it in order."""
        await self._end(GRACE)

    async def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        await self._end(0)

    async def _end(self, grace: float) -> None:
        if self._child:
            child, self._child = self._child, None
            await child.end(grace)

    async def _leave(self) -> None:
        await self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _format(self) -> None:
        java = [_path("java"), "-Xmx600m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        java += ["-cp", f"{jars()}/*"]
        self.bootstrap = f"{LOOPBACK}:{free_port()}"
        settings = self._home / "server.properties"
        settings.write_text(
            SETTINGS.format(bootstrap=self.bootstrap, controller=f"{LOOPBACK}:{free_port()}", data=self._home / "data")
        )
        _run(*java, "kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", str(settings))
        self._command = [*java, "kafka.Kafka", str(settings)]


def jars() -> Path:
    """The folder of Kafka's jars, asked of Maven where it is not there yet for this very pom."""
    folder = CACHE / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=CACHE))
        maven = [_path("mvn"), "--batch-mode", "--quiet", "--strict-checksums", "--file", str(POM)]
        _run(*maven, "dependency:copy-dependencies", f"-DoutputDirectory={fresh}")
        fresh.rename(folder)
    return folder


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BrokerFailedError(f"{command[0]} failed ({done.returncode}):\n{done.stdout}")


def _path(program: str) -> str:
    path = shutil.which(program)
    if not path:
        raise BrokerFailedError(f"a real Kafka needs {program}, which is not on the PATH")
    return path
