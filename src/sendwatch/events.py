"""Bytes in, typed records out, or a named `Rejected`: the ten kinds of input record (contract §1 to §3).

Belongs here: the fields of a record, what each may hold, and why a record is refused.
Not here: `misplaced` and `conflict`, which one record alone can't tell; what a record means to a rule.

The annotations are the one table of the fields (`FIELDS` has it by kind): msgspec checks them as it decodes,
and JSON Schemas can be made from them. What relates fields to each other, or is too dear as a pattern on each
send, is in the kind's `_…_misfits`, which name the fields that cannot be so.

Most records are read by one strict decode, the misfits and the key. What msgspec refuses is *examined*: field
by field, with the same annotations, but with an outline of the JSON of our own. For msgspec reads even what
it skips, and trips there over deep nesting and lone surrogates.

The types are closed (`forbid_unknown_fields`) for speed alone, and only a decoder sees it: where no field is
unknown, msgspec has looked at every byte, and UTF-8 need not be checked again, which is half of a decode.
Unknown fields are allowed, and a schema must say so.
"""

from __future__ import annotations

import json
import re
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_type_hints

import msgspec
from msgspec import Meta, Struct, inspect

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping

HOUR = 3_600_000
DAY = 24 * HOUR
MOST_DELAY = 72 * HOUR
MOST_BYTES = 64 * 1024
EARLIEST = 946_656_000_000  # 2000-01-01 in UTC+8, as all days of the contract
_INT64 = 2**63

# `$` alone would let a newline follow; JSON Schema knows no `\Z`.
_DIGITS = r"^[0-9]+$(?!\n)"
_USE = r"^(otp|service|marketing)(\.[^.]+)*$(?!\n)"
_TWO_DIGITS = r"^[0-9]{2}$(?!\n)"

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Digits: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, pattern=_DIGITS)]
Province: TypeAlias = Annotated[str, Meta(pattern=_TWO_DIGITS)]
Dotted: TypeAlias = Annotated[str, Meta(max_length=128, pattern=r"^[^.]+(\.[^.]+)*$(?!\n)")]
Use: TypeAlias = Annotated[str, Meta(max_length=128, pattern=_USE)]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{64}$(?!\n)")]
Integer: TypeAlias = Annotated[int, Meta(ge=-_INT64, le=_INT64 - 1)]
Time: TypeAlias = Annotated[int, Meta(ge=EARLIEST, le=_INT64 - 1)]
Octet: TypeAlias = Annotated[int, Meta(ge=1, le=255)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=_INT64 - 1)]

# On a send a pattern is only told to the schema, and `_send_misfits` checks: msgspec takes 0.6 µs for one.
SendDigits: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, extra_json_schema={"pattern": _DIGITS})]
SendUse: TypeAlias = Annotated[str, Meta(max_length=128, extra_json_schema={"pattern": _USE})]
SendProvince: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": _TWO_DIGITS})]


