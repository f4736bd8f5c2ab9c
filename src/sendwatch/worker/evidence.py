"""Where the records come from that `explain` needs: a file of JSON lines, or the topics themselves, read-only.

Belongs here: reading them. Not here: what they mean (`explain.py`).

A line of a file is `{"kind": "sends", "value": {…}, "timestamp": ms}`; `key` and `timestamp` may be left out where the
value tells them. A send may also stand by itself, as its own JSON object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sendwatch.engine.batch import FACTS
from sendwatch.engine.judging import REGISTRY_KINDS
from sendwatch.kafka import clients, connection
from sendwatch.kafka.log_reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import ConsumerRecord

    from sendwatch.settings import Settings

TIMES = ("sent_at", "received_at", "effective_at", "done_at", "valid_from")
RECIPIENT_KINDS = ("sends", *FACTS)


class Line(Struct):
    """One record, wherever it came from."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Case(Struct, frozen=True):
    """The sends to be explained, their partition (None: not known), and all records around them by topic kind."""

    number: int | None
    sends: list[Line]
    records: dict[str, list[Line]]


def read_lines(lines: Iterable[str]) -> Case:
    """The case that a file tells: every send in it is explained by all that stands in it.

    Raises ValueError with the line's number where a line is no such record.
    """
    records: dict[str, list[Line]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told: dict[str, Any] = msgspec.json.decode(line)
            kind, value = (told["kind"], told["value"]) if "kind" in told else ("sends", told)
            at = told.get("timestamp") or next((value[name] for name in TIMES if name in value), 0)
            key = told.get("key") or value.get("recipient") or value.get("id") or ""
        except (msgspec.DecodeError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"line {number}: not a record: {type(error).__name__}") from error
        of_kind = records.setdefault(kind, [])
        of_kind.append(Line(len(of_kind), at, key.encode(), msgspec.json.encode(value)))
    return Case(None, list(records.get("sends", [])), records)


async def read_topics(settings: Settings, number: int, offset: int) -> Case:
    """The case of one send of `sms.sends`: its recipient's records and all registries, read from their beginning.

    Raises LookupError where there is no such record.
    """
    options = connection.client_options(settings.kafka)
    consumer = clients.consumer(options, fetch_max_wait_ms=20)
    async with consumer:
        reader = LogReader(consumer)
        send = await reader.one(settings.topics.name("sends"), number, offset)
        if send is None:
            raise LookupError(f"{settings.topics.name('sends')}/{number} has no record at offset {offset}")
        records: dict[str, list[Line]] = {}
        for kind in (*REGISTRY_KINDS, *RECIPIENT_KINDS):
            everybody = kind in REGISTRY_KINDS
            records[kind] = [
                line_of(record)
                async for some in reader.read(settings.topics.name(kind), 0 if everybody else number)
                for record in some
                if everybody or record.key == send.key
            ]
        return Case(number, [line_of(send)], records)


def line_of(record: ConsumerRecord) -> Line:
    """A record of Kafka's."""
    return Line(record.offset, record.timestamp, record.key, record.value)
