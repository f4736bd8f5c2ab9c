"""The gates before a rule is asked, what becomes of its answer, and the ids of flags."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from build import (
    CODE,
    HOUR,
    NOT_SURE,
    NOW,
    RULEBOOK,
    RULES,
    a_filing,
    a_grant,
    a_reply,
    a_send,
    about,
    ask,
    flagged,
    outcome,
    unconnected,
)
from sendwatch import law
from sendwatch.judge import Answer, Rulebook, Setting, answers, flag_id, judge
from sendwatch.law import Pack
from sendwatch.verdict import (
    NOTHING,
    Finding,
    Mode,
    Outcome,
    Rule,
    RuleModule,
    Severity,
    Undecided,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.facts import Facts

ORDER_74 = 1_777_564_800_000  # 2026-05-01 00:00 in UTC+8


def rulebook(**settings: Setting) -> Rulebook:
    """The real rules under the real law, some of them set otherwise."""
    return Rulebook(RULES, law.load(), settings)


def a_rule(judge: Callable[[Facts], Finding], since: int = 0, **fields: Any) -> Rulebook:
    """A rulebook of one made-up rule, in force from `since`."""
    usual: dict[str, Any] = {
        "id": "X1",
        "severity": Severity.LOW,
        "title": Words("", ""),
        "reason": Words("", ""),
        "commercial": False,
    }
    module = SimpleNamespace(RULE=Rule(**(usual | fields)), judge=judge)
    pack = Pack("pack", "", "", since, None, checked=True, retention_months=1, clauses={"X1": "Art. 1"})
    return Rulebook({"X1": cast("RuleModule", module)}, [pack])


def said(rulebook: Rulebook, facts: Facts) -> Answer:
    """What the one rule of this book says."""
    return answers(facts, rulebook)[0]


def always(facts: Facts) -> Finding:
    """Flags whatever it is asked about."""
    return {"port": facts.port}


# -- modes and the law ------------------------------------------------------------------------------------------


def test_a_rule_that_is_off_is_not_asked() -> None:
    """Neither flagged nor undecided nor clean."""
    book = rulebook(C1_CONSENT_MISSING=Setting(Mode.OFF))
    assert ask("C1", about(), book).outcome is Outcome.OFF
    own, of_recipient = book.asked(NOW)
    assert "C1_CONSENT_MISSING" not in {each.rule.id for each in (*own, *of_recipient)}


def test_a_rule_in_shadow_is_asked_and_its_flags_say_so() -> None:
    """Judged, published, never alerted."""
    flag = ask("C1", about(), rulebook(C1_CONSENT_MISSING=Setting(Mode.SHADOW))).flag
    assert flag is not None
    assert flag.shadow
    usual = ask("C1", about()).flag
    assert usual is not None
    assert not usual.shadow


def test_a_carrier_may_set_a_severity() -> None:
    """Instead of the catalogue's."""
    flag = ask("C1", about(), rulebook(C1_CONSENT_MISSING=Setting(severity=Severity.LOW))).flag
    assert flag is not None
    assert (flag.severity, flag.rule.severity) == (Severity.LOW, Severity.HIGH)


@pytest.mark.parametrize(
    ("at", "pack", "clause"), [(ORDER_74 - 1, "miit-31", "Art. 18"), (ORDER_74, "miit-74", "Art. 21-23")]
)
def test_a_flag_cites_the_law_in_force_at_the_time_of_the_send(at: int, pack: str, clause: str) -> None:
    """Order 31 up to 2026-05-01 00:00 in UTC+8, Order 74 from then; neither checked by a person yet."""
    flag = ask("C1", about(a_send(sent_at=at))).flag
    assert flag is not None
    assert (flag.pack, flag.clause, flag.checked) == (pack, clause, False)


def test_the_time_of_delivery_decides_under_which_law_a_send_falls() -> None:
    """Handed over under Order 31, delivered under Order 74."""
    flag = ask("C1", about(a_send(sent_at=ORDER_74 - HOUR, deliver_at=ORDER_74))).flag
    assert flag is not None
    assert flag.pack == "miit-74"


