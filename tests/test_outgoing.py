"""What comes out: the shape of every published record, as contract §5 has it."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from build import NOW, RULES, a_filing, a_grant, a_kept, a_reply, a_send, a_withdrawal, about, ask
from sendwatch import law
from sendwatch.judge import Rulebook, Setting, flag_id
from sendwatch.ledger import Version
from sendwatch.outgoing import (
    Because,
    FlagEvent,
    FlaggedSend,
    Message,
    OptoutEvent,
    Place,
    epoch_of,
    evidence_digest,
    flag_message,
    law_of,
    optout_message,
    published_of,
    quarantine_message,
    read_flag,
    reason_of,
)
from sendwatch.verdict import Flag, Mode

if TYPE_CHECKING:
    from sendwatch.facts import Facts

NUMBER = "13800000000"
TOKEN = "9f" * 16
VERSION = Version("0.1", "rules", "config")


def the_flag(rule: str, facts: Facts) -> Flag:
    """The flag that this rule raises."""
    flag = ask(rule, facts).flag
    assert flag is not None
    return flag


def the_send(facts: Facts) -> FlaggedSend:
    """The send as a flag shows it."""
    return FlaggedSend(
        id=facts.id,
        recipient=TOKEN,
        sp=facts.sp,
        port=facts.port,
        carrier=facts.carrier,
        province=facts.province,
        signature=facts.signature,
        owner=facts.owner,
        type=facts.type,
        type_source=facts.type_source,
        at=facts.at,
    )


def an_event(rule: str, facts: Facts, **fields: Any) -> FlagEvent:
    """A raised flag of this rule."""
    flag = the_flag(rule, facts)
    usual: dict[str, Any] = {
        "flag_id": flag_id(bytes(32), b"r", facts.id, flag.rule.id),
        "revision": 2,
        "epoch": 7,
        "status": "raised",
        "shadow": flag.shadow,
        "rule": flag.rule.id,
        "severity": flag.severity.value,
        "law": law_of(flag),
        "send": the_send(facts),
        "evidence": flag.evidence,
        "reason": reason_of(flag, the_send(facts)),
        "source": Place("sms.sends", 3, 41),
        "because": None,
        "judged_at": NOW + 250,
        "version": VERSION,
    }
    return FlagEvent(**(usual | fields))


def headers(message: Message) -> dict[str, str]:
    """By name; no name twice."""
    assert len({name for name, _ in message.headers}) == len(message.headers)
    return {name: value.decode() for name, value in message.headers}


# -- flags ------------------------------------------------------------------------------------------------------


def test_a_flag_has_the_fields_of_the_contract_and_no_others() -> None:
    """Names and nesting, to the letter."""
    event = an_event("C5", about(a_send(recipient=NUMBER), a_withdrawal()), because=Because("sms.consents", "w1"))
    value = msgspec.json.decode(flag_message(event, "flags", 3).value)
    assert value == {
        "flag_id": event.flag_id,
        "revision": 2,
        "epoch": 7,
        "status": "raised",
        "shadow": False,
        "rule": "C5_AFTER_OPT_OUT",
        "severity": "high",
        "law": {"pack": "miit-74", "clause": "Art. 21-23", "checked": False},
        "send": {
            "id": "s",
            "recipient": TOKEN,
            "sp": "sp1",
            "port": "10690001",
            "carrier": "cm",
            "province": "53",
            "signature": "云岭商贸",
            "owner": "O1",
            "type": "marketing.retail",
            "type_source": "text",
            "at": NOW,
        },
        "evidence": {
            "owner": "O1",
            "type": "marketing.retail",
            "by": "record",
            "refusal": "w1",
            "refused_at": NOW - 86_400_000,
            "age_ms": 86_400_000,
            "minutes": 1440,
            "past_48_hours": False,
            "past_3_working_days": False,
        },
        "reason": {
            "en": "O1 sent marketing.retail 1440 min after the recipient refused (record).",
            "zh": "接收方拒绝（record）1440 分钟后，O1 仍发送 marketing.retail 类短信。",
        },
        "source": {"topic": "sms.sends", "partition": 3, "offset": 41},
        "because": {"topic": "sms.consents", "id": "w1"},
        "judged_at": NOW + 250,
        "version": {"sendwatch": "0.1", "rules": "rules", "config": "config"},
    }


def test_a_flag_is_a_cloud_event_in_binary_mode() -> None:
    """Keyed by its id, on the send's partition."""
    event = an_event("C1", about())
    message = flag_message(event, "flags", 3)
    assert (message.topic, message.partition, message.key.decode()) == ("flags", 3, event.flag_id)
    found = headers(message)
    assert found["ce_specversion"] == "1.0"
    assert found["ce_type"] == "sendwatch.flag.raised.v1"
    assert found["ce_id"] == f"{event.flag_id}/2/7"
    assert found["ce_subject"] == TOKEN
    assert found["content-type"] == "application/json"
    assert datetime.fromisoformat(found["ce_time"]) == datetime.fromtimestamp((NOW + 250) / 1000, UTC)


