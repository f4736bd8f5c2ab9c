"""Adding up the whole ledger from outside, reading only: what is open, who leads, what is budding.

Belongs here: one pass over the ledger and the registries, by anybody with read access. Not here: the fold that runs
live and publishes (`aggregator.py`), how the answer is shown (`report/breaches.py`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.aggregator.follow_ledger import DAY, LedgerStream
from sendwatch.aggregator.ledger_fold import Folding
from sendwatch.aggregator.rollup_fold import RollupFolding
from sendwatch.engine.judging import REGISTRY_KINDS, prepare
from sendwatch.engine.limits import limits_of
from sendwatch.engine.store import MemoryStore
from sendwatch.kafka import clients, connection
from sendwatch.windows.board import Board
from sendwatch.worker.registries import Registries

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from sendwatch.outgoing import Message
    from sendwatch.registry import Registry
    from sendwatch.settings import Settings

REACH = 31 * DAY
WAIT_MS = 300


class Added(Struct):
    """The whole ledger added up: the board, all that opened and closed on the way, records folded and left out."""

    board: Board
    registry: Registry
    told: list[Message]
    records: int
    void: int


def since_of(settings: Settings) -> int | None:
    """From when on (ms) a fold that begins anew reads the ledger; None: all of it, since its times are simulated."""
    return None if settings.topics.timestamps == "producer" else int(time.time() * 1000) - REACH


def folding_of(settings: Settings) -> type[Folding]:
    """What folds what is read: the ledger, or the rollups of it."""
    return RollupFolding if settings.breaches.rollups else Folding


def stream_of(settings: Settings, consumer: AIOKafkaConsumer) -> LedgerStream:
    """What is read to add everything up: the ledger, or the rollups of it."""
    if settings.breaches.rollups:
        return LedgerStream(consumer, settings.topics.name("rollups"), [0])
    return LedgerStream(consumer, settings.topics.name("ledger"), range(settings.topics.partitions))


async def add_up(settings: Settings) -> Added:
    """Read the registries and the ledger as they stand now, and add everything up."""
    judging = prepare(settings)
    options = await connection.reach(settings.kafka, "adding up the ledger")
    names = {kind: settings.topics.name(kind) for kind in REGISTRY_KINDS}
    wait = {"auto_offset_reset": "earliest", "fetch_max_wait_ms": WAIT_MS}
    following, reading = clients.consumer(options, **wait), clients.consumer(options, **wait)
    async with following, reading:
        registries = Registries(following, judging, names)
        await registries.start()
        while not registries.caught_up:
            await registries.follow(WAIT_MS)
        board = Board(limits_of(settings), registries.alikes.imitated)
        folding, records = folding_of(settings)(board, MemoryStore()), 0
        stream = stream_of(settings, reading)
        await stream.start({}, since_of(settings))
        while True:
            taken = await stream.take(WAIT_MS)
            for record in taken:
                folding.take(record.partition, record.offset, record.value)
            records += len(taken)
            if not taken and stream.caught_up:
                return Added(board, judging.registry, folding.outbox, records, folding.void)
