"""`make bench ARGS='--model'`: what a province and the nation need, computed from the constants that were measured.

Belongs here: the arithmetic, and the few assumptions that nobody can measure for others (`Place`). Not here: measuring
(`scale_out.py`), keeping (`results.py`). Pure.

The constants are of one machine's core and of this traffic (texts, shares of classes, flags): measure your own.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from bench.scale_out import Constants

HEADROOM = 0.5  # of a core is for judging what comes; the rest to catch up with, and for a neighbour that fails
PARTITIONS_A_WORKER = 4
COPIES = 3  # of each partition
KEPT_HOURS = 72 + 24  # that a send stays in the worker's store
SENDS_DAYS, LEDGER_DAYS = 190, 400  # retention
READERS_OF_FLAGS = 2  # the owner of the partition, and one downstream
DAY = 86_400
GIGABYTE, MEGABYTE = 1e9, 1e6


class Place(Struct, frozen=True):
    """For whom: sends a second at the peak, recipients ever seen, and the mean of a day as a part of the peak."""

    name: str
    peak: float
    recipients: float
    mean: float = 0.4


PLACES = (Place("province", 50_000, 60e6), Place("nation", 500_000, 1_000e6))


class Needs(Struct):
    """What it takes. Traffic in MB a second at the peak, disk in GB unless named TB, times in minutes."""

    cores: int
    partitions: int
    sends_per_worker: float
    in_mb: float
    between_mb: float
    out_mb: float
    broker_cores: float
    broker_disk_tb: float
    store_gb: float
    store_gb_per_worker: float
    memory_gb: float
    rebuild_all_minutes: float
    catch_up_hour_minutes: float


def needs(known: Constants, place: Place) -> Needs:
    """Workers, broker and disks for a place."""
    send_us = known.send_cpu_us * max(known.scale_cost, 1.0)
    cores = ceil(place.peak * send_us / 1e6 / HEADROOM)
    written = known.ledger_bytes + known.flag_bytes
    taken = place.peak * (known.send_bytes + written)
    read = place.peak * (known.send_bytes + known.ledger_bytes + READERS_OF_FLAGS * known.flag_bytes)
    per_day = place.peak * place.mean * DAY
    kept_on_broker = per_day * ((known.send_bytes + known.flag_bytes) * SENDS_DAYS + known.ledger_bytes * LEDGER_DAYS)
    kept_sends = per_day * KEPT_HOURS / 24
    store = place.recipients * known.recipient_disk_bytes + kept_sends * known.send_disk_bytes
    facts = place.recipients * known.facts_per_recipient
    return Needs(
        cores=cores,
        partitions=partitions_for(cores),
        sends_per_worker=place.peak / cores,
        in_mb=taken / MEGABYTE,
        between_mb=taken * (COPIES - 1) / MEGABYTE,
        out_mb=read / MEGABYTE,
        broker_cores=place.peak * known.broker_cpu_us * COPIES / 1e6,
        broker_disk_tb=kept_on_broker * COPIES / GIGABYTE / 1000,
        store_gb=store / GIGABYTE,
        store_gb_per_worker=store / cores / GIGABYTE,
        memory_gb=known.peak_mb * cores / 1000,
        rebuild_all_minutes=facts * known.fact_cpu_us / 1e6 / cores / 60,
        catch_up_hour_minutes=60 * place.mean / (1 / HEADROOM - place.mean),
    )


def partitions_for(cores: int) -> int:
    """Four and more for each worker, in dozens, which many numbers of workers share out evenly."""
    return ceil(cores * PARTITIONS_A_WORKER / 12) * 12


LINES = (
    ("sends a second at the peak", "peak", "{:,.0f}"),
    ("recipients, millions", "recipients", "{:,.0f}"),
    ("workers, a core each", "cores", "{:,}"),
    ("partitions, at least", "partitions", "{:,}"),
    ("sends a second per worker at the peak", "sends_per_worker", "{:,.0f}"),
    ("memory of all workers, GB", "memory_gb", "{:,.1f}"),
    ("stores of all workers, GB", "store_gb", "{:,.0f}"),
    ("  of one, GB", "store_gb_per_worker", "{:,.0f}"),
    ("broker takes, MB/s", "in_mb", "{:,.1f}"),
    ("broker gives to readers, MB/s", "out_mb", "{:,.1f}"),
    ("brokers copy among themselves, MB/s", "between_mb", "{:,.1f}"),
    ("broker CPU, cores", "broker_cores", "{:,.1f}"),
    ("broker disk, all copies, TB", "broker_disk_tb", "{:,.1f}"),
    ("all stores anew from Kafka, minutes", "rebuild_all_minutes", "{:,.1f}"),
    ("catching up with an hour's stop, minutes", "catch_up_hour_minutes", "{:,.0f}"),
)


def as_lines(known: Constants) -> list[str]:
    """A table, a place a column."""
    rows: dict[str, dict[str, Any]] = {}
    for place in PLACES:
        found = needs(known, place)
        rows[place.name] = {each: getattr(found, each) for each in found.__struct_fields__}
        rows[place.name] |= {"peak": place.peak, "recipients": place.recipients / 1e6}
    lines = ["| |" + "".join(f" {name} |" for name in rows), "|---|" + "---:|" * len(rows)]
    for title, field, form in LINES:
        lines.append(f"| {title} |" + "".join(f" {form.format(row[field])} |" for row in rows.values()))
    return lines