def test_a_cleared_flag_is_another_type_of_event_under_the_same_key() -> None:
    """The last record of a key is what holds."""
    raised, cleared = an_event("C1", about()), an_event("C1", about(), status="cleared", revision=3)
    assert headers(flag_message(cleared, "flags", 3))["ce_type"] == "sendwatch.flag.cleared.v1"
    assert flag_message(raised, "flags", 3).key == flag_message(cleared, "flags", 3).key


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("C1", about(a_send(recipient=NUMBER))),
        ("C8", about(a_send(recipient=NUMBER, text="【云岭商贸】机密优惠全场八折，欢迎选购"))),
        ("G1", about(a_send(recipient=NUMBER, text=f"机密优惠全场八折，致电{NUMBER}，退订回T"))),
        ("G2", about(a_send(recipient=NUMBER, text=f"【机主{NUMBER}】机密优惠全场八折，退订回T"))),
        ("C2", about(a_send(recipient=NUMBER), a_grant(method="silence"))),
        ("C9", about(a_send(recipient=NUMBER), a_reply(text="拒收", received_at=NOW - 10**9))),
        ("C4", about(a_send(recipient=NUMBER), a_grant(max_per_day=1), a_kept())),
    ],
)
def test_no_flag_holds_a_phone_number_or_a_text(rule: str, facts: Facts) -> None:
    """Neither in its value nor in its headers."""
    message = flag_message(an_event(rule, facts), "flags", 0)
    shown = message.value.decode() + str(headers(message)) + message.key.decode()
    for secret in (NUMBER, "机密", "八折", "拒收请回复", "退订回T"):
        assert secret not in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_reason_is_a_sentence_with_the_evidence_put_in(language: str) -> None:
    """Lists as their items, nothing as a dash; never a name in braces, never Python's brackets."""
    for rule, module in RULES.items():
        flag = Flag(module.RULE, module.RULE.severity, False, "p", "c", True, {"why": ["a", "b"], "fails": []})
        reason = getattr(reason_of(flag, the_send(about(a_send(carrier=None)))), language)
        assert reason, rule
        assert not set("{}[]") & set(reason), reason


def test_evidence_comes_before_the_send_where_both_have_a_field() -> None:
    """A rule may know better, a filing's owner for one."""
    flag = the_flag("C1", about())
    other = msgspec.structs.replace(flag, evidence={"owner": "O7", "type": None, "why": "no_act"})
    assert reason_of(other, the_send(about())).en == "O7 sent – without consent of the recipient (no_act)."


# -- reading them back ------------------------------------------------------------------------------------------


def test_a_flag_that_is_read_back_is_known_as_it_was_published() -> None:
    """So that a new owner of the partition sees no difference where there is none."""
    listed = about(a_send(province="99"), a_filing(provinces=("53",)))
    for rule, facts in (("C5", about(a_send(), a_withdrawal())), ("G4", listed)):
        event = an_event(rule, facts)
        read = read_flag(flag_message(event, "flags", 0).value)
        assert read == event
        known = published_of(read)
        digest = evidence_digest(event.evidence, event.law.pack, shadow=event.shadow)
        assert (known.rule, known.revision, known.raised, known.digest) == (event.rule, 2, True, digest)


def test_a_cleared_flag_is_known_without_evidence() -> None:
    """Raised again, it always differs."""
    known = published_of(an_event("C1", about(), status="cleared"))
    assert (known.raised, known.digest) == (False, b"")


