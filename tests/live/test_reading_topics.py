"""Reading a stretch of a topic from a real broker, and being done with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine_builders import REGISTRIES, a_send
from sendwatch.demo import write
from sendwatch.simulate.truth import Message
from sendwatch.worker.evidence import read_topics

if TYPE_CHECKING:
    from sendwatch.demo.stage import Stage

PARTITIONS = 1


@pytest.mark.parametrize("_again", range(3))
async def test_what_explain_reads_it_reads_to_the_end_and_lets_go(stage: Stage, _again: int) -> None:
    """The consumer's fetcher is in the middle of a request when it is stopped, and stops."""
    events = [*REGISTRIES, *(a_send(f"s{number}") for number in range(20))]
    await write([Message(each.kind, each.key, each.value, each.timestamp) for each in events], stage)
    reading = asyncio.create_task(read_topics(stage.settings, 0, 7))
    await asyncio.wait({reading}, timeout=10)
    assert reading.done(), "it was not let go"
    case = reading.result()
    assert [send.offset for send in case.sends] == [7]
