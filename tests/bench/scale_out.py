"""`make bench ARGS='--workers 2'`: what one worker costs, and as many as that; the constants of capacity planning.

Belongs here: the runs, and what is divided by what. Not here: what follows for a province (`capacity.py`).

Worker 1 has the core that the ordinary run gives it; further ones have the next, and on two cores the second worker
shares with the broker and with us who watch. So the wall rate of two says what this machine does; what carries over to
others is the *cost*, CPU-seconds of all workers per send, which should not grow with their number.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from bench.outcome import Progress, faults, progress
from bench.pinned import Course
from bench.report import steady_from
from bench.site import Site, StandingWorker, cpu_of, following

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sendwatch.settings import Settings

LOOK_SECONDS = 0.2
MICRO = 1e6


class Constants(Struct):
    """What one machine measured, per send, per fact, per recipient; CPU in microseconds, with all that goes with it.

    `send_disk_bytes`: what a send adds to a worker's store as long as it is kept; `scale_cost`: the cost of a send with
    several workers against that with one; `sends`, `recipients`: how many there were when this was measured.
    """

    sends: int
    recipients: int
    workers: int
    send_cpu_us: float
    yardstick_ratio: float
    scale_cost: float
    fact_cpu_us: float
    facts_per_recipient: float
    recipient_disk_bytes: float
    send_disk_bytes: float
    peak_mb: float
    send_bytes: float
    ledger_bytes: float
    flag_bytes: float
    broker_cpu_us: float


class Crew(Struct):
    """One run with some workers; `cost` in CPU-microseconds a send, of all of them; `broker` likewise."""

    workers: int
    per_second: float
    cost: float
    broker: float
    peak_mb: float
    disk_bytes: int
    ledger_bytes: float
    flag_bytes: float
    others_on_cores: float
    void: list[str]


async def measure(site: Site, most: int) -> dict[str, Any]:
    """One worker alone, from nothing; then two and more, up to `most`."""
    stage = site.stage(1)
    await stage.make_topics()
    worker = site.worker(stage, "alone")
    cold = await worker.run(until_end=False)
    disk_cold = bytes_in(worker.folder / "state")
    facts = await progress(stage.settings, "consents")
    crews = [await crew(site, stage.settings, [worker])]
    for count in range(2, most + 1):
        stage = site.stage(count)
        await stage.make_topics()
        workers = [site.worker(stage, f"{count}-{number}", number) for number in range(count)]
        crews.append(await crew(site, stage.settings, workers))
    constants = constants_of(site, crews, cold, facts, disk_cold)
    return {
        "crews": [structs.asdict(each) for each in crews],
        "constants": structs.asdict(constants),
        "cold_ready_seconds": round((cold.ready_at or 0.0) - cold.started_at, 1),
        "void": [fault for each in crews for fault in each.void],
    }


async def crew(site: Site, settings: Settings, workers: Sequence[StandingWorker]) -> Crew:
    """Have these workers judge all sends together."""
    sends = site.truth.counts["sends"]
    began_at = time.time()
    broker = Course(began_at)
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        ledger = await stack.enter_async_context(following(settings))
        watching = asyncio.create_task(watch_broker(site.kafka.pid, broker))
        try:
            await ledger.reaches(sends, workers[0])
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
    for worker in workers:
        worker.check_end()
    found = await progress(settings, "sends", began_at)
    void = await faults(settings, site.truth.flags, site.on, site.truth.counts)
    made = figures_of(found, [worker.course for worker in workers], broker)
    names = settings.topics
    site.tell(f"{len(workers)} at work: {made['per_second']:,.0f} sends a second, {made['cost']:.1f} CPU-µs each")
    return Crew(
        workers=len(workers), **made, peak_mb=round(max(worker.course.peak_mb for worker in workers), 1),
        disk_bytes=sum(bytes_in(worker.folder / "state") for worker in workers),
        ledger_bytes=site.stored(names.name("ledger")) / sends, flag_bytes=site.stored(names.name("flags")) / sends,
        void=void,
    )  # fmt: skip


def figures_of(sends: Progress, courses: Sequence[Course], broker: Course) -> dict[str, Any]:
    """Rates and costs of the steady stretch."""
    begins_at, ends_at = steady_from(sends), sends.last_at
    count, seconds = max(sends.after(begins_at), 1), max(ends_at - begins_at, 0.001)
    used = sum(course.cpu_at(ends_at) - course.cpu_at(begins_at) for course in courses)
    core = sum(course.core_at(ends_at) - course.core_at(begins_at) for course in courses)
    return {
        "per_second": round(count / seconds),
        "cost": round(used / count * MICRO, 2),
        "broker": round((broker.cpu_at(ends_at) - broker.cpu_at(begins_at)) / count * MICRO, 2),
        "others_on_cores": round(max(0.0, core - used) / seconds / len(courses), 2),
    }


async def watch_broker(pid: int, course: Course) -> None:
    """Note the broker's CPU time as it goes on."""
    while True:
        course.looks.append((time.time(), cpu_of(pid), 0.0))
        await asyncio.sleep(LOOK_SECONDS)


def constants_of(site: Site, crews: Sequence[Crew], cold: Course, facts: Progress, disk_cold: int) -> Constants:
    """Everything per send, per fact, per recipient."""
    alone, counts, wish = crews[0], site.truth.counts, site.wish
    first_at = facts.ranges[0][0]
    folding = cold.cpu_at(facts.last_at) - cold.cpu_at(first_at)
    return Constants(
        sends=counts["sends"], recipients=wish.recipients, workers=len(crews),
        send_cpu_us=alone.cost,
        yardstick_ratio=round(MICRO / alone.cost / site.yardstick, 3),
        scale_cost=round(crews[-1].cost / alone.cost, 3),
        fact_cpu_us=round(folding / max(facts.after(first_at), 1) * MICRO, 2),
        facts_per_recipient=round((counts["consents"] + counts.get("replies", 0)) / wish.recipients, 3),
        recipient_disk_bytes=round(disk_cold / wish.recipients, 1),
        send_disk_bytes=round(max(0, alone.disk_bytes - disk_cold) / counts["sends"], 1),
        peak_mb=round(max(cold.peak_mb, alone.peak_mb)),
        send_bytes=round(site.stored("sms.sends") / counts["sends"], 1),
        ledger_bytes=round(alone.ledger_bytes, 1),
        flag_bytes=round(alone.flag_bytes, 1),
        broker_cpu_us=alone.broker,
    )  # fmt: skip


def bytes_in(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def as_lines(found: dict[str, Any]) -> list[str]:
    """For people."""
    head = f"{'workers':<9}{'sends/s':>10}{'CPU-µs/send':>13}{'broker’s':>10}{'peak MB':>9}{'others on cores':>17}"
    lines = [head]
    lines += [
        f"{each['workers']:<9}{each['per_second']:>10,.0f}{each['cost']:>13.1f}{each['broker']:>10.1f}"
        f"{each['peak_mb']:>9,.0f}{each['others_on_cores']:>17.0%}"
        for each in found["crews"]
    ]
    return [*lines, "", *(f"{name:<24}{value:>12,}" for name, value in found["constants"].items())]
