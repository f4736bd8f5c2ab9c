"""What comes out: flags, opt-outs and quarantine records, as CloudEvents 1.0 in binary mode over Kafka.

Belongs here: the shape of every published value, its key and its headers. Not here: whether something is
published (`engine/partition.py`), and sending it (`kafka/publish.py`). No phone number and no message
text, ever.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sendwatch.dossier import Published
from sendwatch.ledger import Version  # noqa: TC001 - part of the published shape, needed at run time

if TYPE_CHECKING:
    from sendwatch.verdict import Flag
    from sendwatch.windows.breach import Breach

SOURCE = "sendwatch"
MOST_PAYLOAD = 64 * 1024  # bytes of a refused record that are kept where configured: topics bound their records
SCHEMAS = "urn:sendwatch:schema:"
RAISED = "sendwatch.flag.raised.v1"
CLEARED = "sendwatch.flag.cleared.v1"
OPTOUT = "sendwatch.optout.resolved.v1"
OPENED = "sendwatch.breach.opened.v1"
CLOSED = "sendwatch.breach.closed.v1"

encode = msgspec.json.Encoder().encode
Headers = list[tuple[str, bytes]]


class Message(Struct, frozen=True, gc=False):
    """One record to be published. `topic` is the kind (`flags`, …), `partition` is explicit."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Headers


class Law(Struct, frozen=True):
    """The clause a flag rests on; `checked`: whether a person has held it against the official text."""

    pack: str
    clause: str
    checked: bool


class FlaggedSend(Struct, frozen=True):
    """The send that a flag is about. `recipient` is the public token; times are ms since 1970 UTC."""

    id: str
    recipient: str
    sp: str
    port: str
    carrier: str | None
    province: str | None
    signature: str | None
    owner: str | None
    type: str | None
    type_source: str | None
    at: int


class Place(Struct, frozen=True):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


class Because(Struct, frozen=True):
    """The fact that changed an answer."""

    topic: str
    id: str


class Reason(Struct, frozen=True):
    """Why, in one sentence, in both languages."""

    en: str
    zh: str


class FlagEvent(Struct, frozen=True):
    """The value of `sms.flags` (contract §5). The last record of a `flag_id` is what holds."""

    flag_id: str
    revision: int
    epoch: int
    status: str
    shadow: bool
    rule: str
    severity: str
    law: Law
    send: FlaggedSend
    evidence: dict[str, object]
    reason: Reason
    source: Place
    because: Because | None
    judged_at: int
    version: Version


class OptoutEvent(Struct, frozen=True):
    """The value of `sms.optouts`: what a reply refused, and toward whom it withdraws."""

    reply: str
    recipient: str
    owners: tuple[str, ...]
    received_at: int
    answered_send: str | None
    source: Place


class BreachEvent(Struct, frozen=True):
    """The value of `sms.breaches` (contract §5): the last record of a `breach_id` is what holds. Event time, in ms."""

    breach_id: str
    status: str
    rule: str
    subject: dict[str, str | None]
    window: dict[str, int]
    measures: dict[str, int | float | str]
    limit: dict[str, int | float]
    opened_at: int
    closed_at: int | None


class QuarantineEvent(Struct, frozen=True, omit_defaults=True):
    """The value of `sms.quarantine`. The payload itself only where configured: it is personal data."""

    source: Place
    reason: str
    detail: str
    sha256: str
    size: int
    payload: bytes | None = None


def law_of(flag: Flag) -> Law:
    """The clause of a flag as it is published."""
    return Law(flag.pack, flag.clause, flag.checked)


def reason_of(flag: Flag, send: FlaggedSend) -> Reason:
    """The flag's sentence, filled from its evidence and, where that has no such field, from the send."""
    fields = {**msgspec.structs.asdict(send), **flag.evidence}
    words = flag.rule.reason.filled(fields)
    return Reason(words.en, words.zh)


def flag_message(event: FlagEvent, topic: str, partition: int) -> Message:
    """A flag event as a record; the partition is the send's."""
    kind = RAISED if event.status == "raised" else CLEARED
    ce_id = f"{event.flag_id}/{event.revision}/{event.epoch}"
    headers = _headers(kind, ce_id, event.judged_at, event.send.recipient)
    return Message(topic, partition, event.flag_id.encode(), encode(event), headers)


read_optout = msgspec.json.Decoder(OptoutEvent).decode
read_flag = msgspec.json.Decoder(FlagEvent).decode
read_breach = msgspec.json.Decoder(BreachEvent).decode


def evidence_digest(evidence: dict[str, object], pack: str, *, shadow: bool) -> bytes:
    """Eight bytes that differ when a flag rests on other evidence, or on another law."""
    return blake2b(encode([evidence, pack, shadow]), digest_size=8).digest()


def published_of(event: FlagEvent) -> Published:
    """What a flag event says about its flag, as a dossier keeps it."""
    raised = event.status == "raised"
    digest = evidence_digest(event.evidence, event.law.pack, shadow=event.shadow) if raised else b""
    return Published(event.rule, event.revision, raised, digest)


def optout_message(event: OptoutEvent, partition: int, at: int) -> Message:
    """An opt-out event as a record; the partition is the reply's.

    A reply that is understood anew is published anew, so its place alone would not tell the two apart.
    """
    ce_id = f"{event.source.topic}/{event.source.partition}/{event.source.offset}/{at}"
    headers = _headers(OPTOUT, ce_id, at, event.recipient)
    return Message("optouts", partition, event.recipient.encode(), encode(event), headers)


def breach_event(breach: Breach) -> BreachEvent:
    """A breach as it is published."""
    return BreachEvent(
        breach_id=breach.id,
        status=breach.status,
        rule=breach.rule,
        subject=dict(breach.subject),
        window=dict(breach.window),
        measures=dict(breach.measures),
        limit=dict(breach.limit),
        opened_at=breach.opened_at,
        closed_at=breach.closed_at,
    )


def breach_message(event: BreachEvent) -> Message:
    """A breach as a record; its topic has one partition. Told again after a crash, it has the same key and id."""
    kind = OPENED if event.status == "open" else CLOSED
    at = event.opened_at if event.closed_at is None else event.closed_at
    headers = _headers(kind, f"{event.breach_id}/{event.status}", at, event.rule)
    return Message("breaches", 0, event.breach_id.encode(), encode(event), headers)


def quarantine_message(place: Place, reason: str, detail: str, raw: bytes | None, *, payload: bool) -> Message:
    """A refused record, told by place, reason and hash."""
    event = QuarantineEvent(
        source=place,
        reason=reason,
        detail=detail,
        sha256=sha256(raw or b"").hexdigest(),
        size=len(raw or b""),
        payload=raw[:MOST_PAYLOAD] if payload and raw is not None else None,
    )
    key = f"{place.topic}/{place.partition}/{place.offset}".encode()
    return Message("quarantine", place.partition, key, encode(event), [("content-type", b"application/json")])


def epoch_of(headers: tuple[tuple[str, bytes], ...] | Headers) -> int:
    """The epoch of the owner that wrote a flag, from its `ce_id`; -1 where there is none."""
    for name, value in headers:
        if name == "ce_id":
            last = value.rpartition(b"/")[2]
            return int(last) if last.isdigit() else -1
    return -1


def _headers(kind: str, ce_id: str, at: int, subject: str) -> Headers:
    time = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", ce_id.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", time.encode()),
        ("ce_subject", subject.encode()),
        ("ce_dataschema", (SCHEMAS + kind).encode()),
        ("content-type", b"application/json"),
    ]
