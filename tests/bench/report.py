"""Turns what was measured into numbers, lines and JSON.

Belongs here: every division. Not here: measuring (`pinned.py`, `outcome.py`).
"""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.outcome import Progress
    from bench.pinned import Course


WARM = 1 / 3  # of the sends are judged before any counts


class Figures(Struct):
    """The numbers of one run of one set of rules. Rates are per second; `cpu` is of the whole process.

    The *steady* stretch is from when every partition has its first range of sends in the ledger, and a third of all
    sends are judged (caches are warm then), to the last range.
    """

    rules: str
    per_cpu_second: float  # sends in the steady stretch, per CPU-second
    per_second: float  # the same per second of wall time
    yardstick_ratio: float  # per_cpu_second against the yardstick's
    process_per_cpu_second: float  # sends per CPU-second from the process's start to its end, start-up and all
    steady_sends: int
    main_thread_share: float  # of the CPU time; the rest is RocksDB's, in the background
    others_on_core: float  # the part of the worker's core that somebody else used meanwhile: noise
    peak_mb: float
    cold_ready_seconds: float  # from nothing, all facts folded
    cold_cpu_seconds: float
    cold_peak_mb: float
    facts_per_cpu_second: float
    warm_ready_seconds: float  # after a clean stop
    warm_cpu_seconds: float
    flags: int
    void: list[str]


def figures(
    rules: str,
    courses: tuple[Course, Course],
    sends: Progress,
    facts: Progress,
    yardstick: float,
    flags: int,
    void: Sequence[str],
) -> Figures:
    """Put one run's numbers together. `courses`: the cold start, and the warm one that judged everything."""
    cold, judging = courses
    begins_at, ends_at = steady_from(sends), sends.last_at
    steady, seconds = sends.after(begins_at), ends_at - begins_at
    cpu = judging.cpu_at(ends_at) - judging.cpu_at(begins_at)
    core = judging.core_at(ends_at) - judging.core_at(begins_at)
    folded = facts.after(facts.ranges[0][0]) if facts.ranges else 0
    folding = cold.cpu_at(facts.last_at) - cold.cpu_at(facts.ranges[0][0]) if facts.ranges else 0.0
    rate = _over(steady, cpu)
    return Figures(
        rules=rules,
        per_cpu_second=rate,
        per_second=_over(steady, seconds),
        yardstick_ratio=_over(rate, yardstick),
        process_per_cpu_second=_over(sends.after(0.0), judging.cpu_seconds),
        steady_sends=steady,
        main_thread_share=_over(judging.main_thread_seconds, judging.looks[-1][1]),
        others_on_core=max(0.0, _over(core - cpu, seconds)),
        peak_mb=judging.peak_mb,
        cold_ready_seconds=(cold.ready_at or 0.0) - cold.started_at,
        cold_cpu_seconds=cold.cpu_at(cold.ready_at or cold.ended_at),
        cold_peak_mb=cold.peak_mb,
        facts_per_cpu_second=_over(folded, folding),
        warm_ready_seconds=(judging.ready_at or 0.0) - judging.started_at,
        warm_cpu_seconds=judging.cpu_at(judging.ready_at or 0.0),
        flags=flags,
        void=list(void),
    )


def steady_from(sends: Progress) -> float:
    """When the steady stretch begins."""
    return max(sends.when(WARM), *sends.first_at.values()) if sends.ranges else 0.0


def _over(count: float, by: float) -> float:
    return count / by if by > 0 else 0.0


def middle(runs: Sequence[Figures]) -> dict[str, Any]:
    """The median of each number over repeated runs of one set of rules."""
    void = [fault for run in runs for fault in run.void]
    found: dict[str, Any] = {"rules": runs[0].rules, "runs": len(runs), "void": void}
    for name in Figures.__struct_fields__:
        if name not in found:
            found[name] = round(median(getattr(run, name) for run in runs), 3)
    return found


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as info:  # noqa: PTH123 - a line is enough
        for line in info:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"cpu": model, "cores": os.cpu_count(), "load": [round(each, 2) for each in os.getloadavg()]}


LINES = (
    ("sends per CPU-second", "per_cpu_second", "{:,.0f}"),
    ("  against the yardstick", "yardstick_ratio", "{:.2f}"),
    ("sends per second of wall time", "per_second", "{:,.0f}"),
    ("sends per CPU-second, start and end included", "process_per_cpu_second", "{:,.0f}"),
    ("sends that were measured", "steady_sends", "{:,.0f}"),
    ("CPU time of the main thread", "main_thread_share", "{:.0%}"),
    ("core used by others meanwhile", "others_on_core", "{:.0%}"),
    ("peak memory, MB", "peak_mb", "{:,.0f}"),
    ("cold start until ready, s", "cold_ready_seconds", "{:.1f}"),
    ("  CPU-seconds", "cold_cpu_seconds", "{:.1f}"),
    ("  peak memory, MB", "cold_peak_mb", "{:,.0f}"),
    ("  facts folded per CPU-second", "facts_per_cpu_second", "{:,.0f}"),
    ("warm start until ready, s", "warm_ready_seconds", "{:.2f}"),
    ("  CPU-seconds", "warm_cpu_seconds", "{:.2f}"),
    ("flags expected and found", "flags", "{:,.0f}"),
)


def as_lines(found: dict[str, dict[str, Any]]) -> list[str]:
    """A table, one column a set of rules."""
    names = list(found)
    lines = [f"{'':<46}" + "".join(f"{name:>16}" for name in names)]
    for title, field, form in LINES:
        lines.append(f"{title:<46}" + "".join(f"{form.format(found[name][field]):>16}" for name in names))
    return lines
