"""How the worker stands, told to the metrics on a timer: lag, positions, event time, tables. No Kafka I/O.

Belongs here: reading off what the worker knows anyway. Not here: counting batches (`metrics.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.engine.batch import FACTS

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from sendwatch.engine.registries import Registries
    from sendwatch.engine.worker import Owned, Worker
    from sendwatch.metrics import Metrics


def measure(worker: Worker, consumer: AIOKafkaConsumer, registries: Registries, metrics: Metrics, now: int) -> None:
    """Set every gauge; `now` in ms since 1970 UTC."""
    metrics.set_ready(worker.ready)
    behind: dict[str, int] = {}
    for number, owned in worker.owned.items():
        for kind, committed in _positions(owned).items():
            lag = max(0, (consumer.highwater(worker.place(kind, number)) or committed) - committed)
            behind[kind] = behind.get(kind, 0) + lag
            metrics.set_lag(kind, number, lag)
            metrics.set_committed(kind, number, committed)
    for kind, lag in behind.items():
        newest = worker.newest.get(kind)
        metrics.set_lag_seconds(kind, (now - newest) / 1000 if lag and newest else 0.0)
    _measure_tables(worker, registries, metrics)
    times = [owned.partition.position.standing.event_time for owned in worker.owned.values()]
    if any(times):
        metrics.set_watermark("sends", min(time for time in times if time))


def _positions(owned: Owned) -> dict[str, int]:
    position = owned.partition.position
    facts = {kind: position.facts.get(kind, 0) for kind in FACTS}
    return {"sends": position.standing.positions.get("sends", 0), **facts}


def _measure_tables(worker: Worker, registries: Registries, metrics: Metrics) -> None:
    dossiers = sum(owned.partition.store.count() for owned in worker.owned.values())
    held = any(owned.held for owned in worker.owned.values())
    metrics.set_table("consents", keys=dossiers, recovering=held, newest_at=worker.newest.get("consents"))
    metrics.set_table("replies", recovering=held, newest_at=worker.newest.get("replies"))
    for kind, rows in registries.records.items():
        newest = registries.newest.get(kind)
        metrics.set_table(kind, keys=rows, recovering=not registries.caught_up, newest_at=newest)
