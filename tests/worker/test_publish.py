"""Publishing: explicit partitions, in order, all acknowledged, whatever fits into a batch and whatever fails."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError

from sendwatch.kafka.publish import Publisher, RecordTooLargeError
from sendwatch.outgoing import Message, Place, quarantine_message

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = {"flags": "x.sms.flags", "quarantine": "x.sms.quarantine", "ledger": "x.sms.ledger"}
ROOM = 1000


class BatchInMemory:
    """A batch with room for 1,000 bytes of values; as aiokafka's, it tells a full one by None."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, key: bytes, value: bytes, timestamp: None, headers: Any) -> object | None:
        if sum(map(len, self.values)) + len(value) > ROOM:
            return None
        self.values.append(value)
        return object()

    def record_count(self) -> int:
        return len(self.values)


class ProducerInMemory:
    """What it was sent, by topic and partition; every acknowledgement waits until `acknowledge`."""

    def __init__(self, errors: Sequence[Exception | None] = ()) -> None:
        self.sent: list[tuple[str, int, list[bytes]]] = []
        self.waiting: list[asyncio.Future[object]] = []
        self.errors = [*errors]

    def create_batch(self) -> BatchInMemory:
        return BatchInMemory()

    async def send_batch(self, batch: BatchInMemory, topic: str, *, partition: int) -> asyncio.Future[object]:
        self.sent.append((topic, partition, batch.values))
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    def acknowledge(self) -> None:
        for number, future in enumerate(self.waiting):
            error = self.errors[number] if number < len(self.errors) else None
            if error is None:
                future.set_result(object())
            else:
                future.set_exception(error)


def a_message(value: bytes, topic: str = "flags", partition: int = 3) -> Message:
    return Message(topic, partition, b"k", value, [("ce_id", b"1")])


async def publish(producer: ProducerInMemory, messages: Sequence[Message]) -> asyncio.Task[None]:
    """Start to publish, and go as far as it does without an acknowledgement."""
    task = asyncio.create_task(Publisher(producer, NAMES).publish(messages))
    for _ in range(20):
        await asyncio.sleep(0)
    return task


async def test_full_batches_lose_nothing() -> None:
    """What no longer fits begins the next batch; all values arrive, in their order, where they belong."""
    values = [b"%03d" % number * 40 for number in range(50)]
    producer = ProducerInMemory()
    task = await publish(producer, [a_message(value) for value in values])
    producer.acknowledge()
    await task
    assert [value for _, _, batch in producer.sent for value in batch] == values
    assert {(topic, partition) for topic, partition, _ in producer.sent} == {("x.sms.flags", 3)}
    assert len(producer.sent) == 7


async def test_partitions_and_topics_are_kept_apart() -> None:
    """Every record goes to the topic and the partition that it names."""
    messages = [a_message(b"1"), a_message(b"2", partition=0), a_message(b"3", "quarantine"), a_message(b"4")]
    producer = ProducerInMemory()
    task = await publish(producer, messages)
    producer.acknowledge()
    await task
    assert sorted(producer.sent) == [
        ("x.sms.flags", 0, [b"2"]),
        ("x.sms.flags", 3, [b"1", b"4"]),
        ("x.sms.quarantine", 3, [b"3"]),
    ]


async def test_nothing_is_sent_for_nothing() -> None:
    """No messages, no batch: an empty one would be an offset that nobody can explain."""
    producer = ProducerInMemory()
    await Publisher(producer, NAMES).publish([])
    assert producer.sent == []


async def test_it_returns_when_everything_is_acknowledged() -> None:
    """Not a moment before the last acknowledgement, of whichever batch and topic."""
    producer = ProducerInMemory()
    task = await publish(producer, [a_message(b"1"), a_message(b"2", "quarantine")])
    assert len(producer.sent) == 2
    producer.waiting[0].set_result(object())
    await asyncio.sleep(0)
    assert not task.done()
    producer.waiting[1].set_result(object())
    await task


async def test_a_batch_that_fails_is_an_error() -> None:
    """Whichever of several batches is not taken, the caller hears of it."""
    producer = ProducerInMemory([None, KafkaTimeoutError(), None])
    task = await publish(producer, [a_message(b"%d" % number * 900) for number in range(3)])
    producer.acknowledge()
    with pytest.raises(KafkaTimeoutError):
        await task


async def test_of_several_failures_every_one_is_heard() -> None:
    """The first that waiting cannot mend is told, with their number; none is left for the loop to complain of."""
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    errors = [KafkaTimeoutError(), TopicAuthorizationFailedError("first"), None, TopicAuthorizationFailedError("last")]
    producer = ProducerInMemory(errors)
    task = await publish(producer, [a_message(b"%d" % number * 900) for number in range(4)])
    producer.acknowledge()
    with pytest.raises(TopicAuthorizationFailedError, match="first") as told:
        await task
    assert told.value.__notes__ == ["3 batches were not taken"]
    producer.waiting.clear()
    del task
    gc.collect()
    await asyncio.sleep(0)
    assert unheard == []


async def test_it_waits_for_the_others_when_one_fails() -> None:
    """Or what is tried again could overtake what is still under way."""
    producer = ProducerInMemory()
    task = await publish(producer, [a_message(b"1"), a_message(b"2", partition=0)])
    producer.waiting[0].set_exception(KafkaTimeoutError())
    await asyncio.sleep(0.01)
    assert not task.done()
    producer.waiting[1].set_result(object())
    with pytest.raises(KafkaTimeoutError):
        await task


async def test_what_was_sent_before_a_producer_refused_more_is_awaited() -> None:
    """Its buffer is full: the batches that it took are waited for nevertheless."""
    producer = ProducerInMemory()
    send_batch = producer.send_batch

    async def full_after_one(*args: Any, **named: Any) -> Any:
        if producer.sent:
            raise KafkaTimeoutError
        return await send_batch(*args, **named)

    producer.send_batch = full_after_one  # type: ignore[method-assign]
    task = await publish(producer, [a_message(b"%d" % number * 900) for number in range(3)])
    assert not task.done()
    producer.acknowledge()
    with pytest.raises(KafkaTimeoutError):
        await task


async def test_a_record_that_fits_nowhere_is_told_without_its_content() -> None:
    """It is named by topic, partition and size."""
    producer = ProducerInMemory()
    with pytest.raises(RecordTooLargeError, match=r"flags/3.* 1001 bytes") as told:
        await Publisher(producer, NAMES).publish([a_message(b"s" * (ROOM + 1))])
    assert "sss" not in str(told.value)


def test_a_refused_record_of_the_largest_size_can_be_quarantined() -> None:
    """The largest record that a topic takes by default can be told in quarantine, payload included, within that."""
    largest = b"x" * 1_048_000
    message = quarantine_message(Place("sms.sends", 0, 1), "too_large", "1048000 bytes", largest, payload=True)
    assert len(message.value) < 1_048_000
