"""Runs `sendwatch` and looks 250 times a CPU-second where it is: `python -m bench.sampler FILE run …`.

Belongs here: taking samples, and adding them up (`top`). Unlike a tracing profiler it leaves the proportions as they
are. What C code takes is put down to the Python line that called it; a line's time is of all threads, so where RocksDB
works in the background it falls on whatever Python does meanwhile.
"""

from __future__ import annotations

import atexit
import gc
import runpy
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from types import CodeType, FrameType

EVERY = 0.004  # of CPU time; the kernel's own tick is no shorter on most machines


class Samples(Struct):
    """`places` are (function, line) and `stacks` lists of functions; `seen` is (time, place, stack) a sample.

    `collected` is (time, CPU-seconds, generation) of each run of the garbage collector, which no stack shows.
    """

    functions: list[str]
    places: list[tuple[int, int]]
    stacks: list[tuple[int, ...]]
    seen: list[tuple[float, int, int]]
    collected: list[tuple[float, float, int]]


class Sampler:
    """Takes samples of the main thread until the process ends."""

    def __init__(self) -> None:
        """Start with none."""
        self._codes: dict[CodeType, int] = {}
        self._places: dict[tuple[int, int], int] = {}
        self._stacks: dict[tuple[int, ...], int] = {}
        self._seen: list[tuple[float, int, int]] = []
        self._collected: list[tuple[float, float, int]] = []
        self._collecting_since = 0.0

    def start(self) -> None:
        """Begin."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        gc.callbacks.append(self._garbage_collector)

    def save(self, path: Path) -> None:
        """End, and write what was seen."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        functions = [f"{_short(code.co_filename)}:{code.co_firstlineno} {code.co_qualname}" for code in self._codes]
        gc.callbacks.remove(self._garbage_collector)
        samples = Samples(functions, [*self._places], [*self._stacks], self._seen, self._collected)
        path.write_bytes(msgspec.json.encode(samples))

    def _garbage_collector(self, phase: str, told: dict[str, int]) -> None:
        now = time.thread_time()
        if phase == "start":
            self._collecting_since = now
        else:
            self._collected.append((time.time(), now - self._collecting_since, told["generation"]))

    def _look(self, _number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        codes, stack, line = self._codes, [], frame.f_lineno or 0
        walked: FrameType | None = frame
        while walked is not None:
            stack.append(codes.setdefault(walked.f_code, len(codes)))
            walked = walked.f_back
        place = self._places.setdefault((stack[0], line), len(self._places))
        whole = self._stacks.setdefault(tuple(stack), len(self._stacks))
        self._seen.append((time.time(), place, whole))


def _short(path: str) -> str:
    for root in ("site-packages/", "/src/", "/lib/python"):
        _, found, rest = path.rpartition(root)
        if found:
            return rest
    return path


def top(samples: Samples, since: float, until: float, most: int) -> list[str]:
    """The functions and lines that took most in a stretch of time, as lines of text."""
    seen = [(place, stack) for at, place, stack in samples.seen if since <= at <= until]
    if not seen:
        return ["no samples"]
    own, lines, whole = Counter[int](), Counter[tuple[int, int]](), Counter[int]()
    for place, stack in seen:
        function, line = samples.places[place]
        own[function] += 1
        lines[function, line] += 1
        whole.update(set(samples.stacks[stack]))
    cpu, runs = len(seen) * EVERY, [(spent, which) for at, spent, which in samples.collected if since <= at <= until]
    told = [
        (
            f"{cpu:.1f} CPU-seconds; the garbage collector has {sum(spent for spent, _ in runs) / cpu:.1%} of them, "
            f"{sum(spent for spent, which in runs if which == 2) / cpu:.1%} for its oldest generation"
        ),
        "    own    with what it calls",
    ]
    for function, count in own.most_common(most):
        at = [f"{line}: {n / len(seen):.1%}" for (of, line), n in lines.most_common() if of == function][:3]
        share = f"{count / len(seen):7.1%} {whole[function] / len(seen):7.1%}"
        told.append(f"{share}  {samples.functions[function]}   (line {', '.join(at)})")
    told.append("most with what they call")
    for function, count in whole.most_common(2 * most):
        if not samples.functions[function].startswith(("asyncio", "<frozen", "python3", "3.")):
            told.append(f"{own[function] / len(seen):7.1%} {count / len(seen):7.1%}  {samples.functions[function]}")
    return told


def load(path: Path) -> Samples:
    """What a sampler wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Samples)


if __name__ == "__main__":
    _sampler = Sampler()
    atexit.register(_sampler.save, Path(sys.argv[1]))
    sys.argv = ["sendwatch", *sys.argv[2:]]
    _sampler.start()
    runpy.run_module("sendwatch", run_name="__main__", alter_sys=True)
