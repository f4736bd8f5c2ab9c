"""`make bench ARGS='--latency'`: how long after a send was due its flag is in Kafka, at shares of the worker's best.

Belongs here: the steps of load and the percentiles. Not here: keeping the schedule (`gateway.py`).

    measured   from when the schedule wants the send written to the time that the broker put on the flag when it took it
               (`LogAppendTime`: one machine, one clock, whole milliseconds). So the gateway's own lateness and the
               broker's are in it; they are told apart as *taken*
    loads      2,000 sends a second, then 25, 50 and 75 % of the rate at which this very worker judged a backlog just
               before, over the same broker
    counted    flags first raised of sends that were due after a step's first second. At the end everything else is
               written too, and the gate is the usual one: the flags of all sends are the expected ones, or it is void
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from bench.gateway import Gateway, Play
from bench.outcome import faults, read_topic
from bench.site import Site, best_rate, following

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.pinned import Course
    from sendwatch.settings import Settings

BACKLOG = 0.4  # of all sends, to find the best rate
FIXED = 2000.0  # a second
SHARES = (0.25, 0.5, 0.75)
SECONDS, STEP_PART = 20.0, 0.5  # a step is as long, or as that part of all sends allows
SETTLING = 1.0


class Source(Struct):
    """Where a flagged send stands."""

    partition: int
    offset: int


class TimedFlag(Struct):
    """What of a flag is needed to know how late it is."""

    flag_id: str
    source: Source


read_flag = msgspec.json.Decoder(TimedFlag).decode


class Step(Struct):
    """One load, in sends a second and milliseconds. `taken`: when the broker had the sends, from when they were due."""

    load: str
    wanted: float
    offered: float
    seconds: float
    flags: int
    p50: float
    p99: float
    most: float
    taken_p50: float
    taken_p99: float
    core: float  # the part of its core that the worker used
    others: float  # that others used of it: noise


async def measure(site: Site) -> dict[str, Any]:
    """The best rate, and the steps below it."""
    stage = site.own_sends(1)
    await stage.make_topics()
    names = stage.settings.topics
    plays: list[tuple[str, float, Play]] = []
    async with Gateway(site.kafka.bootstrap, "sms.sends", names.name("sends"), names.partitions) as gateway:
        await gateway.play(BACKLOG)
        async with following(stage.settings) as ledger, site.worker(stage, "latency") as worker:
            await worker.ready()
            await ledger.reaches(gateway.written, worker)
            best = await best_rate(stage.settings)
            site.tell(f"it judges {best:,.0f} sends a second from a backlog")
            for load, rate, seconds in steps_of(best, site.wish.sends):
                play = await gateway.play(rate * seconds / site.wish.sends, seconds)
                await ledger.reaches(gateway.written, worker)
                plays.append((load, rate, play))
                site.tell(f"{load}: {play.offered:,.0f} sends a second for {seconds:.1f} s")
            await gateway.play(1.0)
            await ledger.reaches(gateway.written, worker)
        flags = await raised(stage.settings)
        void = await faults(stage.settings, site.truth.flags, site.on, site.truth.counts)
    course = worker.course
    steps = [step_of(load, rate, play, flags, course) for load, rate, play in plays]
    return {"best_per_second": round(best), "steps": [structs.asdict(step) for step in steps], "void": void}


def steps_of(best: float, sends: int) -> list[tuple[str, float, float]]:
    """What to play: (load, sends a second, seconds); all steps together take a part of the sends at most."""
    loads = [("2,000/s", FIXED), *((f"{share:.0%}", share * best) for share in SHARES)]
    loads = [(load, rate) for load, rate in loads if load != "2,000/s" or rate < SHARES[-1] * best]
    seconds = min(SECONDS, STEP_PART * sends / sum(rate for _, rate in loads))
    return [(load, rate, seconds) for load, rate in loads]


def step_of(load: str, rate: float, play: Play, flags: Iterable[tuple[int, int, int]], course: Course) -> Step:
    """The percentiles of one step; `flags` are (partition, offset of the send, time in ms)."""
    late = []
    for partition, offset, at in flags:
        due_at = play.due_at(partition, offset)
        if due_at is not None and due_at >= play.began_at + min(SETTLING, play.seconds / 4):
            late.append(at - due_at * 1000)
    late.sort()
    seconds = max(play.ended_at - play.began_at, 0.001)
    used = course.cpu_at(play.ended_at) - course.cpu_at(play.began_at)
    core = course.core_at(play.ended_at) - course.core_at(play.began_at)
    return Step(
        load=load, wanted=round(rate), offered=round(play.offered), seconds=round(play.seconds, 1), flags=len(late),
        p50=percentile(late, 0.5), p99=percentile(late, 0.99), most=percentile(late, 1.0),
        taken_p50=round(play.late[0] * 1000, 1), taken_p99=round(play.late[1] * 1000, 1),
        core=round(used / seconds, 2), others=round(max(0.0, core - used) / seconds, 2),
    )  # fmt: skip


def percentile(ordered: Sequence[float], part: float) -> float:
    """The least of these that so great a part of them does not exceed; 0 of none."""
    return round(ordered[max(0, ceil(part * len(ordered)) - 1)], 1) if ordered else 0.0


async def raised(settings: Settings) -> list[tuple[int, int, int]]:
    """The first record of every flag: partition and offset of its send, and when the broker took it."""
    seen: set[str] = set()
    found: list[tuple[int, int, int]] = []
    async for _, records in read_topic(settings, "flags"):
        for record in records:
            flag = read_flag(record.value)
            if flag.flag_id not in seen:
                seen.add(flag.flag_id)
                found.append((flag.source.partition, flag.source.offset, record.timestamp))
    return found


def as_lines(found: dict[str, Any]) -> list[str]:
    """For people."""
    lines = [f"judges {found['best_per_second']:,} sends a second from a backlog; flag in Kafka minus send due, ms", ""]
    columns = {"offered": "sends/s", "flags": "flags", "p50": "p50", "p99": "p99", "most": "most"}
    columns |= {"taken_p50": "taken p50", "taken_p99": "taken p99", "core": "core", "others": "others"}
    lines.append(f"{'load':<10}" + "".join(f"{title:>11}" for title in columns.values()))
    for each in found["steps"]:
        cells = "".join(f"{each[name]:>11,}" for name in columns)
        lines.append(f"{each['load']:<10}{cells}")
    return lines
