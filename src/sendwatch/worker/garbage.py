"""Python's collector of cycles, by the clock: what a worker holds is long-lived, and little that it drops has cycles.

Belongs here: when the collector runs. By default it looked through all registries and all remembered texts again and
again: 20 % of a worker's CPU time while it judged, 52 % while it folded facts (500,000 sends, 1 M recipients, 21,000
filings; `make bench ARGS='--rules full --profile'` at 3f10b65 prints it).

Counting objects alone finds one kind of cycle too late: where the consumer is sought back, what aiokafka had fetched is
dropped half read, and hangs on the generator that was reading it: a handful of objects, and up to a megabyte. A worker
grew by 7 MB a minute, to 345 MB in half an hour at 2,900 sends a second.
"""

from __future__ import annotations

import asyncio
import gc
import itertools

YOUNG, MIDDLE, OLD = 1_000_000, 50, 100  # objects made; collections of the young; of the middle-aged
PAUSE_SECONDS = 30.0
ALL_AFTER = 10  # pauses


def rarely() -> None:
    """Collect after so many objects rather than after 700."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


async def collect_by_the_clock() -> None:
    """Collect what was made since the last time, every half minute; now and then all that was not set aside.

    All of it was 100 ms and more of standing still, once a worker remembered some 30,000 texts, and 0.4 s with 95,000:
    too long for every half minute (`make bench ARGS='--latency'`). What is half read in the moment of a collection
    counts as old, and is let go with all the rest.
    """
    for turn in itertools.count(1):
        await asyncio.sleep(PAUSE_SECONDS)
        gc.collect(2 if turn % ALL_AFTER == 0 else 1)


def set_aside() -> None:
    """Never look again through what is there now: modules, settings, registries."""
    gc.collect()
    gc.freeze()
