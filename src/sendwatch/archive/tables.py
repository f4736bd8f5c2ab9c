"""The columns of each kind that is archived, and rows of them from published records.

Belongs here: names and types, and which day a row is of. Pure. Not here: where records come from (`rows.py`), files.

Times are ms since 1970 UTC. What a record has as an object of open shape (evidence, subject, measures, …) is a column
of JSON. `digest` of a flag is what the evidence chain hashes (`evidence.chain`), so rows can be held against packs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from sendwatch.days import HOUR, MINUTE, iso_date, local_day
from sendwatch.evidence.chain import disclosed, record_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sendwatch.ledger import Range

TEXT, INT, FLAG, BYTES = pa.string(), pa.int64(), pa.bool_(), pa.binary()


def _columns(written: str, kind: pa.DataType) -> list[tuple[str, pa.DataType]]:
    return [(name, kind) for name in written.split()]


PLACE = _columns("partition offset", INT)
SENDER = _columns("carrier province sp port owner signature type", TEXT)
VERSION = _columns("sendwatch rules config", TEXT)

SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "flags": pa.schema(
        [*PLACE, *_columns("published_at at judged_at revision epoch", INT),
         *_columns("flag_id status rule severity pack clause", TEXT), *_columns("shadow checked", FLAG),
         ("send_id", TEXT), *SENDER, ("type_source", TEXT), ("recipient", BYTES), ("recipient_key", INT),
         *_columns("evidence reason_en reason_zh because_topic because_id source_topic", TEXT),
         *_columns("source_partition source_offset", INT), *VERSION, ("digest", BYTES)]
    ),
    "breaches": pa.schema(
        [*PLACE, *_columns("published_at at closed_at window_from window_until", INT),
         *_columns("breach_id status rule subject measures bound", TEXT), ("recipient", BYTES), ("recipient_key", INT)]
    ),
    "tallies": pa.schema(
        [*PLACE, ("number", INT), ("at", INT), *SENDER, *_columns("sends judged undecided", INT),
         *_columns("flags corrections", TEXT)]
    ),
    "complaints": pa.schema(
        [*PLACE, ("number", INT), ("at", INT), *_columns("owner port channel type sp carrier province found", TEXT),
         ("about_code", FLAG), ("complaints", INT)]
    ),
    "refusals": pa.schema([*PLACE, ("number", INT), ("at", INT), ("owner", TEXT), ("refusals", INT)]),
    "books": pa.schema(
        [*PLACE, ("topic", TEXT), *_columns("at written_at first next judged accepted duplicates parts", INT),
         *_columns("quarantined absent", INT), *VERSION]
    ),
    "dispositions": pa.schema(
        [*PLACE, *_columns("published_at at", INT),
         *_columns("disposition_id about_kind about_id action rule subject until by role why", TEXT)]
    ),
}  # fmt: skip
OWNERS: Final = pa.schema([("id", TEXT), ("name", TEXT), ("group", TEXT)])

IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    "flags": ("partition", "offset"),
    "breaches": ("partition", "offset"),
    "tallies": ("partition", "offset", "number"),
    "complaints": ("partition", "offset", "number"),
    "refusals": ("partition", "offset", "number"),
    "books": ("partition", "offset", "topic"),
    "dispositions": ("partition", "offset"),
}
"""By what rows are one and the same: a record that is read again makes no second row."""

Value = dict[str, Any]


class Row(NamedTuple):
    """One row of a kind."""

    kind: str
    values: Value

    @property
    def day(self) -> str:
        """The ISO date of the day (UTC+8) that it is of."""
        return iso_date(local_day(self.values["at"]))


def nobody(_token: str) -> tuple[int, bytes | None]:
    """Recipients are left out, where there are no keys to hide them."""
    return 0, None


def flag_row(partition: int, offset: int, timestamp: int, raw: bytes, hide: Callable[[str], Any] = nobody) -> Row:
    """A record of `sms.flags`."""
    value = msgspec.json.decode(raw)
    send, law, version = value["send"], value.get("law") or {}, value.get("version") or {}
    source, because = value.get("source") or {}, value.get("because") or {}
    reason = value.get("reason") or {}
    number, hidden = hide(send["recipient"]) if send.get("recipient") else (0, None)
    own = ("judged_at", "revision", "epoch", "flag_id", "status", "rule", "severity", "shadow")
    return Row(
        "flags",
        {name: value.get(name) for name in own}
        | {name: send.get(name) for name in ("at", "type_source", *(name for name, _ in SENDER))}
        | {name: version.get(name) for name, _ in VERSION}
        | {name: law.get(name) for name in ("pack", "clause", "checked")}
        | {f"source_{name}": source.get(name) for name in ("topic", "partition", "offset")}
        | {f"because_{name}": because.get(name) for name in ("topic", "id")}
        | {
            "partition": partition,
            "offset": offset,
            "published_at": timestamp,
            "send_id": send.get("id"),
            "recipient": hidden,
            "recipient_key": number,
            "evidence": _json(value.get("evidence")),
            "reason_en": reason.get("en"),
            "reason_zh": reason.get("zh"),
            "digest": record_digest(partition, offset, timestamp, disclosed(raw)),
        },
    )


def breach_row(partition: int, offset: int, timestamp: int, raw: bytes, hide: Callable[[str], Any] = nobody) -> Row:
    """A record of `sms.breaches`; a recipient among what it is about is hidden as in a flag."""
    value = msgspec.json.decode(raw)
    subject, window = dict(value.get("subject") or {}), value.get("window") or {}
    token = subject.pop("recipient", None)
    number, hidden = hide(token) if token else (0, None)
    return Row(
        "breaches",
        {name: value.get(name) for name in ("breach_id", "status", "rule", "closed_at")}
        | {
            "partition": partition,
            "offset": offset,
            "published_at": timestamp,
            "at": value["opened_at"],
            "window_from": window.get("from"),
            "window_until": window.get("until"),
            "subject": _json(subject),
            "measures": _json(value.get("measures")),
            "bound": _json(value.get("limit")),
            "recipient": hidden,
            "recipient_key": number,
        },
    )


def disposition_row(partition: int, offset: int, timestamp: int, raw: bytes) -> Row:
    """A record of `sms.dispositions`."""
    value = msgspec.json.decode(raw)
    about = value.get("about") or {}
    own = ("disposition_id", "action", "rule", "until", "by", "role", "why")
    return Row(
        "dispositions",
        {name: value.get(name) for name in own}
        | {
            "partition": partition,
            "offset": offset,
            "published_at": timestamp,
            "at": value["made_at"],
            "about_kind": about.get("kind"),
            "about_id": about.get("id"),
            "subject": _json(value.get("subject")),
        },
    )


def ledger_rows(partition: int, offset: int, record: Range) -> Iterator[Row]:
    """The sums of a ledger record that stands: tallies, complaints, refusals, and the books."""
    place = {"partition": partition, "offset": offset}
    for number, tally in enumerate(record.tallies):
        counts = {"flags": _json(tally.flags), "corrections": _json(tally.corrections)}
        named = {name: getattr(tally, name) for name, _ in (*SENDER, *_columns("sends judged undecided", INT))}
        yield Row("tallies", place | named | counts | {"number": number, "at": tally.minute * MINUTE})
    for number, (about, count) in enumerate(record.sums.complained):
        named = msgspec.structs.asdict(about)
        at = named.pop("hour") * HOUR
        yield Row("complaints", place | named | {"number": number, "at": at, "complaints": count})
    for number, (hour, owner, count) in enumerate(record.sums.refused):
        yield Row("refusals", place | {"number": number, "at": hour * HOUR, "owner": owner, "refusals": count})
    for topic, span in record.spans.items():
        counts = {name: getattr(span.books, name) for name in _counted}
        yield Row(
            "books",
            place
            | counts
            | msgspec.structs.asdict(record.version)
            | {
                "topic": topic,
                "at": record.event_time,
                "written_at": record.at,
                "first": span.first,
                "next": span.next,
            },
        )


_counted = ("judged", "accepted", "duplicates", "parts", "quarantined", "absent")


def _json(value: object) -> str:
    return msgspec.json.encode(value if value is not None else {}).decode()


def table(kind: str, rows: list[Value]) -> pa.Table:
    """Rows as a table of their kind."""
    return pa.Table.from_pylist(rows, schema=SCHEMAS[kind])
