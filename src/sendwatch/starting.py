"""A service that may be asked to stop while it still starts.

Belongs here: that whoever stops a service can wait for what it has under way. Not here: the services.

A service of mode begins its tasks when it has started, and another task stops it at any time. Where it is to stop by
then, or could not start, its tasks never begin: whoever waited for their end would wait for ever.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mode import Service


def at_rest() -> asyncio.Event:
    """Set while a task of a service neither runs nor is about to: cleared by `starting`, to be set where it ends."""
    event = asyncio.Event()
    event.set()
    return event


@contextmanager
def starting(service: Service, *ended: asyncio.Event) -> Iterator[None]:
    """The part of `on_start` that `on_stop` waits for, with the tasks that follow; each sets one of `ended`."""
    for event in ended:
        event.clear()
    will_begin = False
    try:
        yield
        will_begin = not service.should_stop
    finally:
        if not will_begin:
            for event in ended:
                event.set()
