"""The ten kinds of input record (contract §1 and §2), typed.

Belongs here: the fields of a record, what each may hold, and when a fact arrived. Not here: reading bytes, and why a
record is refused (`reader.py`); what a record means to a rule.

The annotations are the one table of the fields (`FIELDS` has it by kind): msgspec checks them as it decodes,
and JSON Schemas can be made from them.

The types are closed (`forbid_unknown_fields`) for speed alone, and only a decoder sees it: where no field is
unknown, msgspec has looked at every byte, and UTF-8 need not be checked again, which is half of a decode.
Unknown fields are allowed, and a schema must say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, inspect

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 3_600_000
DAY = 24 * HOUR
MOST_DELAY = 72 * HOUR
MOST_BYTES = 64 * 1024
EARLIEST = 946_656_000_000  # 2000-01-01 in UTC+8, as all days of the contract
_INT64 = 2**63

# `$` alone would let a newline follow; JSON Schema knows no `\Z`.
_DIGITS = r"^[0-9]+$(?!\n)"
USE = r"^(otp|service|marketing)(\.[^.]+)*$(?!\n)"
_TWO_DIGITS = r"^[0-9]{2}$(?!\n)"

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Digits: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, pattern=_DIGITS)]
Province: TypeAlias = Annotated[str, Meta(pattern=_TWO_DIGITS)]
Dotted: TypeAlias = Annotated[str, Meta(max_length=128, pattern=r"^[^.]+(\.[^.]+)*$(?!\n)")]
Use: TypeAlias = Annotated[str, Meta(max_length=128, pattern=USE)]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{64}$(?!\n)")]
Integer: TypeAlias = Annotated[int, Meta(ge=-_INT64, le=_INT64 - 1)]
Time: TypeAlias = Annotated[int, Meta(ge=EARLIEST, le=_INT64 - 1)]
Octet: TypeAlias = Annotated[int, Meta(ge=1, le=255)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=_INT64 - 1)]

# On a send a pattern is only told to the schema, and `reader.py` checks: msgspec takes 0.6 µs for one.
SendDigits: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, extra_json_schema={"pattern": _DIGITS})]
SendUse: TypeAlias = Annotated[str, Meta(max_length=128, extra_json_schema={"pattern": USE})]
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
