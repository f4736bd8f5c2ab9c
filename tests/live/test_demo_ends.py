"""A demo that is told to end takes its processes along: its broker, its workers, what adds up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

GONE_WITHIN = 15.0
COMMANDS = {"week": ["--sends", "300"], "month": ["--story", "month", "--sends", "300", "--workers", "2"]}


def children(pid: int) -> dict[int, str]:
    """The processes below one, by id, with the commands that they are."""
    found = dict[int, str]()
    for line in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        found[int(line)] = command_of(int(line))
        found |= children(int(line))
    return found


def command_of(pid: int) -> str:
    """A process' command; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def until(happens: Callable[[], bool], within: float, demo: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for it; what the demo said is told where it does not come."""
    give_up_at = time.monotonic() + within
    while not happens():
        assert time.monotonic() < give_up_at, f"{demo.poll()}: {log.read_text(encoding='utf-8')}"
        time.sleep(0.05)


def kinds(pid: int) -> list[str]:
    """What a demo runs now."""
    found = children(pid).values()
    names = {"tansu broker": "broker", "sendwatch run": "worker", "sendwatch aggregate": "adds up"}
    return sorted(name for command in found for part, name in names.items() if part in command)


@pytest.mark.parametrize("story", COMMANDS)
@pytest.mark.parametrize(("told", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_it_takes_its_processes_along(story: str, told: int, status: int, tmp_path: Path) -> None:
    """Asked to, in an orderly way, and its folder too; killed, they end all the same."""
    log, folder = tmp_path / "log", tmp_path / "tmp"
    folder.mkdir()
    command = [sys.executable, "-m", "sendwatch", "demo", *COMMANDS[story]]
    with log.open("wb") as out:
        demo = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(folder)}, stdout=out, stderr=out)
    started = dict[int, str]()
    wanted = ["adds up", "broker", *["worker"] * (2 if story == "month" else 1)]
    try:
        until(lambda: kinds(demo.pid) == wanted, 60.0, demo, log)
        started = children(demo.pid)
        demo.send_signal(told)
        until(lambda: demo.poll() is not None, GONE_WITHIN, demo, log)
        until(lambda: not [pid for pid in started if command_of(pid)], GONE_WITHIN, demo, log)
    finally:
        demo.kill()
        demo.wait()
        for pid, of in started.items():
            if command_of(pid) == of:
                os.kill(pid, signal.SIGKILL)
    assert demo.returncode == status
    if told == signal.SIGTERM:
        assert not list(folder.iterdir())
        assert "Traceback" not in log.read_text(encoding="utf-8")
