"""One worker as a process on a core of its own, watched from outside.

Belongs here: starting it, its CPU time and memory as the kernel tells them (/proc: Linux only), when it says that it
is ready, how it ends. Not here: what it found (`outcome.py`). Nothing of the worker is changed for being measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from msgspec import Struct, field

from sendwatch import config
from sendwatch.demo.stage import KEYS, WorkerFailedError, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOOK_SECONDS = 0.05
TICK = os.sysconf("SC_CLK_TCK")
STOP_WITHIN = 60.0
TAIL = 15  # lines of the log in an error


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Whatever is started in this block runs on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Course(Struct):
    """How one run went. Times are `time.time()`; `cpu` is user and system time of the whole process.

    `looks`: (time, CPU-seconds so far, CPU-seconds of the core so far, whoever used it).
    """

    started_at: float
    ready_at: float | None = None
    ended_at: float = 0.0
    cpu_seconds: float = 0.0
    main_thread_seconds: float = 0.0
    peak_mb: float = 0.0
    status: int = 0
    looks: list[tuple[float, float, float]] = field(default_factory=list)

    def cpu_at(self, at: float) -> float:
        """CPU-seconds that the worker had used by then."""
        return self._at(at, 1)

    def core_at(self, at: float) -> float:
        """CPU-seconds that anybody had used of the worker's core by then."""
        return self._at(at, 2)

    def _at(self, at: float, column: int) -> float:
        place = min(max(bisect_left(self.looks, (at, 0.0, 0.0)), 1), len(self.looks) - 1)
        before, after = self.looks[place - 1], self.looks[place]
        part = (at - before[0]) / (after[0] - before[0])
        return before[column] + min(max(part, 0.0), 1.0) * (after[column] - before[column])


class PinnedWorker:
    """`sendwatch run` with these settings on that core."""

    def __init__(self, folder: Path, core: int, settings: Mapping[str, str]) -> None:
        """Nothing is started yet; stores and log lie in `folder`."""
        self.folder = folder
        self.log = folder / "worker.log"
        self.core = core
        self.port = free_port()
        given = {
            **settings,
            "engine.data_dir": str(folder / "state"),
            "web.port": str(self.port),
            "logs.format": "json",
        }
        self.environment = {**os.environ, **KEYS, **{config.variable(key): value for key, value in given.items()}}

    async def run(self, *, until_end: bool, profile: Path | None = None) -> Course:
        """Run it to its end, or until it is ready and no further."""
        command = [sys.executable, "-m", "sendwatch"] if profile is None else [
            sys.executable, "-m", "bench.sampler", str(profile)
        ]  # fmt: skip
        command += ["run", "--until-end"] if until_end else ["run"]
        with on_core(self.core), self.log.open("ab") as log:
            course = Course(time.time())
            process = subprocess.Popen(  # noqa: ASYNC220 - its end is waited for by os.wait4, for what it used
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            await self._watch(process, course, until_end=until_end)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if course.status:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL:])
            raise WorkerFailedError(f"the worker ended ({course.status}):\n{last}")
        return course

    async def _watch(self, process: subprocess.Popen[bytes], course: Course, *, until_end: bool) -> None:
        asking = asyncio.create_task(self._ready(course))
        asked_to_end_at: float | None = None
        try:
            while True:
                ended, status, used = os.wait4(process.pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
                if ended:
                    break
                self._look(process.pid, course)
                if not until_end and course.ready_at is not None and asked_to_end_at is None:
                    asked_to_end_at = time.time()
                    process.send_signal(signal.SIGTERM)
                if asked_to_end_at is not None and time.time() > asked_to_end_at + STOP_WITHIN:
                    raise WorkerFailedError(f"the worker did not stop; see {self.log}")
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            asking.cancel()
        process.returncode = course.status = os.waitstatus_to_exitcode(status)
        course.ended_at = time.time()
        course.cpu_seconds = used.ru_utime + used.ru_stime

    def _look(self, pid: int, course: Course) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
            cpu = _ticks(Path(f"/proc/{pid}/stat"))
            course.main_thread_seconds = _ticks(Path(f"/proc/{pid}/task/{pid}/stat"))
            course.looks.append((time.time(), cpu, _core_seconds(self.core)))
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    course.peak_mb = max(course.peak_mb, int(line.split()[1]) / 1024)

    async def _ready(self, course: Course) -> None:
        pause = 0.02
        async with aiohttp.ClientSession() as session:
            while course.ready_at is None:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.port}/-/ready") as answer:
                        if answer.status == 200:
                            course.ready_at = time.time()
                await asyncio.sleep(pause)
                pause = 0.02 if time.time() - course.started_at < 5 else 0.2  # or it would be all that it does


def _ticks(path: Path) -> float:
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _core_seconds(core: int) -> float:
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, fields)
            return (user + nice + system + irq + softirq + steal) / TICK
    return 0.0
