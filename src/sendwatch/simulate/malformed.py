"""Records that must be refused: each damage takes one that is in order, breaks one thing, and names the
reason.

Every damage breaks one thing only, so the reason is the contract's whatever order the checks are made in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from sendwatch.partitions import partition_of
from sendwatch.simulate.truth import DAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Record = dict[str, Any]
encode: Final = msgspec.json.Encoder().encode


class Damaged(NamedTuple):
    key: bytes | None
    value: bytes | None
    partition: int | None = None


class Damage(NamedTuple):
    """`reason` is the quarantine's; `make` gets a sound record, its key and the time at which it will
    arrive.
    """

    name: str
    reason: str
    make: Callable[[Record, bytes, int], Damaged]


def _raw(name: str, reason: str, damage: Callable[[Record, bytes], bytes]) -> Damage:
    """Damage to the bytes of a record."""
    return Damage(name, reason, lambda record, key, _at: Damaged(key, damage(record, encode(record))))


def _but(name: str, reason: str, /, **fields: Any) -> Damage:
    """The record with some fields changed; a callable gets the arrival time, None leaves a field out."""

    def make(record: Record, key: bytes, at: int) -> Damaged:
        changed = record | {field: value(at) if callable(value) else value for field, value in fields.items()}
        return Damaged(key, encode({field: value for field, value in changed.items() if value is not None}))

    return Damage(name, reason, make)


def _renamed(name: str, rename: Callable[[str], str]) -> Damage:
    """The recipient (and the key) in another form of the same number."""

    def make(record: Record, _key: bytes, _at: int) -> Damaged:
        recipient = rename(record["recipient"])
        return Damaged(recipient.encode(), encode(record | {"recipient": recipient}))

    return Damage(name, "recipient_form", make)


def _without_text(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "text"}


def _cut(record: Record, value: bytes) -> bytes:
    """Cut within the name of the record's last field, so no character is halved."""
    last = list(record)[-1]
    return value[: value.rindex(f'"{last}"'.encode()) + 3]


BYTES: Final = (
    Damage("tombstone", "no_value", lambda _record, key, _at: Damaged(key, None)),
    _raw("empty", "not_json", lambda _record, _value: b""),
    _raw("huge", "too_large", lambda record, _value: encode(record | {"note": "长" * 22_000})),
    _raw(
        "gbk",
        "not_utf8",
        lambda r, _v: encode(_without_text(r))[:-1] + b',"text":"' + "验证".encode("gbk") + b'"}',
    ),
    _raw("utf_16", "not_utf8", lambda _record, value: value.decode().encode("utf-16")),
    _raw("byte_order_mark", "not_json", lambda _record, value: b"\xef\xbb\xbf" + value),
    _raw("nul_bytes", "not_json", lambda _record, value: bytes(len(value))),
    _raw("nul_in_string", "not_json", lambda _record, value: value.replace(b'"id":"', b'"id":"\x00', 1)),
    _raw("truncated", "not_json", _cut),
    _raw("twice", "not_json", lambda _record, value: value + value),
    _raw("single_quotes", "not_json", lambda _record, value: value.replace(b'"', b"'")),
    _raw("not_a_number", "not_json", lambda _record, value: value[:-1] + b',"sent_at":NaN}'),
    _raw("infinity", "not_json", lambda _record, value: value[:-1] + b',"effective_at":-Infinity}'),
    _raw("deep", "not_json", lambda _record, value: value[:-1] + b',"x":' + b"[" * 30_000),
    _raw("csv", "not_json", lambda record, _value: ",".join(map(str, record.values())).encode()),
    _raw("in_a_list", "not_object", lambda _record, value: b"[" + value + b"]"),
    _raw("in_a_string", "not_object", lambda _record, value: encode(value.decode())),
    _raw("null_word", "not_object", lambda _record, _value: b"null"),
    _but("no_id", "missing_field", id=None),
    _but("id_of_128_and_one", "impossible_value", id="x" * 129),
    _but("id_empty", "impossible_value", id=""),
    _but("id_a_number", "wrong_type", id=20261111),
    _raw(
        "lone_surrogate",
        "impossible_value",
        lambda _record, value: value.replace(b'"id":"', b'"id":"\\ud800', 1),
    ),
)
"""For every kind."""