def test_before_there_was_a_law_only_the_carriers_practice_holds() -> None:
    """2015-06-29: nobody had heard of Order 31."""
    facts = about(a_send(sent_at=1_435_500_000_000), a_filing(valid_from=0))
    in_force = {each.rule[:2] for each in answers(facts, RULEBOOK) if each.outcome is not Outcome.NOT_IN_FORCE}
    assert in_force == {"B1", "B2", "B7", "G2", "G3", "G4", "G7"}


def test_only_order_74_holds_c3() -> None:
    """The same unproven consent on both sides of the night."""
    grant = a_grant(effective_at=ORDER_74 - HOUR, proof=None)
    assert outcome("C3", about(a_send(sent_at=ORDER_74 - 1), grant)) == "not_in_force"
    assert outcome("C3", about(a_send(sent_at=ORDER_74), grant)) == "flagged"


def test_the_rules_of_the_send_and_those_of_its_recipient_are_told_apart() -> None:
    """The latter are asked again when a fact of the recipient comes late."""
    own, of_recipient = RULEBOOK.asked(NOW)
    assert {each.rule.id[:2] for each in of_recipient} == {
        "B2",
        "C1",
        "C2",
        "C3",
        "C4",
        "C5",
        "C6",
        "C7",
        "C9",
    }
    assert len(own) + len(of_recipient) == len(RULES)


# -- whether a rule applies -------------------------------------------------------------------------------------


