"""Bytes become records, or are refused for the contract's first reason: by tables, and against an oracle.

The oracle, at the end, reads the contract once more, with `json.loads` and nothing of `sendwatch`: so that one
misreading can't hide another. All numbers, names and texts are made up.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sendwatch.events import FIELDS, KINDS, Consent, Deletion, Filing, Part, Rejected, Send, arrival
from sendwatch.json_outline import inside_of
from sendwatch.reader import Reader

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_762_790_400_000  # 2025-11-11 00:00 in Beijing

VALID: dict[str, dict[str, Any]] = {
    "sends": {
        "id": "s-1",
        "recipient": "13900001234",
        "sp": "sp-042",
        "port": "106912345678",
        "sent_at": NOW - 1500,
        "text": "【悦购】双11全场五折，拒收请回复R",
        "category": "marketing.retail",
        "template": "t-9",
        "carrier": "cmcc",
        "province": "11",
        "deliver_at": NOW + HOUR,
        "part": {"ref": "a7", "no": 1, "total": 2},
        "request": "r-5",
    },
    "consents": {
        "id": "c-1",
        "recipient": "13900001234",
        "owner": "91110000MA00000001",
        "action": "grant",
        "effective_at": NOW - 40 * DAY,
        "types": ["marketing", "service.bill"],
        "method": "opt_in_form",
        "expires_at": NOW + 300 * DAY,
        "max_per_day": 3,
        "proof": {"id": "p-1", "sha256": "0f" * 32, "captured_at": NOW - 40 * DAY},
        "recorded_at": NOW - HOUR,
    },
    "replies": {
        "id": "r-1",
        "recipient": "13900001234",
        "port": "106912345678",
        "text": "TD",
        "received_at": NOW - 5000,
        "carrier": "cucc",
        "recorded_at": NOW - 1000,
    },
    "reports": {
        "send_id": "s-1",
        "recipient": "13900001234",
        "stat": "DELIVRD",
        "done_at": NOW - 500,
        "recorded_at": NOW,
    },
    "complaints": {
        "id": "k-1",
        "recipient": "13900001234",
        "channel": "12321",
        "port": "106912345678",
        "received_at": NOW - HOUR,
        "text": "【悦购】天天发",
        "signature": "悦购",
        "sent_at": NOW - DAY,
        "send_id": "s-1",
        "recorded_at": NOW - HOUR,
    },
    "signatures": {
        "id": "f-1",
        "signature": "悦购",
        "owner": "91110000MA00000001",
        "uses": ["otp", "marketing.retail"],
        "ports": ["10691234", "1062"],
        "valid_from": NOW - 500 * DAY,
        "valid_until": NOW + 500 * DAY,
        "sps": ["sp-042"],
        "carriers": ["cmcc", "cucc"],
        "provinces": ["11", "31"],
        "status": "approved",
        "recorded_at": NOW - 400 * DAY,
    },
    "ports": {
        "id": "n-1",
        "port": "10691234",
        "holder": "sp-042",
        "valid_from": NOW - 500 * DAY,
        "valid_until": NOW + 500 * DAY,
        "purpose": "marketing",
        "provinces": ["11"],
        "carriers": ["cmcc"],
        "recorded_at": NOW - 400 * DAY,
    },
    "letters": {
        "id": "l-1",
        "grantor": "sp-001",
        "grantee": "sp-042",
        "valid_from": NOW - 500 * DAY,
        "valid_until": NOW + 500 * DAY,
        "signatures": ["悦购"],
        "ports": ["1069"],
        "recorded_at": NOW,
    },
    "templates": {
        "id": "t-9",
        "signature": "悦购",
        "use": "marketing.retail",
        "pattern": "{name}，全场{n}折，拒收请回复R",
        "valid_from": NOW - 500 * DAY,
        "valid_until": NOW + 500 * DAY,
        "urls": ["https://yuegou.example/"],
        "recorded_at": NOW,
    },
    "owners": {
        "id": "91110000MA00000001",
        "name": "悦购（北京）有限公司",
        "group": "悦购",
        "sp": "sp-042",
        "recorded_at": NOW,
    },
}

RECIPIENT_KINDS = ("sends", "consents", "replies", "reports", "complaints")
REGISTRY_KINDS = ("signatures", "ports", "letters", "templates", "owners")
PHONE = "13900005678"
SECRET = "您的积分即将清零"
BIG = str(2**63)


def key_of(kind: str, fields: dict[str, Any]) -> bytes:
    return str(fields.get("id" if kind in REGISTRY_KINDS else "recipient")).encode()


def read(kind: str, value: bytes | None, key: bytes | None = None, form: str = "number") -> Any:
    """Read one value under the key of the valid record of its kind, unless another is given."""
    reader = Reader(kind, recipient_form=form)  # type: ignore[arg-type]
    return reader(key_of(kind, VALID[kind]) if key is None else key, value, NOW, Counter())


def read_changed(kind: str, **changes: Any) -> tuple[Any, Counter[str]]:
    """Read the valid record with some fields changed; `...` drops a field. Also what was left out of it."""
    fields = {name: value for name, value in {**VALID[kind], **changes}.items() if value is not ...}
    ignored: Counter[str] = Counter()
    key = str(fields.get("id" if kind in REGISTRY_KINDS else "recipient")).encode(errors="replace")
    reader = Reader(kind, recipient_form="number")
    return reader(key, json.dumps(fields).encode(), NOW, ignored), ignored


def reason(result: Any) -> str:
    return result.reason if isinstance(result, Rejected) else "accepted"


def spliced(kind: str, *, inside: str = "", after: str = "", **raw: str) -> bytes:
    """Write the valid record with some fields' JSON given as text, for what `json.dumps` would not write."""
    members = {name: json.dumps(value, ensure_ascii=False) for name, value in VALID[kind].items()} | raw
    written = [f'"{name}":{text}' for name, text in members.items()]
    return ("{" + ",".join([*written, inside] if inside else written) + "}" + after).encode()