_KEYED: Final = (
    _but("no_recipient", "missing_field", recipient=None),
    _but("recipient_a_number", "wrong_type", recipient=15_412_345_678),
    Damage("foreign_key", "key_mismatch", lambda record, key, _at: Damaged(key + b"0", encode(record))),
    Damage("no_key", "key_mismatch", lambda record, _key, _at: Damaged(None, encode(record))),
)
_NUMBERS: Final = (
    _renamed("plus_86", lambda number: f"+86{number}"),
    _renamed("prefixed_86", lambda number: f"86{number}"),
    _renamed("spaced", lambda number: f"{number[:3]} {number[3:]}"),
    _renamed("lettered", lambda number: f"{number[:-1]}x"),
)
_SENDS: Final = (
    _but("no_port", "missing_field", port=None),
    _but("no_sp", "missing_field", sp=None),
    _raw("null_time", "missing_field", lambda _record, value: value[:-1] + b',"sent_at":null}'),
    _but("time_in_words", "wrong_type", sent_at="2026-11-11 10:00:00"),
    _but("time_a_yes", "wrong_type", sent_at=True),
    _but("port_a_number", "wrong_type", port=10691234),
    _but("sp_a_list", "wrong_type", sp=["SP900001"]),
    _but("port_in_letters", "impossible_value", port="10690ABC"),
    _but("port_of_41_digits", "impossible_value", port="1069" + "0" * 37),
    _but("port_full_width", "impossible_value", port="１０６９１２３４"),
    _but("time_in_seconds", "impossible_value", sent_at=lambda at: at // 1000),
    _but("time_negative", "impossible_value", sent_at=-1),
    _but("time_past_64_bits", "impossible_value", sent_at=lambda at: at << 40),
    _but("time_to_come", "impossible_value", sent_at=lambda at: at + 2 * DAY),
    _raw("time_astronomic", "impossible_value", lambda _r, v: v[:-1] + b',"sent_at":1' + b"0" * 400 + b"}"),
)
_CONSENTS: Final = (
    _but("no_owner", "missing_field", owner=None),
    _but("owner_a_number", "wrong_type", owner=9_199_000),
    _but("action_unknown", "impossible_value", action="maybe"),
    _but("effective_in_1999", "impossible_value", effective_at=930_000_000_000),
    _but("effective_to_come", "impossible_value", effective_at=lambda at: at + 2 * DAY),
    _but("grant_types_a_string", "wrong_type", action="grant", types="marketing"),
    _but("grant_expires_never", "wrong_type", action="grant", expires_at="never"),
    _but("grant_none_a_day", "impossible_value", action="grant", max_per_day=0),
    _but("grant_proof_a_string", "wrong_type", action="grant", proof="yes"),
)
_ROWS: Final = (
    Damage("foreign_key", "key_mismatch", lambda record, key, _at: Damaged(key + b"0", encode(record))),
    _but("from_in_words", "wrong_type", valid_from="2020-01-01"),
    _but("from_in_seconds", "impossible_value", valid_from=1_600_000_000),
    _but("ends_before_it_begins", "impossible_value", valid_from=lambda at: at, valid_until=lambda at: at - 1),
    _but("ends_never", "wrong_type", valid_until="never"),
)
_PORTS_A_STRING: Final = _but("ports_a_string", "wrong_type", ports="1069")
_REGISTRIES: Final = {
    "signatures": (
        *_ROWS, _PORTS_A_STRING,
        _but("no_owner", "missing_field", owner=None),
        _but("uses_unknown", "impossible_value", uses=["everything"]),
        _but("status_unknown", "impossible_value", status="fine"),
        _but("revoked_without_end", "missing_field", status="revoked", valid_until=None),
    ),
    "ports": (*_ROWS, _but("holder_null", "missing_field", holder=None),
              _but("purpose_unknown", "impossible_value", purpose="any")),
    "letters": (*_ROWS, _PORTS_A_STRING, _but("no_grantee", "missing_field", grantee=None)),
    "templates": (*_ROWS, _but("pattern_a_list", "wrong_type", pattern=["{a}"])),
    "owners": (_but("no_name", "missing_field", name=None), _but("group_a_number", "wrong_type", group=3)),
}  # fmt: skip


CONFLICT: Final = Damage("conflict", "conflict", lambda record, key, _at: Damaged(key, encode(record)))
"""Of a record that is not like an earlier one with its id; whoever deals it out has to see to that."""


def misplaced(partitions: int) -> Damage:
    """A record on the next partition instead of its key's."""

    def make(record: Record, key: bytes, _at: int) -> Damaged:
        return Damaged(key, encode(record), (partition_of(key, partitions) + 1) % partitions)

    return Damage("misplaced", "misplaced", make)


def damages(kind: str, recipient_form: str, partitions: int | None) -> tuple[Damage, ...]:
    """Every damage that can be done to records of a kind."""
    if kind in _REGISTRIES:
        return tuple(damage for damage in BYTES if damage.reason != "no_value") + _REGISTRIES[kind]
    own = _SENDS if kind == "sends" else _CONSENTS
    numbers = _NUMBERS if recipient_form == "number" else ()
    places = (misplaced(partitions),) if partitions is not None and partitions > 1 else ()
    return BYTES + _KEYED + numbers + own + places


class Deck:
    """Damages dealt so that all come up before any comes again."""

    def __init__(self, random: Random, kinds: tuple[Damage, ...]) -> None:
        self.random, self.kinds = random, kinds
        self.left: list[Damage] = []

    def deal(self) -> Damage:
        if not self.left:
            self.left = self.random.sample(self.kinds, len(self.kinds))
        return self.left.pop()
