"""What a flag rests on: the records that it names, those that its rule looks at, and nothing that hides a person."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from evidence_builders import AT, KEY, a_flag

from sendwatch.days import DAY, HOUR
from sendwatch.evidence.facts import Case, facts_of
from sendwatch.evidence.seal import Marks

if TYPE_CHECKING:
    from sendwatch.evidence.pack import Fact

MARKS = Marks(KEY)
ANNE = "13800000001"


class Raw(NamedTuple):
    """A record as Kafka would give it."""

    topic: str
    offset: int
    value: bytes | None
    timestamp: int = AT
    partition: int = 0
    key: bytes = ANNE.encode()


def record(kind: str, offset: int, timestamp: int = AT, **fields: Any) -> Raw:
    """A record of Anne, or of a registry."""
    return Raw(f"sms.{kind}", offset, msgspec.json.encode(fields), timestamp)


SENT: dict[str, Any] = {
    "id": "s1",
    "recipient": ANNE,
    "sp": "SP1",
    "port": "106901",
    "sent_at": AT,
    "category": "marketing",
}
SEND = record("sends", 3, **SENT, text="【云岭商贸】特惠")
REFUSAL = record("consents", 1, id="w1", recipient=ANNE, owner="O1", action="withdraw", effective_at=AT - DAY)
GRANT = record("consents", 0, id="g1", recipient=ANNE, owner="O1", action="grant", effective_at=AT - 9 * DAY)


def found(flag: dict[str, Any] | None = None, send: Raw | None = SEND, **records: list[Raw]) -> list[Fact]:
    """The facts of one flag."""
    return list(facts_of(Case([flag or a_flag()], send, records, 72 * HOUR), MARKS))


def places(facts: list[Fact]) -> list[tuple[str, int, bool]]:
    """Where they lie, and whether the flag names them."""
    return [(fact.kind, fact.offset, fact.used) for fact in facts]


def test_the_send_comes_first_and_what_the_flag_names_is_marked_as_used() -> None:
    """The withdrawal is named, the grant before it was only looked at."""
    told = places(found(consents=[GRANT, REFUSAL]))
    assert told == [("sends", 3, True), ("consents", 0, False), ("consents", 1, True)]


def test_neither_the_number_nor_the_text_is_told() -> None:
    """Also where the number stands in another field; the text by a keyed hash, the same for the same text."""
    sly = record("consents", 2, id=f"of-{ANNE}", recipient=ANNE, owner="O1", action="grant", effective_at=AT - DAY)
    told = msgspec.json.encode(
        found(consents=[sly], replies=[record("replies", 0, id="r", recipient=ANNE, text="退订")])
    )
    assert ANNE.encode() not in told
    assert "特惠".encode() not in told
    assert "退订".encode() not in told
    assert MARKS.of_text("【云岭商贸】特惠").encode() in told


def test_a_record_of_a_person_is_marked_under_a_nonce_and_a_registrys_is_hashed_as_it_is() -> None:
    """Whoever is shown the record and the nonce finds the mark; a row's hash anybody can make."""
    row = record("signatures", 5, id="F1", signature="云岭商贸", owner="O1")
    send, filing = found(signatures=[row])
    assert send.marked == sha256(MARKS.nonce("sms.sends:0:3") + (SEND.value or b"")).hexdigest()
    assert not send.sha256
    assert filing.sha256 == sha256(row.value or b"").hexdigest()
    assert not filing.marked


def test_what_arrived_after_the_window_does_not_count() -> None:
    """By when it was recorded, where it says so."""
    late = record("consents", 2, AT + 73 * HOUR, id="w2", recipient=ANNE, effective_at=AT)
    in_time = record("consents", 4, AT + 73 * HOUR, id="w3", recipient=ANNE, recorded_at=AT + 71 * HOUR)
    assert places(found(consents=[late, in_time]))[1:] == [("consents", 4, False)]


def test_only_kinds_that_the_rule_looks_at_are_told() -> None:
    """Consents are nothing to a signature that is not filed; its filings are, those of other names are not."""
    flag = a_flag(rule="G2_SIGNATURE_UNFILED", evidence={})
    own = record("signatures", 1, id="F1", signature="云岭 商贸", owner="O1")
    other = record("signatures", 2, id="F2", signature="别家", owner="O2")
    assert places(found(flag, consents=[REFUSAL], signatures=[own, other]))[1:] == [("signatures", 1, False)]


def test_the_port_and_the_broken_letter_of_a_sublease_are_told() -> None:
    """A port is named by its prefix."""
    flag = a_flag(rule="G5_SUBLEASE", evidence={"port": "1069", "letter": "L9"})
    ports = [record("ports", 0, id="P1", port="1069", holder="H"), record("ports", 1, id="P2", port="1068", holder="H")]
    letters = [record("letters", 0, id="L9", grantor="H", grantee="X"), record("letters", 1, id="L8", grantor="A")]
    told = places(found(flag, ports=ports, letters=letters))[1:]
    assert told == [("ports", 0, True), ("letters", 0, True)]


def test_neighbours_are_told_where_the_rule_counts_them() -> None:
    """Those of the three days before; parts of a long message always."""
    before = record("sends", 1, id="s0", recipient=ANNE, sp="SP1", port="106901", sent_at=AT - HOUR)
    old = record("sends", 0, id="s9", recipient=ANNE, sp="SP1", port="106901", sent_at=AT - 4 * DAY)
    assert places(found(a_flag(rule="B2_FREQUENCY"), sends=[old, before, SEND]))[1:] == [("sends", 1, False)]
    assert places(found(sends=[old, before, SEND])) == [("sends", 3, True)]
    parts = [
        record("sends", n, id=f"p{n}", recipient=ANNE, port="1", sent_at=AT, part={"ref": 1, "no": n + 1, "total": 2})
        for n in range(2)
    ]
    assert places(found(send=parts[0], sends=parts)) == [("sends", 0, True), ("sends", 1, False)]


def test_what_cannot_be_read_is_passed_over() -> None:
    """It was quarantined, so it counts for nothing; nor does a row without an id."""
    broken = [Raw("sms.consents", n, value) for n, value in enumerate((b"{", b"[" * 9999, b"\xff", b"1", None))]
    assert places(found(consents=[*broken, record("consents", 9, recipient=ANNE)])) == [("sends", 3, True)]


def test_a_send_that_retention_has_taken_leaves_no_facts() -> None:
    """The flag itself still stands in the pack."""
    assert found(send=None, consents=[REFUSAL]) == []