# --- what is in order


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_record_keeps_every_field(kind: str) -> None:
    """All fields of the contract come through as they were written."""
    record = read(kind, json.dumps(VALID[kind]).encode())
    assert type(record) is KINDS[kind]
    assert json.loads(msgspec.json.encode(record)) == VALID[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_are_the_contracts_own(kind: str) -> None:
    """The table of fields has each field of the contract's tables, and no other."""
    assert list(FIELDS[kind]) == list(VALID[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gap", ["absent", "null"])
def test_optional_fields_may_be_absent_or_null(kind: str, gap: str) -> None:
    """Absent and null are the same: the default."""
    needed = {name for name, field in FIELDS[kind].items() if field.required}
    fields = {name: value for name, value in VALID[kind].items() if name in needed}
    expected_defaults = {"types": ["marketing"], "status": "approved", "purpose": "mixed"}
    if gap == "null":
        fields |= {name: None for name in VALID[kind] if name not in needed}
    record = read(kind, json.dumps(fields).encode())
    absent = {name: expected_defaults.get(name) for name in VALID[kind] if name not in needed}
    assert json.loads(msgspec.json.encode(record)) == fields | absent


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_can_be_made_from_the_same_table(kind: str) -> None:
    """The annotations are enough for a JSON Schema, the patterns of a send included."""
    schema = msgspec.json.schema(KINDS[kind])["$defs"][KINDS[kind].__name__]
    assert list(schema["properties"]) == list(VALID[kind])
    port = schema["properties"].get("port")
    assert port is None or "pattern" in port


def test_a_send_counts_at_its_delivery_else_when_it_was_sent() -> None:
    """`at` is the scheduled time where there is one."""
    scheduled, _ = read_changed("sends", deliver_at=NOW + HOUR)
    plain, _ = read_changed("sends", deliver_at=...)
    assert (scheduled.at, plain.at) == (NOW + HOUR, VALID["sends"]["sent_at"])


@pytest.mark.parametrize(
    ("recorded_at", "arrived"),
    [
        (None, NOW),
        (NOW, NOW),
        (NOW + 1, NOW),
        (NOW - DAY, NOW - DAY),
        (NOW - DAY - 1, NOW - DAY),
        (-5, NOW - DAY),
        (NOW - HOUR, NOW - HOUR),
    ],
)
def test_a_fact_arrived_as_recorded_within_a_day(recorded_at: int | None, arrived: int) -> None:
    """Outside the day up to the Kafka timestamp the nearer end counts."""
    assert arrival(NOW, recorded_at) == arrived


def test_names_may_be_escaped_and_the_last_of_two_counts() -> None:
    """An earlier value of a name is not even looked at."""
    result = read("sends", spliced("sends", inside='"\\u0073p":7,"sp":"\\ud800","s\\u0070":"last"'))
    assert isinstance(result, Send)
    assert result.sp == "last"
    assert reason(read("sends", spliced("sends", inside='"sp":null'))) == "missing_field"
    cleared = read("sends", spliced("sends", inside='"carrier":null'))
    assert isinstance(cleared, Send)
    assert cleared.carrier is None


UNREAD = {
    "deep nesting": "[" * 20_000 + "]" * 20_000,
    "deep objects": '{"a":' * 9_000 + "1" + "}" * 9_000,
    "a lone surrogate": '"\\ud800"',
    "a name with a lone surrogate": '{"\\udfff":[]}',
    "a number out of all range": "-1e400",
    "a number of many digits": "1" * 30_000,
    "blanks": " \t\r\n{ } \n",
    "a NUL escape": '"\\u0000"',
}


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_in_unknown_fields_is_skipped_unread(kind: str, text: str) -> None:
    """Whatever JSON an unknown field holds, the record is read, and its own fields are judged."""
    assert type(read(kind, spliced(kind, inside=f'"later":{text}'))) is KINDS[kind]
    surrounded = b" \r\n" + spliced(kind, inside=f'"later":{text}') + b" \t"
    assert type(read(kind, surrounded)) is KINDS[kind]
    first = next(iter(VALID[kind]))
    assert reason(read(kind, spliced(kind, inside=f'"later":{text},"{first}":5'))) == "wrong_type"


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD.keys())
def test_unknown_members_of_a_part_or_a_proof_are_skipped_too(text: str) -> None:
    """What is known of a part or a proof still counts."""
    send = read("sends", spliced("sends", part=f'{{"ref":"a","no":9,"x":{text},"total":3,"no":2}}'))
    assert isinstance(send, Send)
    assert send.part == Part("a", 2, 3)
    proof = json.dumps(VALID["consents"]["proof"])
    consent = read("consents", spliced("consents", proof=proof[:-1] + f',"x":{text}}}'))
    assert isinstance(consent, Consent)
    assert consent.proof is not None


def test_the_reader_forgets_what_came_before() -> None:
    """Records with and without unknown fields in any run are read as each would be alone."""
    reader = Reader("sends", recipient_form="number")
    key = key_of("sends", VALID["sends"])
    plain, more = spliced("sends"), spliced("sends", inside='"more":"é"')
    torn = spliced("sends", inside='"more":"?"').replace(b"?", b"\xe9")
    sure = reader(key, plain, NOW, Counter())
    for value in [more, plain, torn, plain, torn, more, more, torn, *[more, plain] * 100]:
        result = reader(key, value, NOW, Counter())
        assert result == sure if value != torn else reason(result) == "not_utf8"


# --- what is refused

MALFORMED_SENDS: dict[str, tuple[bytes | None, str]] = {
    "no value": (None, "no_value"),
    "one byte too many": (spliced("sends", after=" " * 65_537)[:65_537], "too_large"),
    "too large and no JSON": (b"\xff" * 70_000, "too_large"),
    "bytes that are not UTF-8": (b"\xff\xfe\x00", "not_utf8"),
    "not UTF-8 in a known field": (spliced("sends", sp='"?"').replace(b"?", b"\xe9"), "not_utf8"),
    "not UTF-8 in an unknown field": (
        spliced("sends", inside='"x":"?"').replace(b'"?"', b'"\xe9"'),
        "not_utf8",
    ),
    "not UTF-8 in an unknown name": (spliced("sends", inside='"?":1').replace(b'"?"', b'"\xe9"'), "not_utf8"),
    "a surrogate in UTF-8": (spliced("sends", sp='"?"').replace(b"?", b"\xed\xa0\x80"), "not_utf8"),
    "an overlong NUL": (spliced("sends", sp='"?"').replace(b"?", b"\xc0\x80"), "not_utf8"),
    "GB 18030": (spliced("sends").decode().encode("gb18030"), "not_utf8"),
    "nothing": (b"", "not_json"),
    "blanks alone": (b" \n ", "not_json"),
    "a byte order mark": (b"\xef\xbb\xbf" + spliced("sends"), "not_json"),
    "a NUL behind": (spliced("sends", after="\0"), "not_json"),
    "a second object behind": (spliced("sends", after="{}"), "not_json"),
    "cut short": (spliced("sends")[:-1], "not_json"),
    "a comma too many": (spliced("sends", inside='"x":1,'), "not_json"),
    "NaN": (spliced("sends", inside='"x":NaN'), "not_json"),
    "Infinity": (spliced("sends", sent_at="Infinity"), "not_json"),
    "a leading zero": (spliced("sends", sent_at="01"), "not_json"),
    "a broken unknown field": (spliced("sends", inside='"x":[1 2]'), "not_json"),
    "brackets crossed": (spliced("sends", inside='"x":[{"a":1]}'), "not_json"),
    "a bare newline in a string": (spliced("sends", text='"a\nb"'), "not_json"),
    "an escape that is none": (spliced("sends", text='"\\x41"'), "not_json"),
    "single quotes": (b"{'id':'a'}", "not_json"),
    "deep nesting never closed": (spliced("sends", inside='"x":' + "[" * 30_000), "not_json"),
    "text": ("您好".encode(), "not_json"),
    "an array": (b"[" + spliced("sends") + b"]", "not_object"),
    "a string": (b'"x"', "not_object"),
    "a number": (b"17", "not_object"),
    "null": (b" null ", "not_object"),
    "an array too deep for most": (b"[" * 20_000 + b"]" * 20_000, "not_object"),
    "an empty object": (b"{}", "missing_field"),
    "no id": (json.dumps({k: v for k, v in VALID["sends"].items() if k != "id"}).encode(), "missing_field"),
    "a null port": (spliced("sends", port="null"), "missing_field"),
    "a null sent_at said last": (spliced("sends", inside='"sent_at":null'), "missing_field"),
    "a number for an id": (spliced("sends", id="5"), "wrong_type"),
    "a number for a port": (spliced("sends", port="1069"), "wrong_type"),
    "an object for an SP": (spliced("sends", sp='{"id":"a"}'), "wrong_type"),
    "a text for a time": (spliced("sends", sent_at=f'"{NOW}"'), "wrong_type"),
    "a whole float for a time": (spliced("sends", sent_at=f"{NOW}.0"), "wrong_type"),
    "an exponent for a time": (spliced("sends", sent_at="1e12"), "wrong_type"),
    "a float out of range for a time": (spliced("sends", sent_at="1e999"), "wrong_type"),
    "a truth for a time": (spliced("sends", sent_at="true"), "wrong_type"),
    "an empty id": (spliced("sends", id='""'), "impossible_value"),
    "an id of 129": (spliced("sends", id=f'"{"i" * 129}"'), "impossible_value"),
    "a lone surrogate in an id": (spliced("sends", id='"a\\udc00"'), "impossible_value"),
    "a surrogate pair the wrong way": (spliced("sends", sp='"\\ude00\\ud83d"'), "impossible_value"),
    "a port with a letter": (spliced("sends", port='"1069a"'), "impossible_value"),
    "a port with full-width digits": (spliced("sends", port='"１０６９"'), "impossible_value"),
    "a port with a newline": (spliced("sends", port='"1069\\n"'), "impossible_value"),
    "an empty port": (spliced("sends", port='""'), "impossible_value"),
    "a port of 41 digits": (spliced("sends", port=f'"{"1" * 41}"'), "impossible_value"),
    "seconds for milliseconds": (spliced("sends", sent_at=str(NOW // 1000)), "impossible_value"),
    "a time below zero": (spliced("sends", sent_at="-1"), "impossible_value"),
    "minus zero": (spliced("sends", sent_at="-0"), "impossible_value"),
    "a time before 2000": (spliced("sends", sent_at="946655999999"), "impossible_value"),
    "a time of tomorrow": (spliced("sends", sent_at=str(NOW + DAY + 1)), "impossible_value"),
    "a time beyond 64 bits": (spliced("sends", sent_at=BIG), "impossible_value"),
    "a time of 5000 digits": (spliced("sends", sent_at="9" * 5000), "impossible_value"),
    "an empty recipient": (spliced("sends", recipient='""'), "impossible_value"),
    "a recipient of 129": (spliced("sends", recipient=f'"{"1" * 129}"'), "impossible_value"),
    "a recipient with a plus": (spliced("sends", recipient='"+8613900005678"'), "recipient_form"),
    "another's key": (spliced("sends", recipient='"13900005679"'), "key_mismatch"),
}


@pytest.mark.parametrize("name", MALFORMED_SENDS)
def test_a_malformed_send_is_refused_for_its_reason(name: str) -> None:
    """Each of these is refused, for the reason that the contract gives it."""
    value, due = MALFORMED_SENDS[name]
    assert reason(read("sends", value)) == due


MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    ("consents", {"action": ...}, "missing_field"),
    ("consents", {"action": 1}, "wrong_type"),
    ("consents", {"action": "revoke"}, "impossible_value"),
    ("consents", {"owner": ""}, "impossible_value"),
    ("consents", {"effective_at": NOW + DAY + 1, "recorded_at": None}, "impossible_value"),
    ("consents", {"effective_at": NOW - HOUR, "recorded_at": NOW - DAY - 2 * HOUR}, "accepted"),
    ("consents", {"effective_at": NOW + 1, "recorded_at": NOW - DAY}, "impossible_value"),
    ("consents", {"types": "marketing"}, "wrong_type"),
    ("consents", {"types": ["marketing", 5]}, "wrong_type"),
    ("consents", {"types": ["marketing", None]}, "wrong_type"),
    ("consents", {"types": [""]}, "impossible_value"),
    ("consents", {"types": ["marketing."]}, "impossible_value"),
    ("consents", {"method": 7}, "wrong_type"),
    ("consents", {"method": "a nod"}, "accepted"),
    ("consents", {"max_per_day": 0}, "impossible_value"),
    ("consents", {"max_per_day": 1.0}, "wrong_type"),
    ("consents", {"expires_at": 5}, "impossible_value"),
    ("consents", {"proof": "p-1"}, "wrong_type"),
    ("consents", {"proof": {"id": "p-1", "sha256": "00" * 32}}, "impossible_value"),
    ("consents", {"proof": {"id": 5, "sha256": "00" * 32, "captured_at": NOW}}, "wrong_type"),
    ("consents", {"proof": {"id": None, "sha256": "00" * 32, "captured_at": NOW}}, "impossible_value"),
    ("consents", {"proof": {"id": "p-1", "sha256": "00" * 31, "captured_at": NOW}}, "impossible_value"),
    ("consents", {"recorded_at": "now"}, "wrong_type"),
    ("consents", {"recorded_at": 2**63}, "impossible_value"),
    ("consents", {"recorded_at": -5, "effective_at": NOW - HOUR}, "accepted"),
    ("replies", {"text": ...}, "missing_field"),
    ("replies", {"text": ["TD"]}, "wrong_type"),
    ("replies", {"text": "\ud800"}, "impossible_value"),
    ("replies", {"text": ""}, "accepted"),
    ("replies", {"port": "1069 1"}, "impossible_value"),
    ("replies", {"port": "1069\n"}, "impossible_value"),
    ("replies", {"received_at": NOW + DAY + 1}, "impossible_value"),
    ("replies", {"recipient": "8613900005678"}, "recipient_form"),
    ("reports", {"send_id": None}, "missing_field"),
    ("reports", {"stat": 0}, "wrong_type"),
    ("reports", {"stat": ""}, "impossible_value"),
    ("reports", {"done_at": 946_655_999_999}, "impossible_value"),
    ("complaints", {"channel": None}, "missing_field"),
    ("complaints", {"channel": 12321}, "wrong_type"),
    ("complaints", {"channel": "c" * 129}, "impossible_value"),
    ("complaints", {"received_at": 2**70}, "impossible_value"),
    ("signatures", {"uses": ...}, "missing_field"),
    ("signatures", {"status": "revoked", "valid_until": ...}, "missing_field"),
    ("signatures", {"status": "revoked", "valid_until": None, "valid_from": "x"}, "missing_field"),
    ("signatures", {"status": "revoked"}, "accepted"),
    ("signatures", {"uses": "otp"}, "wrong_type"),
    ("signatures", {"uses": ["loans"]}, "impossible_value"),
    ("signatures", {"uses": ["marketing.finance", "otp.login"]}, "accepted"),
    ("signatures", {"uses": ["marketing..x"]}, "impossible_value"),
    ("signatures", {"ports": [1069]}, "wrong_type"),
    ("signatures", {"ports": [""]}, "impossible_value"),
    ("signatures", {"provinces": ["1"]}, "impossible_value"),
    ("signatures", {"provinces": ["11\n"]}, "impossible_value"),
    ("signatures", {"uses": ["otp\n"]}, "impossible_value"),
    ("signatures", {"provinces": "11"}, "wrong_type"),
    ("signatures", {"sps": [""]}, "impossible_value"),
    ("signatures", {"status": "gone"}, "impossible_value"),
    ("signatures", {"status": 1}, "wrong_type"),
    ("signatures", {"signature": "s" * 129}, "impossible_value"),
    ("signatures", {"valid_until": VALID["signatures"]["valid_from"] - 1}, "impossible_value"),
    ("signatures", {"valid_until": VALID["signatures"]["valid_from"]}, "accepted"),
    ("signatures", {"valid_until": 5.0}, "wrong_type"),
    ("signatures", {"recorded_at": False}, "wrong_type"),
    ("signatures", {"valid_from": NOW + 400 * DAY, "valid_until": None}, "accepted"),
    ("ports", {"holder": None}, "missing_field"),
    ("ports", {"port": ["1069"]}, "wrong_type"),
    ("ports", {"port": "1069*"}, "impossible_value"),
    ("ports", {"purpose": "both"}, "impossible_value"),
    ("ports", {"carriers": {}}, "wrong_type"),
    ("letters", {"grantee": ...}, "missing_field"),
    ("letters", {"signatures": "all"}, "wrong_type"),
    ("letters", {"ports": ["10-69"]}, "impossible_value"),
    ("letters", {"valid_until": 946_656_000_000}, "impossible_value"),
    ("templates", {"pattern": ...}, "missing_field"),
    ("templates", {"use": 5}, "wrong_type"),
    ("templates", {"use": "marketing "}, "impossible_value"),
    ("templates", {"pattern": ""}, "impossible_value"),
    ("templates", {"urls": [""]}, "impossible_value"),
    ("owners", {"name": ...}, "missing_field"),
    ("owners", {"group": 5}, "wrong_type"),
    ("owners", {"sp": ""}, "impossible_value"),
    ("owners", {"id": "o" * 129}, "impossible_value"),
]


@pytest.mark.parametrize(("kind", "changes", "due"), MALFORMED)
def test_a_malformed_record_is_refused_for_its_reason(kind: str, changes: dict[str, Any], due: str) -> None:
    """In grants and registries a bad optional field refuses the record like a required one."""
    result, ignored = read_changed(kind, **changes)
    assert reason(result) == due
    assert not ignored


@pytest.mark.parametrize("kind", KINDS)
def test_no_key_or_another_key_is_a_mismatch(kind: str) -> None:
    """The key must be the value's recipient, or its id in registries."""
    value = json.dumps(VALID[kind]).encode()
    reader = Reader(kind, recipient_form="number")
    for key in (None, b"", b"x", b"\xff", key_of(kind, VALID[kind]) + b" "):
        assert reason(reader(key, value, NOW, Counter())) == "key_mismatch"


def test_the_first_reason_that_applies_is_given() -> None:
    """A record with every fault at once loses them one by one, in the contract's order."""
    faults = {"sent_at": ..., "port": 5, "sp": "", "recipient": "+1", "province": "?"}
    seen = []
    for name in list(faults):
        seen.append(reason(read_changed("sends", **faults)[0]))
        del faults[name]
    assert seen == ["missing_field", "wrong_type", "impossible_value", "recipient_form", "accepted"]


# --- what is left out


BAD_OPTIONALS: list[tuple[str, str, Any]] = [
    ("sends", "text", 5),
    ("sends", "text", "\udc00"),
    ("sends", "category", "loans"),
    ("sends", "category", "marketing."),
    ("sends", "category", ["otp"]),
    ("sends", "template", ""),
    ("sends", "carrier", "c" * 129),
    ("sends", "province", 11),
    ("sends", "province", "1"),
    ("sends", "province", "１１"),
    ("sends", "province", "110000"),
    ("sends", "deliver_at", VALID["sends"]["sent_at"] - 1),
    ("sends", "deliver_at", VALID["sends"]["sent_at"] + 72 * HOUR + 1),
    ("sends", "deliver_at", "later"),
    ("sends", "deliver_at", 2**63),
    ("sends", "part", 1),
    ("sends", "part", {}),
    ("sends", "part", {"ref": 1, "no": 1}),
    ("sends", "part", {"ref": 1, "no": 1, "total": None}),
    ("sends", "part", {"ref": 1, "no": 0, "total": 2}),
    ("sends", "part", {"ref": 1, "no": 3, "total": 2}),
    ("sends", "part", {"ref": 1, "no": 1, "total": 256}),
    ("sends", "part", {"ref": 1.5, "no": 1, "total": 2}),
    ("sends", "part", {"ref": True, "no": 1, "total": 2}),
    ("sends", "part", {"ref": "", "no": 1, "total": 2}),
    ("sends", "part", {"ref": 2**63, "no": 1, "total": 2}),
    ("sends", "part", [1, 1, 2]),
    ("sends", "request", {}),
    ("replies", "carrier", 1),
    ("replies", "recorded_at", "now"),
    ("reports", "recorded_at", 2**63),
    ("complaints", "text", {}),
    ("complaints", "signature", "s" * 129),
    ("complaints", "sent_at", 1),
    ("complaints", "sent_at", NOW + DAY + 1),
    ("complaints", "send_id", ""),
    ("withdrawals", "types", "marketing"),
    ("withdrawals", "types", [""]),
    ("withdrawals", "method", 1),
    ("withdrawals", "expires_at", -1),
    ("withdrawals", "max_per_day", 0),
    ("withdrawals", "proof", {"id": "p"}),
    ("withdrawals", "recorded_at", 1.5),
]


@pytest.mark.parametrize(("kind", "name", "bad"), BAD_OPTIONALS)
def test_a_bad_optional_field_is_left_out_and_counted(kind: str, name: str, bad: Any) -> None:
    """A sender cannot escape judgement by nonsense: the record is read as if the field were absent."""
    kind, withdraw = ("consents", {"action": "withdraw"}) if kind == "withdrawals" else (kind, {})
    result, ignored = read_changed(kind, **withdraw, **{name: bad})
    without, _ = read_changed(kind, **withdraw, **{name: ...})
    assert result == without
    assert isinstance(result, KINDS[kind])
    assert ignored == {name: 1}


def test_several_bad_optional_fields_are_counted_each() -> None:
    """The counter is the caller's: it grows from record to record, by name."""
    ignored: Counter[str] = Counter()
    reader = Reader("sends", recipient_form="number")
    value = spliced("sends", province='"x"', part="5", carrier='""')
    for _ in range(3):
        assert isinstance(reader(key_of("sends", VALID["sends"]), value, NOW, ignored), Send)
    assert ignored == {"province": 3, "part": 3, "carrier": 3}


def test_what_a_refused_record_holds_is_not_counted() -> None:
    """Only a record that is accepted can have a field left out of it."""
    result, ignored = read_changed("sends", province=5, part=5, recipient="+1")
    assert reason(result) == "recipient_form"
    assert not ignored


def test_a_withdrawal_with_bad_types_withdraws_marketing() -> None:
    """What is treated as absent takes its default."""
    result, _ = read_changed("consents", action="withdraw", types=[5])
    assert isinstance(result, Consent)
    assert result.types == ("marketing",)


@pytest.mark.parametrize(
    ("category", "kept"),
    [("otp", True), ("service.bill", True), ("marketing.a.b", True), ("marketings", False), ("OTP", False)],
)
def test_a_category_is_a_known_use_or_below(category: str, kept: bool) -> None:
    """Below is dotted below."""
    result, ignored = read_changed("sends", category=category)
    assert result.category == (category if kept else None)
    assert ignored == ({} if kept else {"category": 1})


@pytest.mark.parametrize("delay", [0, 1, 72 * HOUR])
def test_a_delivery_may_be_up_to_72_hours_off(delay: int) -> None:
    """Both ends are in."""
    sent_at = VALID["sends"]["sent_at"]
    result, ignored = read_changed("sends", deliver_at=sent_at + delay)
    assert result.at == sent_at + delay
    assert not ignored


@pytest.mark.parametrize("at", [946_656_000_000, NOW + DAY])
def test_a_time_may_be_2000_or_a_day_ahead(at: int) -> None:
    """The ends of what is possible are possible."""
    assert read_changed("sends", sent_at=at, deliver_at=...)[0].sent_at == at


@pytest.mark.parametrize(
    ("kind", "name"),
    [("consents", "effective_at"), ("replies", "received_at"), ("reports", "done_at"), ("complaints", "sent_at")],
)
def test_a_fact_may_be_of_a_day_after_its_arrival(kind: str, name: str) -> None:
    """The arrival is as recorded; the end of the day after it is still in."""
    at = NOW - HOUR + DAY
    result, ignored = read_changed(kind, recorded_at=NOW - HOUR, **{name: at})
    assert getattr(result, name) == at
    assert not ignored


def test_the_last_part_is_a_part() -> None:
    """1 ≤ no ≤ total: the ends are in."""
    for no, total in ((1, 1), (2, 2), (255, 255)):
        result, _ = read_changed("sends", part={"ref": -7, "no": no, "total": total})
        assert result.part == Part(-7, no, total)


def test_a_value_may_have_64_kib() -> None:
    """And not one byte more, whatever the bytes are."""
    value = spliced("sends")
    fills = 65_536 - len(value)
    assert isinstance(read("sends", value + b" " * fills), Send)
    assert reason(read("sends", value + b" " * (fills + 1))) == "too_large"
    assert reason(read("sends", b"[" * 65_536)) == "not_json"


# --- recipients and keys


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        ("13900005678", True),
        ("19912345678", True),
        ("0085291234567", True),
        ("0012025550123", True),
        ("0029022222", True),
        ("008613900005678", False),
        ("8613900005678", False),
        ("+8613900005678", False),
        ("1390000567", False),
        ("139000056789", False),
        ("23900005678", False),
        ("000852912345", False),
        ("00852", False),
        ("00" + "4" * 16, False),
        ("139 0000 5678", False),
        ("１３９００００５６７８", False),
        ("1390000567８", False),
        ("13900005678\n", False),
        ("", None),
    ],
)
def test_a_number_is_in_canonical_form_or_refused(number: str, canonical: bool | None) -> None:
    """Mainland numbers as 11 digits, others as 00 and country code: nothing else is one recipient's one name."""
    due = {True: "accepted", False: "recipient_form", None: "impossible_value"}[canonical]
    assert reason(read_changed("sends", recipient=number)[0]) == due


@pytest.mark.parametrize("token", ["x", "用户-7", "+86 139", "t" * 128, "\u0000"])
def test_a_token_may_be_any_string(token: str) -> None:
    """Tokens are opaque."""
    value = spliced("sends", recipient=json.dumps(token))
    assert isinstance(read("sends", value, key=token.encode(), form="token"), Send)


@pytest.mark.parametrize("kind", REGISTRY_KINDS)
def test_a_registry_record_without_value_deletes_its_row(kind: str) -> None:
    """A null value says that the row was recorded in error; its key says which."""
    assert read(kind, None, key="行-7".encode()) == Deletion("行-7")
    for key in (b"", b"\xff", b"k" * 129):
        assert reason(read(kind, None, key=key)) == "key_mismatch"
    assert reason(Reader(kind, recipient_form="number")(None, None, NOW, Counter())) == "key_mismatch"


@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_other_records_need_a_value(kind: str) -> None:
    """Nothing can be deleted from a topic of facts."""
    assert reason(read(kind, None)) == "no_value"


# --- privacy


@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_no_number_and_no_text_gets_into_a_refusal(kind: str) -> None:
    """Whatever is wrong, the detail names fields, types and sizes only."""
    planted = [json.dumps(text, ensure_ascii=False) for text in (PHONE, SECRET, [PHONE], {PHONE: SECRET})]
    values = [spliced(kind, **{name: text}) for name in VALID[kind] for text in planted]
    values += [spliced(kind, inside=f'"{PHONE}":"{SECRET}"', **{name: "[]"}) for name in VALID[kind]]
    values += [PHONE.encode(), f'"{PHONE}"'.encode(), f'{{"{PHONE}":'.encode(), f"{PHONE}\0".encode()]
    values += [b"\xff" + PHONE.encode(), (SECRET * 9000).encode()]
    refusals = []
    for value in values:
        for key in (PHONE.encode(), SECRET.encode(), b"x"):
            result = read(kind, value, key=key)
            if isinstance(result, Rejected):
                refusals.append(result)
                shown = repr(result) + str(msgspec.json.encode(result), "utf-8")
                assert PHONE not in shown
                assert SECRET not in shown
    assert len(refusals) > 10


# --- the oracle: shallow JSON only

Check = Callable[[Any], str]  # "" where the value may stand, else the reason


def _string(fits: Callable[[str], object] = lambda _: True) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            return "wrong_type"
        whole = not any("\ud800" <= character <= "\udfff" for character in value)
        return "" if whole and fits(value) else "impossible_value"

    return check


def _integer(low: int, high: int = 2**63 - 1) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            return "wrong_type"
        return "" if low <= value <= high else "impossible_value"

    return check


def _all_of(item: Check) -> Check:
    def check(value: Any) -> str:
        return max(map(item, value), default="") if isinstance(value, list) else "wrong_type"

    return check


def _object(**members: Check) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return "wrong_type"
        found = [fits(value[name]) for name, fits in members.items() if value.get(name) is not None]
        short = "" if len(found) == len(members) else "impossible_value"
        return max([*found, short])

    return check


def _matching(pattern: str) -> Check:
    return _string(lambda value: len(value) <= 128 and re.fullmatch(pattern, value, re.DOTALL))


def _either(one: Check, other: Check) -> Check:
    return lambda value: min(one(value), other(value))


ANY, NAME, FILLED = _string(), _string(lambda s: 1 <= len(s) <= 128), _string(len)
PORT, PROVINCE = _matching("[0-9]{1,40}"), _matching("[0-9]{2}")
USE, DOTTED = _matching(r"(otp|service|marketing)(\.[^.]+)*"), _matching(r"[^.]+(\.[^.]+)*")
TIME, MOMENT = _integer(946_656_000_000), _integer(-(2**63))
SPAN = {"valid_from": TIME, "valid_until": TIME, "recorded_at": MOMENT}

CHECKS: dict[str, dict[str, Check]] = {
    "sends": {"id": NAME, "recipient": NAME, "sp": NAME, "port": PORT, "sent_at": TIME, "text": ANY}
    | {"category": USE, "template": NAME, "carrier": NAME, "province": PROVINCE, "deliver_at": TIME}
    | {"request": NAME}
    | {"part": _object(ref=_either(NAME, MOMENT), no=_integer(1, 255), total=_integer(1, 255))},
    "consents": {"id": NAME, "recipient": NAME, "owner": NAME, "effective_at": TIME, "method": ANY}
    | {"action": _matching("grant|withdraw"), "types": _all_of(DOTTED), "expires_at": TIME}
    | {"max_per_day": _integer(1), "recorded_at": MOMENT}
    | {"proof": _object(id=NAME, sha256=_matching("[0-9a-fA-F]{64}"), captured_at=TIME)},
    "replies": {"id": NAME, "recipient": NAME, "port": PORT, "text": ANY, "received_at": TIME}
    | {"carrier": NAME, "recorded_at": MOMENT},
    "reports": {"send_id": NAME, "recipient": NAME, "stat": NAME, "done_at": TIME, "recorded_at": MOMENT},
    "complaints": {"id": NAME, "recipient": NAME, "channel": NAME, "port": PORT, "received_at": TIME}
    | {"text": ANY, "signature": NAME, "sent_at": TIME, "send_id": NAME, "recorded_at": MOMENT},
    "signatures": {"id": NAME, "signature": NAME, "owner": NAME, "uses": _all_of(USE), "ports": _all_of(PORT)}
    | {"sps": _all_of(NAME), "carriers": _all_of(NAME), "provinces": _all_of(PROVINCE)}
    | {"status": _matching("approved|pending|rejected|revoked")}
    | SPAN,
    "ports": {"id": NAME, "port": PORT, "holder": NAME, "purpose": _matching("service|marketing|mixed")}
    | {"provinces": _all_of(PROVINCE), "carriers": _all_of(NAME)}
    | SPAN,
    "letters": {"id": NAME, "grantor": NAME, "grantee": NAME, "signatures": _all_of(NAME)}
    | {"ports": _all_of(PORT)}
    | SPAN,
    "templates": {"id": NAME, "signature": NAME, "use": USE, "pattern": FILLED, "urls": _all_of(FILLED)} | SPAN,
    "owners": {"id": NAME, "name": FILLED, "group": NAME, "sp": NAME, "recorded_at": MOMENT},
}
REQUIRED = {
    "sends": "id recipient sp port sent_at",
    "consents": "id recipient owner action effective_at",
    "replies": "id recipient port text received_at",
    "reports": "send_id recipient stat done_at",
    "complaints": "id recipient channel port received_at",
    "signatures": "id signature owner uses ports valid_from",
    "ports": "id port holder valid_from",
    "letters": "id grantor grantee valid_from",
    "templates": "id signature use pattern valid_from",
    "owners": "id name",
}
DEFAULTS: dict[str, Any] = {"types": ["marketing"], "status": "approved", "purpose": "mixed"}


def _loaded(value: bytes) -> Any:
    """Return the object, or the reason why the value holds none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    if len(value) > 65_536:
        return "too_large"
    try:
        text = value.decode()
    except ValueError:
        return "not_utf8"
    try:
        loaded = json.loads(text, parse_constant=refuse, parse_int=lambda digits: int(digits[:4000]))
    except ValueError:
        return "not_json"
    return loaded if isinstance(loaded, dict) else "not_object"


def _at_odds(values: dict[str, Any]) -> set[str]:
    """Name the fields that cannot be so by others, or by the arrival; values are good in themselves."""
    recorded_at = values.get("recorded_at")
    arrived = NOW if recorded_at is None else sorted([NOW - DAY, recorded_at, NOW])[1]
    happened = ("sent_at", "received_at", "done_at", "effective_at")
    odd = {name for name in happened if values.get(name, 0) > arrived + DAY}
    if {"deliver_at", "sent_at"} <= values.keys():
        late = values["deliver_at"] - values["sent_at"]
        odd |= {"deliver_at"} if late < 0 or late > 3 * DAY else set()
    if "part" in values and values["part"]["no"] > values["part"]["total"]:
        odd.add("part")
    if values.get("valid_until", 2**63) < values.get("valid_from", 0):
        odd.add("valid_until")
    return odd


def _canonical(number: str) -> bool:
    mainland = re.fullmatch("1[0-9]{10}", number)
    abroad = re.fullmatch("00[1-9][0-9]{6,14}", number) and not number.startswith("0086")
    return bool(mainland or abroad)


def _kept(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Fill in defaults, and leave out what is unknown of a part or a proof."""
    fields = {name: values.get(name, DEFAULTS.get(name)) for name in CHECKS[kind]}
    for nested, members in (("part", ("ref", "no", "total")), ("proof", ("id", "sha256", "captured_at"))):
        inner = fields.get(nested)
        if inner is not None:
            fields[nested] = {member: inner[member] for member in members}
    return fields


def expected(kind: str, form: str, key: bytes | None, value: bytes) -> tuple[Any, Counter[str]]:
    """Return the reason of refusal, or the record's fields as JSON; and the names of the fields left out."""
    nothing: Counter[str] = Counter()
    loaded = _loaded(value)
    if isinstance(loaded, str):
        return loaded, nothing
    values = {name: loaded[name] for name in CHECKS[kind] if loaded.get(name) is not None}
    required = set(REQUIRED[kind].split())
    if values.get("status") == "revoked":
        required.add("valid_until")
    if not required <= values.keys():
        return "missing_field", nothing
    strict = kind in REGISTRY_KINDS or values.get("action") == "grant"
    judged = {name: CHECKS[kind][name](value) for name, value in values.items()}
    good = {name: value for name, value in values.items() if not judged[name]}
    judged |= dict.fromkeys(_at_odds(good), "impossible_value")
    bad = {name: why for name, why in judged.items() if why}
    refused = {why for name, why in bad.items() if strict or name in required}
    if refused:
        return max(refused), nothing  # by chance also the alphabet puts the wrong type first
    name = values["id" if kind in REGISTRY_KINDS else "recipient"]
    if kind not in REGISTRY_KINDS and form == "number" and not _canonical(name):
        return "recipient_form", nothing
    if key != name.encode():
        return "key_mismatch", nothing
    return _kept(kind, {name: each for name, each in values.items() if name not in bad}), Counter(bad.keys())


# --- against the oracle

EDGES: list[Any] = [
    *("", "x", "11", "otp", "marketing.finance", "grant", "withdraw", "revoked", "pending", "1069", "\ud800"),
    *(PHONE, "0085291234567", "+86", "i" * 128, "i" * 129, "1" * 41, "1069\n", "\u0000", "é", "😀"),
    *(0, 1, 255, 256, NOW, NOW + DAY, NOW + DAY + 1, NOW - DAY, 946_656_000_000, 946_655_999_999),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**40, 1.0, 1e300, True, False, None),
    *([], ["otp"], ["marketing", "marketing.x"], ["11"], [None], [["x"]], {}, {"id": "p"}),
    *({"ref": "r", "no": 1, "total": 1}, {"ref": 7, "no": 2, "total": 1}, {"ref": None, "no": 1, "total": 2}),
    {"id": "p", "sha256": "aB" * 32, "captured_at": NOW},
]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
RAW = st.sampled_from(
    [
        "-0",
        "1e400",
        "1E2",
        "1.",
        "01",
        "NaN",
        "nul",
        "9" * 4400,
        '"\\ud83d\\ude00"',
        '"\\ude00"',
        '"a\tb"',
        "[1,]",
    ]
)


@st.composite
def values(draw: st.DrawFn) -> tuple[str, bytes, bytes | None]:
    """Draw a kind, a valid record of it after some mutations, and a key."""
    kind = draw(st.sampled_from(list(KINDS)))
    escaped = draw(st.booleans())
    members = list(VALID[kind].items())
    if draw(st.booleans()):
        members = [member for member in members if FIELDS[kind][member[0]].required]
    written = [(json.dumps(name), json.dumps(value, ensure_ascii=escaped)) for name, value in members]
    names = st.sampled_from(["more", "\ud800", *VALID[kind]]).map(json.dumps)
    odd = st.sampled_from(EDGES).map(json.dumps) | JSON_VALUES.map(json.dumps) | RAW
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(written) - 1)) if written else 0
        match draw(st.sampled_from(["replace", "replace", "drop", "insert", "append"])):
            case "replace" if written:
                written[at] = (written[at][0], draw(odd))
            case "drop" if written:
                del written[at]
            case "insert":
                written.insert(at, (draw(names), draw(odd)))
            case _:
                written.append((draw(names), draw(odd)))
    blank = draw(st.sampled_from(["", " ", "\n\t"]))
    text = "{" + ",".join(f"{blank}{name}{blank}:{blank}{raw}{blank}" for name, raw in written) + "}"
    value = text.encode()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(st.binary(max_size=2)) + value[at + draw(st.integers(0, 2)) :]
    try:
        key = key_of(kind, dict(json.loads(value)))
    except (ValueError, TypeError):
        key = key_of(kind, VALID[kind])
    return kind, value, draw(st.sampled_from([key, key, key, key, b"x", None]))