def test_evidence_digests_differ_where_evidence_law_or_mode_do() -> None:
    """Each of these has to be published again."""
    one = evidence_digest({"a": 1}, "miit-31", shadow=False)
    others = [
        evidence_digest({"a": 2}, "miit-31", shadow=False),
        evidence_digest({"a": 1}, "miit-74", shadow=False),
        evidence_digest({"a": 1}, "miit-31", shadow=True),
    ]
    assert len(one) == 8
    assert one not in others
    assert evidence_digest({"a": 1}, "miit-31", shadow=False) == one


def test_shadow_is_told_in_the_flag() -> None:
    """Whoever alerts must look at it."""
    book = Rulebook(RULES, law.load(), {"C1_CONSENT_MISSING": Setting(Mode.SHADOW)})
    flag = ask("C1", about(), book).flag
    assert flag is not None
    assert an_event("C1", about(), shadow=flag.shadow).shadow


@pytest.mark.parametrize(
    ("written", "epoch"),
    [
        ([("ce_id", b"abc/2/7")], 7),
        ([("ce_type", b"x"), ("ce_id", b"abc/2/12")], 12),
        ([("ce_id", b"abc/2/x")], -1),
        ([], -1),
    ],
)
def test_the_epoch_of_the_writing_owner_is_the_end_of_the_id(written: list[tuple[str, bytes]], epoch: int) -> None:
    """-1 where somebody else wrote it."""
    assert epoch_of(written) == epoch


# -- opt-outs ---------------------------------------------------------------------------------------------------


def an_optout(**fields: Any) -> OptoutEvent:
    """A reply that refused O1."""
    usual: dict[str, Any] = {
        "reply": "m1",
        "recipient": TOKEN,
        "owners": ("O1",),
        "received_at": NOW,
        "answered_send": "s1",
        "source": Place("sms.replies", 3, 17),
    }
    return OptoutEvent(**(usual | fields))


def test_an_opt_out_tells_what_a_reply_refused() -> None:
    """Keyed by the recipient's token, on the reply's partition."""
    message = optout_message(an_optout(), 3, NOW + 9)
    assert (message.topic, message.partition, message.key.decode()) == ("optouts", 3, TOKEN)
    assert headers(message)["ce_type"] == "sendwatch.optout.resolved.v1"
    assert msgspec.json.decode(message.value) == {
        "reply": "m1",
        "recipient": TOKEN,
        "owners": ["O1"],
        "received_at": NOW,
        "answered_send": "s1",
        "source": {"topic": "sms.replies", "partition": 3, "offset": 17},
    }


def test_a_reply_that_is_understood_anew_is_a_new_event() -> None:
    """Whoever drops repeated ids must not drop the correction."""
    first, second = optout_message(an_optout(), 3, NOW), optout_message(an_optout(owners=()), 3, NOW + 9)
    assert headers(first)["ce_id"] != headers(second)["ce_id"]


# -- quarantine -------------------------------------------------------------------------------------------------


def test_a_refused_record_is_told_by_place_reason_and_hash() -> None:
    """The payload is personal data, and left out."""
    raw = f'{{"recipient":"{NUMBER}"}}'.encode()
    place = Place("sms.sends", 3, 41)
    message = quarantine_message(place, "missing_field", "id", raw, payload=False)
    assert (message.topic, message.partition, message.key) == ("quarantine", 3, b"sms.sends/3/41")
    assert msgspec.json.decode(message.value) == {
        "source": {"topic": "sms.sends", "partition": 3, "offset": 41},
        "reason": "missing_field",
        "detail": "id",
        "sha256": sha256(raw).hexdigest(),
        "size": len(raw),
    }


def test_the_payload_is_kept_where_it_is_configured() -> None:
    """Byte for byte, whatever bytes they are."""
    raw = b"\xff\x00{"
    message = quarantine_message(Place("t", 0, 0), "not_utf8", "", raw, payload=True)
    assert b64decode(msgspec.json.decode(message.value)["payload"]) == raw


def test_a_record_without_a_value_has_no_size() -> None:
    """And the hash of nothing."""
    value = msgspec.json.decode(quarantine_message(Place("t", 0, 0), "no_value", "", None, payload=True).value)
    assert (value["size"], value["sha256"]) == (0, sha256(b"").hexdigest())
    assert "payload" not in value
