"""Where a story goes: files, or Kafka. What is written is the messages as they are, whatever they hold."""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode, b64encode
from collections import deque
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from sendwatch.kafka import clients
from sendwatch.partitions import partitions_of
from sendwatch.simulate.truth import Message, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from aiokafka import AIOKafkaProducer

    from sendwatch.simulate.story import Story

_CHUNK: Final = 1000  # messages made at a stretch: some 30 ms in which nothing else runs
_IN_FLIGHT: Final = 64  # batches not acknowledged yet
_DEFAULTS: Final[dict[str, Any]] = {"idempotence": False, "max_batch_size": 256 * 1024, "linger_ms": 0}

_line: Final = msgspec.json.Encoder().encode


def write_files(story: Story, folder: Path) -> Truth:
    """Write `<kind>.jsonl` for each topic, and `truth.jsonl`. A value that is no UTF-8 is in base64."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, BinaryIO] = {}
    with ExitStack() as stack:
        for messages in (story.facts(), story.sends()):
            for message in messages:
                if message.kind not in files:
                    path = folder / f"{message.kind}.jsonl"
                    files[message.kind] = stack.enter_context(path.open("wb"))
                files[message.kind].write(_line(_shown(message)) + b"\n")
    truth = story.truth
    with (folder / "truth.jsonl").open("wb") as file:
        for line in _told(truth):
            file.write(_line(line) + b"\n")
    return truth


def read_file(path: Path) -> Iterator[Message]:
    """The messages of one file of `write_files`."""
    with path.open("rb") as file:
        for line in file:
            shown = msgspec.json.decode(line)
            value = shown["value"].encode() if "value" in shown else None
            if "base64" in shown:
                value = b64decode(shown["base64"])
            key = shown["key"].encode() if "key" in shown else None
            yield Message(path.stem, key, value, shown["timestamp"], shown.get("partition"))


def _shown(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {"timestamp": message.timestamp}
    if message.key is not None:
        shown["key"] = message.key.decode()
    if message.value is not None:
        try:
            shown["value"] = message.value.decode()
        except UnicodeDecodeError:
            shown["base64"] = b64encode(message.value).decode()
    if message.partition is not None:
        shown["partition"] = message.partition
    return shown


def _told(truth: Truth) -> Iterator[dict[str, Any]]:
    for (recipient, send), rules in truth.flags.items():
        yield {"recipient": recipient, "send": send, "flags": sorted(rules)}
    for refused, count in truth.quarantine.items():
        yield {"quarantine": refused._asdict(), "count": count}
    yield {"planted": truth.planted, "counts": truth.counts}


async def write_kafka(
    story: Story,
    bootstrap: str,
    topics: Mapping[str, str],
    partitions: int | Mapping[str, int],
    rate: float | None = None,
    **options: Any,
) -> int:
    """Write the facts as fast as can be, then the sends at `rate` a second (None: as fast); return how many.

    `topics` and `partitions` are by kind. `options` are the producer's: security, compression and so on.
    """
    async with clients.producer({"bootstrap_servers": bootstrap}, **_DEFAULTS | options) as producer:
        written = await pour(story.facts(), producer, topics, partitions)
        return written + await pour(story.sends(), producer, topics, partitions, rate)


async def pour(
    messages: Iterable[Message],
    producer: AIOKafkaProducer,
    topics: Mapping[str, str],
    partitions: int | Mapping[str, int],
    rate: float | None = None,
    acknowledged: Callable[[str, int], None] | None = None,
) -> int:
    """Write messages in their order; return when the last is acknowledged. A batch that fails raises.

    `acknowledged` is told of each batch's topic kind and number of records when the broker has it.
    """
    source = iter(messages)
    chunk = _CHUNK if rate is None else max(1, min(_CHUNK, int(rate / 20)))
    flight = _Flight(producer, acknowledged)
    written, begun = 0, time.monotonic()
    while some := list(islice(source, chunk)):
        if rate is not None:
            await asyncio.sleep(max(0.0, begun + written / rate - time.monotonic()))
        for (kind, partition), share in _shares(some, partitions).items():
            await flight.send(kind, topics[kind], partition, share)
        written += len(some)
        await asyncio.sleep(0)
    await flight.land()
    return written


def _shares(messages: list[Message], partitions: int | Mapping[str, int]) -> dict[tuple[str, int], list[Message]]:
    """The messages by topic kind and partition: their key's, unless they say another; without a key the first."""
    by_kind: dict[str, list[Message]] = {}
    for message in messages:
        by_kind.setdefault(message.kind, []).append(message)
    shares: dict[tuple[str, int], list[Message]] = {}
    for kind, some in by_kind.items():
        count = partitions if isinstance(partitions, int) else partitions[kind]
        own = partitions_of([message.key or b"" for message in some], count)
        for message, partition in zip(some, own, strict=True):
            place = message.partition
            if place is None:
                place = 0 if message.key is None else partition
            shares.setdefault((kind, place), []).append(message)
    return shares


class _Flight:
    """Batches on their way. Order within a partition is the order of sending."""

    def __init__(self, producer: AIOKafkaProducer, acknowledged: Callable[[str, int], None] | None) -> None:
        self.producer, self.acknowledged = producer, acknowledged
        self.pending: deque[tuple[asyncio.Future[Any], str, int]] = deque()

    async def send(self, kind: str, topic: str, partition: int, messages: list[Message]) -> None:
        batch = self.producer.create_batch()
        for message in messages:
            fields = {"timestamp": message.timestamp, "key": message.key, "value": message.value}
            if batch.append(**fields) is None:  # full: nothing was taken
                await self._depart(batch, kind, topic, partition)
                batch = self.producer.create_batch()
                if batch.append(**fields) is None:
                    raise ValueError(f"a record of {len(message.value or b'')} bytes fits no batch")
        await self._depart(batch, kind, topic, partition)

    async def _depart(self, batch: Any, kind: str, topic: str, partition: int) -> None:
        future = await self.producer.send_batch(batch, topic, partition=partition)
        self.pending.append((future, kind, batch.record_count()))
        while len(self.pending) > _IN_FLIGHT:
            await self._first()

    async def land(self) -> None:
        while self.pending:
            await self._first()

    async def _first(self) -> None:
        future, kind, count = self.pending.popleft()
        await future
        if self.acknowledged is not None:
            self.acknowledged(kind, count)
