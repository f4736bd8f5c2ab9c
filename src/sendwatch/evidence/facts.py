"""Which records an answer rests on, by field and place, and what of them may be shown.

Belongs here: choosing records for one flag and telling their fields. Pure. Not here: reading them (`collect.py`),
judging: whoever doubts an answer asks `sendwatch explain` or the audit, with the records at these places.

    used     the flag's evidence, or the fact that corrected it, names the record
    others   records that its rule looks at and that count for the send: of C1, that there is no grant among them

Fields are the contract's own, less the recipient; a text is told by its keyed hash.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from sendwatch import rules
from sendwatch.audit.logs import Raw
from sendwatch.days import DAY, MINUTE
from sendwatch.events import arrival
from sendwatch.evidence.pack import Fact
from sendwatch.text.fold import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sendwatch.evidence.seal import Marks

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sends": ("id", "sp", "port", "sent_at", "deliver_at", "category", "template", "carrier", "province", "part",
              "request", "text"),
    "consents": ("id", "owner", "action", "effective_at", "types", "method", "expires_at", "max_per_day", "proof",
                 "recorded_at"),
    "replies": ("id", "port", "received_at", "recorded_at", "text"),
    "signatures": ("id", "signature", "owner", "uses", "ports", "valid_from", "valid_until", "sps", "carriers",
                   "provinces", "status", "recorded_at"),
    "ports": ("id", "port", "holder", "valid_from", "valid_until", "purpose", "provinces", "carriers", "recorded_at"),
    "letters": ("id", "grantor", "grantee", "valid_from", "valid_until", "signatures", "ports", "recorded_at"),
    "templates": ("id", "signature", "use", "pattern", "valid_from", "valid_until", "recorded_at"),
    "owners": ("id", "name", "group", "sp", "recorded_at"),
}  # fmt: skip
"""What of each kind is told; a template's links are texts too, and left out."""
TEXTS: Final = frozenset({"text", "pattern"})
OF_RECIPIENT: Final = ("sends", "consents", "replies")
OF_REGISTRIES: Final = ("signatures", "ports", "letters", "templates", "owners")
NEIGHBOURS_REACH: Final = 3 * DAY
PARTS_REACH: Final = 10 * MINUTE

Value = dict[str, Any]


class Record(Raw, Protocol):
    """A record as Kafka gives it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...


class Case(Struct):
    """One flag and the records around it: its revisions, its send, by kind those of its recipient and the registries.

    `window` (ms): how long after a send facts count for it.
    """

    revisions: Sequence[Value]
    send: Record | None
    records: Mapping[str, Sequence[Record]]
    window: int

    @property
    def flag(self) -> Value:
        """The last revision."""
        return self.revisions[-1]


def facts_of(case: Case, marks: Marks) -> tuple[Fact, ...]:
    """The records that the flag rests on: its send first, then kind by kind in the order of offsets."""
    if case.send is None:
        return ()
    named, at = _named(case.revisions), int(case.flag["send"]["at"])
    found = [_fact("sends", case.send, marks, used=True)]
    reads = _reads(str(case.flag.get("rule")))
    for kind in (*OF_RECIPIENT, *OF_REGISTRIES):
        if kind not in reads:
            continue
        for record in case.records.get(kind, ()):
            value = _value(record)
            if value is None or "id" not in value or (kind == "sends" and record.offset == case.send.offset):
                continue
            used = str(value["id"]) in named or (kind == "ports" and str(value.get("port")) in named)
            looked_at = used or _relevant(kind, value, case.flag, _value(case.send) or {})
            if looked_at and _arrived(kind, record, value) <= at + case.window:
                found.append(_fact(kind, record, marks, used=used))
    return tuple(found)


def _reads(rule: str) -> frozenset[str]:
    """The kinds of records that a rule looks at; of a rule that is not known any more, all."""
    known = rules.discover().get(rule)
    if known is None:
        return frozenset(FIELDS)
    reads = known.RULE.reads
    kinds = reads & FIELDS.keys() | {"sends"}  # the parts of a long message are always of interest
    if "owner" in reads or "text" in reads:
        kinds |= {"signatures"}
    return kinds | ({"templates"} if "type" in reads else frozenset())


def _relevant(kind: str, value: Value, flag: Value, send: Value) -> bool:
    """Whether a record that the flag does not name may have been looked at for it."""
    about = flag["send"]
    match kind:
        case "consents" | "replies":
            return True
        case "sends":
            return _is_part(value, send) or _is_neighbour(value, flag)
        case "signatures":
            name = about.get("signature")
            return name is not None and fold_name(str(value.get("signature"))) == fold_name(str(name))
        case "ports":
            return str(about.get("port")).startswith(str(value.get("port")) or "-")
        case "letters":
            return str(about.get("sp")) in {value.get("grantor"), value.get("grantee")}
        case "templates":
            return bool(value.get("id") == send.get("template"))
        case _:
            return bool(value.get("id") == about.get("owner") or value.get("sp") == about.get("sp"))


def _is_part(value: Value, send: Value) -> bool:
    part, own = value.get("part"), send.get("part")
    if not isinstance(part, dict) or not isinstance(own, dict):
        return False
    same = all(part.get(name) == own.get(name) for name in ("ref", "total")) and value.get("port") == send.get("port")
    return same and abs(_time(value) - _time(send)) < PARTS_REACH


def _is_neighbour(value: Value, flag: Value) -> bool:
    known = rules.discover().get(str(flag.get("rule")))
    if known is not None and "neighbours" not in known.RULE.reads:
        return False
    return 0 <= int(flag["send"]["at"]) - _time(value) <= NEIGHBOURS_REACH


def _time(value: Value) -> int:
    at = value.get("deliver_at") or value.get("sent_at")
    return at if isinstance(at, int) else 0


def _arrived(kind: str, record: Record, value: Value) -> int:
    recorded = value.get("recorded_at")
    return arrival(record.timestamp, recorded if kind != "sends" and isinstance(recorded, int) else None)


def _fact(kind: str, record: Record, marks: Marks, *, used: bool) -> Fact:
    value = _value(record) or {}
    place = f"{record.topic}:{record.partition}:{record.offset}"
    personal = kind in OF_RECIPIENT
    return Fact(
        kind=kind,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        arrived_at=_arrived(kind, record, value),
        used=used,
        fields=told(kind, value, marks),
        sha256="" if personal else sha256(record.value or b"").hexdigest(),
        marked=marks.of_record(place, record.value) if personal else "",
    )


def told(kind: str, value: Value, marks: Marks) -> dict[str, object]:
    """The fields of a record that may be shown: a recipient that stands in any of them is blotted out."""
    hidden = value.get("recipient")
    shown: dict[str, object] = {}
    for name in FIELDS[kind]:
        field = value.get(name)
        if field is None:
            continue
        shown[name] = {"keyed": marks.of_text(str(field))} if name in TEXTS else field
    if isinstance(hidden, str) and hidden:
        shown = msgspec.json.decode(msgspec.json.encode(shown).replace(hidden.encode(), "…".encode()))
    return shown


def _value(record: Record) -> Value | None:
    try:
        value = msgspec.json.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _named(revisions: Sequence[Value]) -> frozenset[str]:
    """Every text in the evidence of a flag, and the facts that corrected it."""
    found: set[str] = set()
    for flag in revisions:
        found |= set(_texts(flag.get("evidence")))
        found |= set(_texts(flag.get("because")))
    return frozenset(found)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