@settings(deadline=None)
@given(values(), st.sampled_from(["number", "token"]))
def test_any_record_is_read_as_the_oracle_reads_it(record: tuple[str, bytes, bytes | None], form: Any) -> None:
    """The reason, every field and what was left out are what the contract says, for any mutation."""
    kind, value, key = record
    ignored: Counter[str] = Counter()
    result = Reader(kind, recipient_form=form)(key, value, NOW, ignored)
    due, left_out = expected(kind, form, key, value)
    assert (result.reason if isinstance(result, Rejected) else json.loads(msgspec.json.encode(result))) == due
    assert ignored == left_out


@settings(deadline=None)
@given(st.lists(values(), max_size=5), st.sampled_from(["number", "token"]))
def test_the_short_way_and_the_long_way_agree(records: list[tuple[str, bytes, bytes | None]], form: Any) -> None:
    """Examining gives the very same record, reason and counts as reading, whatever was read before."""
    readers = {kind: Reader(kind, recipient_form=form) for kind in KINDS}
    for kind, value, key in records:
        short: Counter[str] = Counter()
        long: Counter[str] = Counter()
        result = readers[kind](key, value, NOW, short)
        examined = readers[kind].examine(key, value, NOW, long)
        assert type(result) is type(examined)
        assert result == examined or reason(result) == reason(examined) != "accepted"
        assert short == long


def strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)


@given(st.text(alphabet='{}[]:,"\\ \n019.eE+-truefalsn/ud8\x00é', max_size=24) | JSON_VALUES.map(json.dumps))
@example('{"a":[1,{"b":2}],"a" : -0.5e+3 }')
@example('{"a":{"b":{}},"c":[[]]}')
@example('[{"a":1},"b"]')
@example('{"a":1}}')
@example('{"a" 1}')
@example("[1,]")
@example("[,1]")
@example("[1.]")
@example("[1.5e]")
@example("[-]")
@example("[01]")
@example('{"a":1,}')
@example("{,}")
@example('"\\u12"')
def test_our_own_outline_takes_what_is_json_and_nothing_else(text: str) -> None:
    """The outline of a JSON text has its members or items as `json.loads` has them; else it raises."""
    text = text.strip(" \t\n\r")
    try:
        due = strictly(text)
    except ValueError:
        with pytest.raises(ValueError, match="not JSON"):
            list(inside_of(text))
        return
    inside = [(json.loads(name), strictly(raw)) for name, raw in inside_of(text)]
    if isinstance(due, dict):
        assert dict(inside) == due
    else:
        assert [item for _, item in inside] == (due if isinstance(due, list) else [])


def test_a_filing_is_equal_however_it_was_read() -> None:
    """Unknown fields leave no trace in the type or the value."""
    plain = read("signatures", spliced("signatures"))
    assert plain == read("signatures", spliced("signatures", inside='"x":1'))
    assert plain == read("signatures", spliced("signatures", inside='"x":"\\ud800"'))
    assert type(plain) is Filing
