"""Bytes in, typed records out, or a named `Rejected` (contract §3).

Belongs here: why a record is refused. What relates fields to each other, or is too dear as a pattern on each send, is
in the kind's `_…_misfits`, which name the fields that cannot be so. Not here: the fields (`events.py`); `misplaced` and
`conflict`, which one record alone can't tell; what a record means to a rule.

Most records are read by one strict decode, the misfits and the key. What msgspec refuses is *examined*: field
by field, with the same annotations, but with an outline of the JSON of our own (`json_outline.py`).
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

import msgspec

from sendwatch.events import (
    DAY,
    FIELDS,
    KINDS,
    MOST_BYTES,
    MOST_DELAY,
    REGISTRIES,
    USE,
    Deletion,
    Filing,
    Rejected,
    arrival,
)
from sendwatch.json_outline import BLANKS, UNREADABLE, fit, json_types_of, members_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping

    from sendwatch.events import Letter, Port, Record, Send, Template


class Reader:
    """Reads the records of one kind: `reader(key, value, timestamp, ignored)`.

    `timestamp` is the record's Kafka timestamp (ms). Optional fields that are left out for what they hold are
    counted in `ignored` by name, where the record itself is accepted. In a loop `reader.read` saves a little.
    """

    def __init__(self, kind: str, *, recipient_form: Literal["number", "token"]) -> None:
        """`kind` is one of `KINDS`; `recipient_form` says what a `recipient` must look like."""
        self._type = KINDS[kind]
        self._fields = FIELDS[kind]
        self._registry = kind in REGISTRIES
        self._key_field = "id" if self._registry else "recipient"
        self._key_of: Callable[[Record], str] = attrgetter(self._key_field)
        self._number = recipient_form == "number" and not self._registry
        self._misfits = _MISFITS[kind]
        self._closed = msgspec.json.Decoder(self._type).decode
        open_type = msgspec.defstruct("Open", [], bases=(self._type,), frozen=True, forbid_unknown_fields=False)
        self._open = msgspec.json.Decoder(open_type).decode
        self._decode: Callable[[bytes], Record | None] = self._closed
        self._opened = 0
        hints = get_type_hints(self._type, include_extras=True)
        self._decoders = {name: msgspec.json.Decoder(hints[name]) for name in self._fields}

    def read(
        self, key: bytes | None, value: bytes | None, timestamp: int, ignored: Counter[str]
    ) -> Record | Deletion | Rejected:
        """Return the record, a registry's `Deletion`, or why it is refused."""
        if value is None:
            return self._without_value(key)
        if len(value) > MOST_BYTES:
            return Rejected("too_large", f"{len(value)} bytes")
        try:
            record = self._decode(value)
        except UNREADABLE:
            record = self._decode_open(value)
        if record is None:
            return self.examine(key, value, timestamp, ignored)
        name = self._key_of(record)
        if (
            self._misfits(record, timestamp)
            or name.encode() != key
            # The usual number first: the pattern costs more than all else here.
            or (self._number and not (len(key) == 11 and key[0] == _ONE and key.isdigit()) and not _is_number(name))
        ):
            return self._settle(record, (), key, timestamp, ignored)
        return record

    __call__ = read

    def examine(self, key: bytes | None, value: bytes, timestamp: int, ignored: Counter[str]) -> Record | Rejected:
        """Read a value that is not too large field by field, in the order of the contract's reasons."""
        try:
            text = value.decode().strip(BLANKS)
            members = members_of(text)
        except UnicodeDecodeError as error:
            return Rejected("not_utf8", f"at byte {error.start}")
        except ValueError:
            return Rejected("not_json", f"{len(value)} bytes")
        if not text.startswith("{"):
            return Rejected("not_object", "expected object")
        given = {name: members[name] for name in self._fields if members.get(name, "null") != "null"}
        values, wrong, impossible = self._values(given)
        missing = [name for name, field in self._fields.items() if field.required and name not in given]
        if values.get("status") == "revoked" and "valid_until" not in given:
            missing.append("valid_until")
        strict = self._strict(values.get("action"))
        if missing:
            return Rejected("missing_field", ", ".join(missing))
        if refused := [name for name in wrong if strict or self._fields[name].required]:
            return Rejected("wrong_type", ", ".join(map(self._expected, refused)))
        if refused := [name for name in impossible if strict or self._fields[name].required]:
            return Rejected("impossible_value", ", ".join(refused))
        return self._settle(self._type(**values), (*wrong, *impossible), key, timestamp, ignored)

    def _decode_open(self, value: bytes) -> Record | None:
        """Decode a value that may have unknown fields; None where only examining can tell.

        Who writes unknown fields writes them always: so the next records are taken to have some, too.
        """
        try:
            value.decode()  # msgspec doesn't look at the bytes that it skips
            record = self._type(*msgspec.structs.astuple(self._open(value)))
        except UNREADABLE:
            self._decode = self._closed
            return None
        self._opened = (self._opened + 1) % 64
        self._decode = self._decode_open if self._opened else self._closed
        return record

    def _values(self, given: dict[str, str]) -> tuple[dict[str, Any], list[str], list[str]]:
        """Decode each field by itself; name those of a wrong type, and those of an impossible value."""
        values: dict[str, Any] = {}
        wrong, impossible = [], []
        for name, raw in given.items():
            decode = self._decoders[name].decode
            try:
                values[name] = decode(raw)
            except UNREADABLE:
                fitted = fit(self._fields[name].type, raw)
                if fitted is None:
                    wrong.append(name)
                    continue
                try:
                    values[name] = decode(fitted)
                except msgspec.MsgspecError:
                    impossible.append(name)
        return values, wrong, impossible

    def _settle(
        self, record: Record, bad: tuple[str, ...], key: bytes | None, timestamp: int, ignored: Counter[str]
    ) -> Record | Rejected:
        """Judge what a decoder can't: fields by each other and the arrival, the recipient's form, the key."""
        misfits = self._misfits(record, timestamp)
        strict = self._strict(getattr(record, "action", None))
        if refused := [name for name in misfits if strict or self._fields[name].required]:
            missing = all(getattr(record, name) is None for name in refused)  # but another field asks for it
            return Rejected("missing_field" if missing else "impossible_value", ", ".join(refused))
        name = self._key_of(record)
        if self._number and not _is_number(name):
            return Rejected("recipient_form", "recipient: expected a number in canonical form")
        if key != name.encode():
            return Rejected("key_mismatch", f"the key is not {self._key_field}" if key else "no key")
        ignored.update(bad)
        ignored.update(misfits)
        # None is the default of every field that can be a misfit and is not required.
        return msgspec.structs.replace(record, **dict.fromkeys(misfits)) if misfits else record

    def _strict(self, action: str | None) -> bool:
        """Whether a bad optional field refuses the record: to leave it out would widen what is allowed."""
        return self._registry or action == "grant"

    def _without_value(self, key: bytes | None) -> Deletion | Rejected:
        if not self._registry:
            return Rejected("no_value", "no value")
        try:
            id_ = (key or b"").decode()
        except UnicodeDecodeError:
            return Rejected("key_mismatch", "the key is not UTF-8")
        if not 1 <= len(id_) <= 128:
            return Rejected("key_mismatch", f"a key of {len(id_)} characters")
        return Deletion(id_)

    def _expected(self, name: str) -> str:
        return f"{name}: expected {' or '.join(json_types_of(self._fields[name].type))}"