def test_commercial_rules_do_not_apply_to_other_sends() -> None:
    """Of a known type that is not marketing; whatever else is not known of them."""
    facts = about(a_send(text=CODE, category="otp"), a_filing("a"), a_filing("b", owner="O2"))
    applies = {each.rule[:2] for each in answers(facts, RULEBOOK) if each.outcome is not Outcome.NOT_APPLICABLE}
    assert applies == {"C7", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"}


def test_with_the_type_unknown_a_commercial_rule_may_find_it_clean_but_not_flag_it() -> None:
    """Its own answer stands only where it does not turn on the type."""
    unsure = about(a_send(text=NOT_SURE, category=None))
    assert said(a_rule(always, commercial=True), unsure) == Answer("X1", Outcome.UNDECIDED, "type_unknown")
    assert said(a_rule(lambda _: None, commercial=True), unsure).outcome is Outcome.CLEAN
    assert said(a_rule(always), unsure).outcome is Outcome.FLAGGED


@pytest.mark.parametrize("reads", ["consents", "neighbours"])
def test_commercial_rules_of_the_recipient_need_type_and_owner(reads: str) -> None:
    """C1 to C6, C9 and B2 are undecided whenever either is, without being asked."""
    book = a_rule(always, commercial=True, reads=frozenset({reads}))
    two_owners = (a_filing("a"), a_filing("b", owner="O2"))
    assert said(book, about(a_send(text=NOT_SURE, category=None))).reason == "type_unknown"
    assert said(book, about(a_send(), *two_owners)).reason == "several_owners"
    assert said(book, about(a_send(text=NOT_SURE, category=None), *two_owners)).reason == "type_unknown"
    assert said(book, about(a_send())).outcome is Outcome.FLAGGED


def test_other_rules_do_not_need_an_owner() -> None:
    """Who sent it may be open for whom it is not addressed to."""
    facts = about(a_send(), a_filing("a"), a_filing("b", owner="O2"))
    assert said(a_rule(always, commercial=True), facts).outcome is Outcome.FLAGGED


def test_a_request_waives_the_rules_that_say_so() -> None:
    """C1 to C5, and C6 and C9, which hold only with one of them."""
    reply = a_reply(text="有什么优惠", received_at=NOW - 1)
    facts = about(a_send(request="m1"), reply)
    waived = {each.rule[:2] for each in answers(facts, RULEBOOK) if each.reason == "requested"}
    assert waived == {"C1", "C2", "C3", "C4", "C5", "C6", "C9"}


def test_a_request_that_cannot_be_looked_up_leaves_flags_open_and_nothing_else() -> None:
    """Replies are not connected."""
    book = a_rule(always, waived_on_request=True)
    blind = unconnected("replies")
    assert said(book, about(a_send(request="m1"), **blind)).reason == "replies_not_connected"
    assert said(book, about(a_send(), **blind)).outcome is Outcome.FLAGGED
    nothing = a_rule(lambda _: None, waived_on_request=True)
    assert said(nothing, about(a_send(request="m1"), **blind)).outcome is Outcome.CLEAN


def test_a_rule_that_needs_a_table_is_undecided_without_it() -> None:
    """The reason names the table; of several the first by name."""
    book = a_rule(always, needs=frozenset({"ports", "letters"}))
    blind = frozenset({"ports", "letters", "consents"})
    assert said(book, about(unconnected=blind)) == Answer("X1", Outcome.UNDECIDED, "letters_not_connected")
    assert said(book, about(**unconnected("consents"))).outcome is Outcome.FLAGGED


# -- the answers ------------------------------------------------------------------------------------------------


def test_a_rule_that_breaks_is_undecided_and_neither_clean_nor_the_end_of_the_others() -> None:
    """The fault names the exception and the place, and nothing of the send."""

    def broken(facts: Facts) -> Finding:
        raise ValueError(facts.text)

    found = judge(about(), a_rule(broken).asked(NOW)[0])
    undecided = found.undecided["X1"]
    assert undecided.reason == "fault"
    assert undecided.fault.startswith("ValueError at test_judge.py:")
    assert "云岭" not in undecided.fault
    assert not found.flags


def test_a_verdict_holds_flags_and_undecided_answers_and_nothing_else() -> None:
    """The clean and the inapplicable are left out; nothing at all is always the same nothing."""
    own, of_recipient = RULEBOOK.asked(NOW)
    found = judge(about(a_send(province=None), a_filing(provinces=("53",))), (*own, *of_recipient))
    assert [flag.rule.id for flag in found.flags] == ["C1_CONSENT_MISSING"]
    assert found.undecided == {"G4_SIGNATURE_OUT_OF_SCOPE": Undecided("province_unknown")}
    assert judge(about(a_send(), a_grant()), (*own, *of_recipient)) is NOTHING


@pytest.mark.parametrize(
    "facts",
    [about(), about(a_send(text=None)), about(a_send(text=CODE, category="otp")), about(a_send(), a_grant())],
)
def test_the_live_judge_and_the_explained_one_agree(facts: Facts) -> None:
    """The same flags, the same undecided answers."""
    own, of_recipient = RULEBOOK.asked(facts.at)
    verdict = judge(facts, (*own, *of_recipient))
    explained = answers(facts, RULEBOOK)
    assert {flag.rule.id for flag in verdict.flags} == {
        each.rule for each in explained if each.outcome is Outcome.FLAGGED
    }
    assert {rule: each.reason for rule, each in verdict.undecided.items()} == {
        each.rule: each.reason for each in explained if each.outcome is Outcome.UNDECIDED
    }


def test_every_rule_has_exactly_one_answer() -> None:
    """In the order of the catalogue."""
    assert [each.rule for each in answers(about(), RULEBOOK)] == list(RULES)


def test_c1_c2_and_c5_exclude_one_another_as_do_g1_to_g4() -> None:
    """The lawful send is flagged by nothing at all."""
    assert flagged(about(a_send(), a_grant())) == set()


# -- ids --------------------------------------------------------------------------------------------------------

KEY = bytes(range(32))


def test_the_id_of_a_flag_never_changes() -> None:
    """A golden value: another one would orphan every flag that was ever published."""
    assert flag_id(KEY, bytes(16), "send-1", "C1_CONSENT_MISSING") == GOLDEN


GOLDEN = "abd768c5c43d2fba13af497af43c2da6"


@pytest.mark.parametrize(
    ("recipient", "send", "rule"),
    [(b"r2", "s", "C1"), (b"r", "s2", "C1"), (b"r", "s", "C2"), (b"rs", "", "C1"), (b"", "rs", "C1")],
)
def test_flags_of_other_recipients_sends_and_rules_have_other_ids(recipient: bytes, send: str, rule: str) -> None:
    """Nor do the parts run into one another."""
    assert flag_id(KEY, recipient, send, rule) != flag_id(KEY, b"r", "s", "C1")


def test_without_the_key_nobody_can_make_the_id() -> None:
    """So nobody can find out who the recipient was by trying all numbers."""
    assert flag_id(KEY, b"r", "s", "C1") != flag_id(bytes(32), b"r", "s", "C1")
