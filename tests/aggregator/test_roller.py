"""What a process of the first stage does about records that Kafka does not take."""

from __future__ import annotations

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from engine_builders import settings_of
from sendwatch import ledger
from sendwatch.aggregator.roller import Roller
from sendwatch.aggregator.rollups import Accepted, Rolling
from sendwatch.app import _metrics
from sendwatch.engine.judging import prepare
from sendwatch.kafka.publish import RecordTooLargeError
from windows_builders import NOW, a_record, a_tally


class Full:
    """A producer whose server takes nothing so large, and a consumer to whom nothing comes."""

    async def send_and_wait(self, _topic: str, value: bytes, partition: int) -> None:
        """Refuse."""
        raise MessageSizeTooLargeError(f"{len(value)} bytes, partition {partition}")

    async def getmany(self, *_places: object, timeout_ms: int) -> dict[object, list[object]]:
        """Nothing, at once."""
        assert timeout_ms == 0
        return {}


def a_roller(records: int) -> Roller:
    """One with so many records in hand, each of a lane of its own."""
    settings = settings_of()
    roller = Roller(settings, _metrics(settings, prepare(settings)))
    roller._accepted = Accepted()
    roller._rolling = Rolling("p", roller._accepted)
    roller._producer = roller._following = Full()
    roller._rolling.begin([0])
    for offset in range(records):
        value = ledger.encode(a_record(NOW, [a_tally(signature=f"名{offset}")]))
        assert roller._rolling.take(0, offset, NOW, value)
    return roller


async def test_of_what_is_too_large_it_takes_half() -> None:
    """From where the topic says on, with nothing in hand."""
    roller = a_roller(10)
    assert not await roller._write(0)
    assert roller._rolling.most == 5
    assert not roller.ready


async def test_one_record_that_is_too_large_ends_it() -> None:
    """There is nothing less to take."""
    with pytest.raises(RecordTooLargeError):
        await a_roller(1)._write(0)