_ONE = ord("1")

# Mainland: 11 digits. Others: 00, country code, number; by E.164 at most 15 digits after the 00.
_is_number = re.compile(r"1[0-9]{10}|00(?!0|86)[0-9]{7,15}").fullmatch
_is_use = re.compile(USE).search
_COMMON_USES = frozenset({"otp", "service", "marketing", "marketing.retail", "marketing.finance"})
_PROVINCES = frozenset(f"{number:02}" for number in range(100))


def _send_misfits(send: Send, timestamp: int) -> list[str]:
    misfits = []
    if not (send.port.isascii() and send.port.isdigit()):
        misfits.append("port")
    if send.sent_at > timestamp + DAY:
        misfits.append("sent_at")
    if send.category is not None and send.category not in _COMMON_USES and not _is_use(send.category):
        misfits.append("category")
    if send.province is not None and send.province not in _PROVINCES:
        misfits.append("province")
    if send.deliver_at is not None and not 0 <= send.deliver_at - send.sent_at <= MOST_DELAY:
        misfits.append("deliver_at")
    if send.part is not None and send.part.no > send.part.total:
        misfits.append("part")
    return misfits


def _fact_misfits(*times: str) -> Callable[[Any, int], list[str]]:
    """None of `times` may lie more than a day after the fact's arrival."""

    def misfits(fact: Any, timestamp: int) -> list[str]:
        latest = arrival(timestamp, fact.recorded_at) + DAY
        return [name for name in times if (at := getattr(fact, name)) is not None and at > latest]

    return misfits


def _row_misfits(row: Filing | Port | Letter | Template, _: int) -> list[str]:
    if row.valid_until is None:
        return ["valid_until"] if isinstance(row, Filing) and row.status == "revoked" else []
    return ["valid_until"] if row.valid_until < row.valid_from else []


_MISFITS: Mapping[str, Callable[[Any, int], list[str]]] = {
    "sends": _send_misfits,
    "consents": _fact_misfits("effective_at"),
    "replies": _fact_misfits("received_at"),
    "reports": _fact_misfits("done_at"),
    "complaints": _fact_misfits("received_at", "sent_at"),
    "signatures": _row_misfits,
    "ports": _row_misfits,
    "letters": _row_misfits,
    "templates": _row_misfits,
    "owners": lambda _row, _timestamp: [],
}