class Part(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    ref: Name | Integer
    no: Octet
    total: Octet


class Send(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    recipient: Name
    sp: Name
    port: SendDigits
    sent_at: Time
    text: str | None = None
    category: SendUse | None = None
    template: Name | None = None
    carrier: Name | None = None
    province: SendProvince | None = None
    deliver_at: Time | None = None
    part: Part | None = None
    request: Name | None = None

    @property
    def at(self) -> int:
        """The time that counts: when it was to be delivered, else when it was sent."""
        return self.sent_at if self.deliver_at is None else self.deliver_at


class Proof(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    sha256: Sha256
    captured_at: Time


class Consent(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    recipient: Name
    owner: Name
    action: Literal["grant", "withdraw"]
    effective_at: Time
    types: tuple[Dotted, ...] = ("marketing",)
    method: str | None = None
    expires_at: Time | None = None
    max_per_day: Positive | None = None
    proof: Proof | None = None
    recorded_at: Integer | None = None


class Reply(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    recipient: Name
    port: Digits
    text: str
    received_at: Time
    carrier: Name | None = None
    recorded_at: Integer | None = None


class Report(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    send_id: Name
    recipient: Name
    stat: Name
    done_at: Time
    recorded_at: Integer | None = None


class Complaint(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    recipient: Name
    channel: Name
    port: Digits
    received_at: Time
    text: str | None = None
    signature: Name | None = None
    sent_at: Time | None = None
    send_id: Name | None = None
    recorded_at: Integer | None = None


class Filing(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    signature: Name
    owner: Name
    uses: tuple[Use, ...]
    ports: tuple[Digits, ...]
    valid_from: Time
    valid_until: Time | None = None
    sps: tuple[Name, ...] | None = None
    carriers: tuple[Name, ...] | None = None
    provinces: tuple[Province, ...] | None = None
    status: Literal["approved", "pending", "rejected", "revoked"] = "approved"
    recorded_at: Integer | None = None


class Port(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    port: Digits
    holder: Name
    valid_from: Time
    valid_until: Time | None = None
    purpose: Literal["service", "marketing", "mixed"] = "mixed"
    provinces: tuple[Province, ...] | None = None
    carriers: tuple[Name, ...] | None = None
    recorded_at: Integer | None = None


class Letter(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    grantor: Name
    grantee: Name
    valid_from: Time
    valid_until: Time | None = None
    signatures: tuple[Name, ...] | None = None
    ports: tuple[Digits, ...] | None = None
    recorded_at: Integer | None = None


class Template(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    signature: Name
    use: Use
    pattern: Text
    valid_from: Time
    valid_until: Time | None = None
    urls: tuple[Text, ...] | None = None
    recorded_at: Integer | None = None


class Owner(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    id: Name
    name: Text
    group: Name | None = None
    sp: Name | None = None
    recorded_at: Integer | None = None


class Deletion(Struct, frozen=True, gc=False):
    """A registry record without a value: the row was recorded in error and never was."""

    id: str


class Rejected(Struct, frozen=True, gc=False):
    """Why a record is refused. `detail` names fields, JSON types and sizes, never what a field holds."""

    reason: str
    detail: str


Record: TypeAlias = Send | Consent | Reply | Report | Complaint | Filing | Port | Letter | Template | Owner

KINDS: Mapping[str, type[Record]] = {
    "sends": Send,
    "consents": Consent,
    "replies": Reply,
    "reports": Report,
    "complaints": Complaint,
    "signatures": Filing,
    "ports": Port,
    "letters": Letter,
    "templates": Template,
    "owners": Owner,
}
REGISTRIES = frozenset({"signatures", "ports", "letters", "templates", "owners"})


def _fields_of(type_: type[Record]) -> dict[str, inspect.Field]:
    described = inspect.type_info(type_)
    assert isinstance(described, inspect.StructType)
    return {field.name: field for field in described.fields}


FIELDS: Mapping[str, Mapping[str, inspect.Field]] = {kind: _fields_of(type_) for kind, type_ in KINDS.items()}


def arrival(timestamp: int, recorded_at: int | None) -> int:
    """Return when a fact arrived (ms): as recorded, within the 24 h up to its Kafka timestamp; else that."""
    if recorded_at is None:
        return timestamp
    return min(max(recorded_at, timestamp - DAY), timestamp)


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
        except _UNREADABLE:
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
            text = value.decode().strip(_BLANKS)
            members = _members(text)
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
        except _UNREADABLE:
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
            except _UNREADABLE:
                fitted = _fitted(self._fields[name].type, raw)
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
        return f"{name}: expected {' or '.join(_json_types_of(self._fields[name].type))}"


_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ONE = ord("1")

# Mainland: 11 digits. Others: 00, country code, number; by E.164 at most 15 digits after the 00.
_is_number = re.compile(r"1[0-9]{10}|00(?!0|86)[0-9]{7,15}").fullmatch
_is_use = re.compile(_USE).search
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

_JSON_TYPES: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.LiteralType: "string",
    inspect.IntType: "integer",
    inspect.VarTupleType: "array",
    inspect.StructType: "object",
}
_FIRST = {'"': "string", "[": "array", "{": "object", "t": "boolean", "f": "boolean", "n": "null"}


def _json_types_of(type_: inspect.Type) -> list[str]:
    """Name the JSON types that a field may have."""
    if isinstance(type_, inspect.Metadata):
        return _json_types_of(type_.type)
    if isinstance(type_, inspect.UnionType):
        return [name for each in type_.types for name in _json_types_of(each)]
    return [_JSON_TYPES[type(type_)]] if type(type_) in _JSON_TYPES else []


def _fitted(type_: inspect.Type, raw: str) -> str | None:
    """Return a field's JSON without members that its type doesn't know; None where a JSON type is wrong."""
    if isinstance(type_, inspect.Metadata):
        return _fitted(type_.type, raw)
    if isinstance(type_, inspect.UnionType):
        return next((fitted for each in type_.types if (fitted := _fitted(each, raw)) is not None), None)
    json_type = _FIRST.get(raw[0]) or ("integer" if raw.lstrip("-").isdigit() else "number")
    if json_type != _JSON_TYPES.get(type(type_)):
        return None
    if isinstance(type_, inspect.VarTupleType):
        items = [_fitted(type_.item_type, item) for _, item in _inside(raw)]
        return None if None in items else raw
    if isinstance(type_, inspect.StructType):
        members = _members(raw)
        known = {each.name: each.type for each in type_.fields if members.get(each.name, "null") != "null"}
        if None in [_fitted(known[name], members[name]) for name in known]:
            return None
        return "{" + ",".join(f'"{name}":{members[name]}' for name in known) + "}"
    return raw


def _members(text: str) -> dict[str, str]:
    """Return the JSON of each member by name: of two of a name the last; ValueError where it is not JSON."""
    try:
        return {name: str(raw, "utf-8") for name, raw in _RAW_MEMBERS.decode(text).items()}
    except _UNREADABLE:
        return {json.loads(name): raw for name, raw in _inside(text)}


_RAW_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BLANKS = " \t\n\r"
_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        (?P<string>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+")
      | (?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|true|false|null)
      | (?P<mark>[{}\[\],:])
      | (?P<junk>[\s\S]))""",
    re.VERBOSE,
)
_LETTERS = {"string": "s", "scalar": "v", "junk": "?"}  # a mark is its own
_END = ""  # of a value: what comes then depends on what it lies in
_VALUE = {"s": _END, "v": _END, "{": "name or end", "[": "item or end"}
_NEXT: Mapping[str, Mapping[str, str]] = {
    "value": _VALUE,
    "item or end": {**_VALUE, "]": _END},
    "name": {"s": "colon"},
    "name or end": {"s": "colon", "}": _END},
    "colon": {":": "value"},
    "rest of array": {",": "value", "]": _END},
    "rest of object": {",": "name", "}": _END},
    "nothing": {},
}


def _inside(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and JSON of the members of an object, or items of an array; ValueError where it is not JSON.

    Depth costs a list entry, not a stack frame; time is linear.
    """
    name, start = '""', 0
    expected = "value"
    within = ["nothing"]  # what may follow the value that is open, at each depth
    for token in _TOKEN.finditer(text):
        group = token.lastgroup or "junk"
        letter = _LETTERS.get(group) or token[group]
        if letter not in _NEXT[expected]:
            raise ValueError("not JSON")
        expected = _NEXT[expected][letter]
        if len(within) == 2 and expected == "colon":
            name = token[group]
        elif len(within) == 2 and letter not in "}]":
            start = token.start(group)
        if letter in "{[":
            within.append("rest of object" if letter == "{" else "rest of array")
        elif letter in "}]":
            within.pop()
        if expected == _END:
            expected = within[-1]
            if len(within) == 2:
                yield name, text[start : token.end()]
    if expected != "nothing":
        raise ValueError("not JSON")
