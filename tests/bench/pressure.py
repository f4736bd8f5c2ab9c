"""`make bench ARGS='--pressure'`: twice the load that a worker can take, then an ordinary one, seen from outside.

Belongs here: the two loads, what is looked at meanwhile, and what must hold. Not here: keeping the schedule
(`gateway.py`).

    best       the rate at which this worker judged a backlog just before
    pressure   twice that is written for a while, whatever becomes of it: lag must grow, `/metrics` must tell it,
               memory must not grow with it
    calm       then 45 % of it goes on: while there is lag, the worker must do twice what arrives
    the end    all else is written and judged; the flags of all sends are the expected ones, or all is void
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
from msgspec import Struct, structs

from bench.gateway import Asked, Gateway, Play
from bench.outcome import faults
from bench.site import Site, best_rate, following

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.site import Ledger, StandingWorker

BACKLOG, REST = 0.3, 0.05  # of all sends: to find the best rate; left for the end
TIMES, CALM = 2.0, 0.45  # the best rate
DRAINING = 2.5  # the calm lasts so many times as long as the pressure
SECONDS = 20.0
LOOK_SECONDS = 0.5
MEMORY_GROWTH, MORE_MB = 1.25, 50.0
DRAINED = 1.0  # second of arrivals: no backlog any more
LAG = re.compile(r'^sendwatch_consumer_lag_records\{.*topic="[^"]*sends".*\} (\S+)$', re.MULTILINE)


class Look(Struct):
    """What could be seen at a moment; `told`: the lag by /metrics, None where the page did not come."""

    at: float
    accounted: int
    resident_mb: float
    ready: bool
    told: float | None


class Outcome(Struct):
    """How it went. Rates in sends a second, `lag` in sends; `drained_times`: work done over arrivals while there was
    lag after the pressure, `drained_after` seconds (0: not within the calm).
    """

    best_per_second: float
    offered_times: float
    seconds: float
    lag_most: float
    lag_told_most: float
    resident_before_mb: float
    resident_most_mb: float
    ready_looks: float
    pages_missed: float
    calm_per_second: float
    drained_times: float
    drained_after: float
    others: float = 0.0  # the part of the worker's core that others used: noise


async def measure(site: Site) -> dict[str, Any]:
    """Put one worker under pressure and let it recover."""
    stage = site.own_sends(1)
    await stage.make_topics()
    names, sends = stage.settings.topics, site.wish.sends
    looks: list[Look] = []
    async with Gateway(site.kafka.bootstrap, "sms.sends", names.name("sends"), names.partitions) as gateway:
        await gateway.play(BACKLOG)
        async with following(stage.settings) as ledger, site.worker(stage, "pressure") as worker:
            await worker.ready()
            await ledger.reaches(gateway.written, worker)
            best, before = await best_rate(stage.settings), gateway.written
            site.tell(f"it judges {best:,.0f} sends a second from a backlog")
            seconds = min(SECONDS, (1 - BACKLOG - REST) * sends / (best * (TIMES + CALM * DRAINING)))
            watching = asyncio.create_task(watch(worker, ledger, looks))
            try:
                pressure, calm = await gateway.play_on(
                    Asked(TIMES * best * seconds / sends, seconds),
                    Asked(CALM * best * seconds * DRAINING / sends, seconds * DRAINING),
                )
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
            await gateway.play(1.0)
            await ledger.reaches(gateway.written, worker)
        void = await faults(stage.settings, site.truth.flags, site.on, site.truth.counts)
    resident = [mb for at, mb in worker.resident if at < pressure.began_at]
    outcome = outcome_of(best, before, pressure, calm, looks, max(resident))
    course, seconds = worker.course, max(calm.ended_at - pressure.began_at, 0.001)
    core, used = (at(calm.ended_at) - at(pressure.began_at) for at in (course.core_at, course.cpu_at))
    outcome.others = round(max(0.0, core - used) / seconds, 2)
    return {"outcome": structs.asdict(outcome), "unmet": unmet(outcome), "void": void}


async def watch(worker: StandingWorker, ledger: Ledger, looks: list[Look]) -> None:
    """Look at it as its operators may, again and again."""
    while True:
        worker.check()
        ready, told = False, None
        with suppress(aiohttp.ClientError, TimeoutError):
            ready = (await worker.page("/-/ready"))[0] == 200
            told = sum(map(float, LAG.findall((await worker.page("/metrics"))[1])))
        accounted = await ledger.accounted()
        looks.append(Look(time.time(), accounted, worker.resident[-1][1], ready, told))
        await asyncio.sleep(LOOK_SECONDS)


def outcome_of(
    best: float, before: int, pressure: Play, calm: Play, looks: Sequence[Look], resident_mb: float
) -> Outcome:
    """Put together what was seen; `before`: sends written before the pressure, `resident_mb`: the most until then."""

    def lag(look: Look) -> float:
        return before + pressure.due_by(look.at) + calm.due_by(look.at) - look.accounted

    under = [look for look in looks if pressure.began_at <= look.at <= calm.began_at]
    after = [look for look in looks if calm.began_at <= look.at <= calm.ended_at]
    arrives = calm.records / calm.seconds
    drained = next((look for look in after if lag(look) <= arrives * DRAINED), None)
    until = drained or (after[-1] if after else None)
    times = 0.0
    if until is not None and after and until.at > after[0].at:
        times = (until.accounted - after[0].accounted) / (until.at - after[0].at) / arrives
    return Outcome(
        best_per_second=round(best),
        offered_times=round(pressure.offered / best, 2), seconds=round(pressure.seconds, 1),
        lag_most=round(max(map(lag, looks), default=0)),
        lag_told_most=max((look.told or 0.0 for look in looks), default=0.0),
        resident_before_mb=round(resident_mb),
        resident_most_mb=round(max((each.resident_mb for each in looks), default=0)),
        ready_looks=round(sum(each.ready for each in under) / max(len(under), 1), 2),
        pages_missed=round(sum(each.told is None for each in looks) / max(len(looks), 1), 2),
        calm_per_second=round(arrives), drained_times=round(times, 2),
        drained_after=round(drained.at - calm.began_at, 1) if drained else 0.0,
    )  # fmt: skip


def unmet(found: Outcome) -> list[str]:
    """What should have held and did not."""
    told = []
    if found.offered_times < 0.9 * TIMES:
        told.append(f"only {found.offered_times:.1f} times its best was offered: gateway or broker are the limit")
    if found.resident_most_mb > max(found.resident_before_mb * MEMORY_GROWTH, found.resident_before_mb + MORE_MB):
        told.append(f"memory grew from {found.resident_before_mb:.0f} to {found.resident_most_mb:.0f} MB")
    if found.lag_told_most < found.lag_most / 2:
        told.append(f"/metrics told of {found.lag_told_most:,.0f} sends of lag, there were {found.lag_most:,.0f}")
    if found.ready_looks < 0.9:
        told.append(f"it was ready in {found.ready_looks:.0%} of the looks only")
    if found.drained_times < 2.0:
        told.append(f"it drained at {found.drained_times:.1f} times the arrivals")
    return told


def as_lines(found: dict[str, Any]) -> list[str]:
    """For people."""
    each = found["outcome"]
    return [
        f"judges {each['best_per_second']:,} sends a second from a backlog",
        f"{each['offered_times']:.1f} times that for {each['seconds']:.1f} s",
        f"lag {each['lag_most']:,.0f} sends at most, {each['lag_told_most']:,.0f} by /metrics",
        f"ready in {each['ready_looks']:.0%} of the looks; {each['pages_missed']:.0%} of the pages did not come",
        f"memory {each['resident_before_mb']:,} MB at most before, {each['resident_most_mb']:,} MB since",
        f"then {each['calm_per_second']:,} a second: worked at {each['drained_times']:.1f} times that",
        f"others used {each['others']:.0%} of the worker's core",
        f"level after {each['drained_after']:.1f} s" if each["drained_after"] else "not level when it ended",
        *(f"UNMET: {line}" for line in found["unmet"]),
    ]
