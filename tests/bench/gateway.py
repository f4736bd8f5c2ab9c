"""Writes filled sends to a run's own topic on schedule, whatever becomes of them: `python -m bench.gateway …`.

Belongs here: the open loop. The schedule is fixed beforehand and never waits for anybody, so that a worker (or a
broker) that falls behind is seen as late and not as less work (no coordinated omission). Not here: what is late
(`latency.py`).

A play takes a part of each partition's sends, spread evenly over its seconds. What is due is written every tick; where
a batch is not taken at once, the next one is larger. Offsets tell which send is which: the first of a slice has
`first`, and all are written once (the producer is idempotent) and in their order.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Self

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import Struct, field

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    Slice = tuple[int, list[ConsumerRecord]]

TICK = 0.002
BATCH_BYTES = 512 * 1024
CHUNK = 2000
LINE = 1 << 20  # an answer of the process may be as long


class Play(Struct):
    """One stretch: `slices` are (first offset, sends) by partition; `late` how long after they were due, in seconds,
    the broker had taken sends: (median, 99 of 100, most).
    """

    began_at: float
    seconds: float
    slices: dict[int, tuple[int, int]]
    ended_at: float = 0.0
    late: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def records(self) -> int:
        """How many sends it wrote."""
        return sum(count for _, count in self.slices.values())

    @property
    def offered(self) -> float:
        """Sends a second that really came."""
        return self.records / max(self.ended_at - self.began_at, self.seconds, 0.001)

    def due_by(self, at: float) -> float:
        """How many sends were to be written by then."""
        return self.records * min(max((at - self.began_at) / max(self.seconds, 0.001), 0.0), 1.0)

    def due_at(self, partition: int, offset: int) -> float | None:
        """When a send was to be written; None where it is not one of these."""
        first, count = self.slices.get(partition, (0, 0))
        place = offset - first
        return self.began_at + (place + 0.5) * self.seconds / count if 0 <= place < count else None


class Asked(Struct):
    """What to play: this part of all sends, after those that were played before; at once where `seconds` is 0."""

    part: float
    seconds: float = 0.0


class Hand(Struct):
    """How far one partition is: all its sends, those played, and those at hand."""

    total: int
    played: int = 0
    records: list[ConsumerRecord] = field(default_factory=list)


class Gateway:
    """Starts the process and tells it what to play: `async with Gateway(…) as gateway: await gateway.play(0.2, 10)`."""

    def __init__(self, bootstrap: str, source: str, target: str, partitions: int) -> None:
        """`source` is the filled topic, `target` the run's own."""
        self._arguments = (bootstrap, source, target, str(partitions))
        self.written = 0

    async def __aenter__(self) -> Self:
        """Start it."""
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "bench.gateway", *self._arguments)
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=LINE)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def play(self, part: float, seconds: float = 0.0) -> Play:
        """Have that part of all sends played."""
        return (await self.play_on(Asked(part, seconds)))[0]

    async def play_on(self, *asked: Asked) -> list[Play]:
        """Have stretches played one right after the other: everything is read beforehand."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(asked) + b"\n")
        plays = msgspec.json.decode(await self._process.stdout.readline(), type=list[Play])
        self.written += sum(play.records for play in plays)
        return plays


class Player:
    """In the process: reads ahead of each play, and plays."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, target: str) -> None:
        """Bind started clients."""
        self._consumer, self._producer, self._target = consumer, producer, target
        self._hands: dict[TopicPartition, Hand] = {}

    async def begin(self, source: str, partitions: int) -> None:
        """Stand at the beginning of what was filled."""
        places = [TopicPartition(source, number) for number in range(partitions)]
        self._consumer.assign(places)
        await self._consumer.seek_to_beginning(*places)
        ends = await self._consumer.end_offsets(places)
        self._hands = {place: Hand(ends[place]) for place in places}

    async def choose(self, asked: Asked) -> tuple[float, dict[int, Slice]]:
        """Read what is asked for: the seconds, and by partition the first offset to be and the records."""
        chosen: dict[int, Slice] = {}
        for place, hand in self._hands.items():
            count = min(round(hand.total * asked.part), hand.total - hand.played)
            chosen[place.partition] = hand.played, await self._take(place, hand, count)
            hand.played += count
        return asked.seconds, chosen

    async def play(self, seconds: float, chosen: dict[int, Slice]) -> Play:
        """Write it as it falls due."""
        slices = {number: (first, len(records)) for number, (first, records) in chosen.items()}
        play = Play(time.time() + TICK, seconds, slices)
        late: list[float] = []
        await asyncio.gather(*(self._write(number, records, play, late) for number, (_, records) in chosen.items()))
        play.ended_at = time.time()
        late.sort()
        if late:
            play.late = (late[len(late) // 2], late[len(late) * 99 // 100], late[-1])
        return play

    async def _take(self, place: TopicPartition, hand: Hand, count: int) -> list[ConsumerRecord]:
        while len(hand.records) < count:
            hand.records += (await self._consumer.getmany(place, timeout_ms=200)).get(place, [])
        taken, hand.records = hand.records[:count], hand.records[count:]
        return taken

    async def _write(self, number: int, records: list[ConsumerRecord], play: Play, late: list[float]) -> None:
        every = play.seconds / max(len(records), 1)
        flight: list[asyncio.Future[object]] = []
        at = 0
        while at < len(records):
            now = time.time()
            due = len(records) if not every else min(len(records), int((now - play.began_at) / every + 0.5))
            if due <= at:
                await asyncio.sleep(TICK - now % TICK)  # all partitions at once: their batches share a request
                continue
            batch, first = self._producer.create_batch(), at
            while at < min(due, first + CHUNK):
                record = records[at]
                if batch.append(timestamp=record.timestamp, key=record.key, value=record.value) is None:
                    break
                at += 1
            sent = await self._producer.send_batch(batch, self._target, partition=number)
            flight.append(sent)
            if every:
                dues = [play.began_at + (place + 0.5) * every for place in range(first, at)]
                sent.add_done_callback(lambda _, dues=dues: late.extend(time.time() - each for each in dues))
        await asyncio.gather(*flight)


async def serve(bootstrap: str, source: str, target: str, partitions: int) -> None:
    """Play what standard input asks for, a line each; answer a line each."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    options = {"bootstrap_servers": bootstrap}
    writing = {"acks": "all", "enable_idempotence": True, "compression_type": "zstd", "max_batch_size": BATCH_BYTES}
    async with (
        AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False) as consumer,
        AIOKafkaProducer(**options, **writing, linger_ms=0) as producer,
    ):
        player = Player(consumer, producer, target)
        await player.begin(source, partitions)
        while line := await reader.readline():
            chosen = [await player.choose(asked) for asked in msgspec.json.decode(line, type=list[Asked])]
            plays = [await player.play(seconds, records) for seconds, records in chosen]
            sys.stdout.buffer.write(msgspec.json.encode(plays) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
