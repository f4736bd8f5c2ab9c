"""How the worker stands, told to the metrics on a timer: lag, positions, event time, tables. No Kafka I/O.

Belongs here: reading off what the worker knows anyway. Not here: counting batches (`metrics.py`).

    lag        from the offset accounted for to the end of the topic, be it fetched or held
    seconds    since the oldest record not yet read was written. Nobody has seen that one: it is not older than the
               record read last, nor than the moment when nothing was left to read
    watermark  up to when sends are judged: event time where some wait, now where none do (a partition of which
               nobody gets a message holds nobody back)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.worker.owned import SOURCES

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from sendwatch.metrics import Metrics
    from sendwatch.worker.owned import Owned
    from sendwatch.worker.registries import Registries
    from sendwatch.worker.worker import Worker


def measure(worker: Worker, consumer: AIOKafkaConsumer, registries: Registries, metrics: Metrics, now: int) -> None:
    """Set every gauge; `now` in ms since 1970 UTC."""
    metrics.set_ready(worker.ready)
    _measure_registries(registries, metrics)
    if not worker.owned:
        metrics.disown()
        return
    behind: dict[str, float] = dict.fromkeys(SOURCES, 0.0)
    judged_until: list[int] = []
    assigned = consumer.assignment()
    for number, owned in worker.owned.items():
        for kind in SOURCES:
            place, known = worker.place(kind, number), owned.known(kind)
            fetched_end = consumer.highwater(place) if place in assigned else None
            lag = max(0, max(fetched_end or 0, owned.ends.get(kind, 0)) - known)
            metrics.set_lag(kind, number, lag)
            metrics.set_committed(kind, number, known)
            behind[kind] = max(behind[kind], _seconds_behind(owned, kind, lag, now))
            if kind == "sends":
                reached = owned.partition.position.standing.event_time or owned.read_at.get(kind, now)
                judged_until.append(reached if lag else now)
    for kind, seconds in behind.items():
        metrics.set_lag_seconds(kind, seconds)
    metrics.set_watermark("sends", min(judged_until))
    _measure_tables(worker, metrics)


def _seconds_behind(owned: Owned, kind: str, lag: int, now: int) -> float:
    if not lag:
        owned.level_at[kind] = now
        return 0.0
    since = max(owned.read_at.get(kind, 0), owned.level_at.get(kind, 0)) or owned.taken_at
    return max(0, now - since) / 1000


def _measure_tables(worker: Worker, metrics: Metrics) -> None:
    dossiers = sum(owned.partition.store.count() for owned in worker.owned.values())
    held = any(owned.held for owned in worker.owned.values())
    metrics.set_table("consents", keys=dossiers, recovering=held, newest_at=worker.newest.get("consents"))
    metrics.set_table("replies", recovering=held, newest_at=worker.newest.get("replies"))


def _measure_registries(registries: Registries, metrics: Metrics) -> None:
    for kind, records in registries.records.items():
        metrics.consumed_so_far(kind, records)
        newest = registries.newest.get(kind)
        metrics.set_table(kind, keys=registries.keys[kind], recovering=not registries.caught_up, newest_at=newest)
