"""What the audit expects, case by case, from the contract's words; no engine is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from audit_builders import TERMS, evidence, expected, rules, what
from msgspec.structs import replace

from engine_builders import (
    ANNE,
    CODE,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OTHER_TEXT,
    REGISTRIES,
    SETTINGS,
    TEXT,
    a_complaint,
    a_consent,
    a_filing,
    a_port,
    a_reply,
    a_row,
    a_send,
    a_withdrawal,
)
from sendwatch.audit import terms_of
from sendwatch.policy import Exemption, RuleSettings

WINDOW = 72 * HOUR
ASKING = "【云岭商贸】您是否同意接收我们的优惠短信？同意请回复Y，每月至多4条。"
CLOCK: dict[str, Any] = {"recipient": "13812345678", "text": CODE, "category": "otp"}
ONE_OWNER = [row for row in REGISTRIES if row.key != b"f2"]
PARTS: list[dict[str, Any]] = [
    {"part": {"ref": 7, "no": no, "total": 2}, "text": text} for no, text in ((1, TEXT[:20]), (2, TEXT[20:]))
]


# -- which facts count ---------------------------------------------------------------------------------------


def test_a_consented_send_is_not_flagged() -> None:
    """Where all is in order, nothing is expected."""
    assert rules(a_consent(), a_send()) == {}


@pytest.mark.parametrize(("late", "found"), [(WINDOW, {}), (WINDOW + 1, {"s": {"C1"}})])
def test_a_consent_counts_until_the_window_ends(late: int, found: dict[str, set[str]]) -> None:
    """To the millisecond, and whatever the order of the topics."""
    assert rules(a_send(), a_consent(arrived=NOW + late)) == found


def test_a_fact_arrived_when_it_was_recorded_if_that_is_within_a_day() -> None:
    """An older record counts from a day before its timestamp."""
    just = a_consent(arrived=NOW + WINDOW + DAY, recorded_at=NOW + WINDOW)
    assert rules(a_send(), just) == {}
    older = a_consent(arrived=NOW + WINDOW + DAY + 1, recorded_at=NOW)
    assert rules(a_send(), older) == {"s": {"C1"}}


def test_of_facts_of_one_id_the_lowest_offset_counts() -> None:
    """The other is a duplicate, even if it says something else."""
    found = expected(a_send(), a_consent("c"), a_withdrawal("c"))
    assert found.flags == {}
    assert what("consents", found) == ["accepted", "duplicates"]


def test_at_one_instant_a_withdrawal_beats_a_grant_and_the_greater_id_a_lesser() -> None:
    """Whatever was recorded first."""
    at = NOW - DAY
    assert rules(a_send(), a_consent("z", at), a_withdrawal("a", at)) == {"s": {"C5"}}
    grants = (a_consent("b", at), a_consent("a", at, method="pre_ticked"))
    assert rules(a_send(), *grants) == {}
    grants = (a_consent("a", at), a_consent("b", at, method="pre_ticked"))
    assert rules(a_send(), *grants) == {"s": {"C2"}}


def test_a_registry_row_is_its_last_record_that_counts() -> None:
    """A record that comes within the window speaks for all times; one that comes later does not; null never was."""
    late = a_filing(owner="O2")._replace(timestamp=NOW + WINDOW)
    assert rules(a_consent(), a_send(), rows=(*REGISTRIES, late)) == {"s": {"C1"}}
    later = late._replace(timestamp=NOW + WINDOW + 1)
    assert rules(a_consent(), a_send(), rows=(*REGISTRIES, later)) == {}
    null = a_filing()._replace(value=None)
    assert rules(a_consent(), a_send(), rows=(*REGISTRIES, null)) == {"s": {"C1", "G2"}}


def test_malformed_registry_records_leave_the_row_as_it_was() -> None:
    """They are expected in quarantine."""
    found = expected(a_consent(), a_send(), rows=(*REGISTRIES, a_filing(valid_from="soon")))
    assert found.flags == {}
    assert found.refused == {("signatures", 0, 2): "wrong_type"}


# -- which records are sends ---------------------------------------------------------------------------------


def test_a_repeat_is_a_duplicate_and_one_with_other_values_a_conflict() -> None:
    """The lowest offset is judged."""
    found = expected(a_send(), a_send(), a_send(text=OTHER_TEXT))
    assert {flag.rule[:2] for flag in found.flags.values()} == {"C1"}
    assert what("sends", found) == ["judged", "duplicates", "quarantined"]
    assert found.refused == {("sends", 0, 2): "conflict"}


def test_where_nothing_is_kept_a_repeat_is_judged_again() -> None:
    """Nothing is kept of a code, so the later record is the send."""
    found = expected(a_send(text=CODE, category="otp"), a_send())
    assert what("sends", found) == ["judged", "judged"]
    assert {flag.rule[:2] for flag in found.flags.values()} == {"C1"}


def test_after_window_and_a_day_a_repeat_is_judged_again() -> None:
    """By event time, which any send of the partition moves."""
    end = NOW + WINDOW + DAY
    within = expected(a_send(), a_send("x", end, **CLOCK), a_send(arrived=end))
    assert what("sends", within) == ["judged", "judged", "duplicates"]
    after = expected(a_send(), a_send("x", end + 1, **CLOCK), a_send(arrived=end))
    assert what("sends", after) == ["judged", "judged", "judged"]


def test_a_malformed_or_misplaced_record_is_refused() -> None:
    """With the contract's reason."""
    broken = a_send()._replace(value=b"{")
    elsewhere = replace(TERMS, partitions=64)
    assert expected(broken).refused == {("sends", 0, 0): "not_json"}
    assert expected(a_send(), terms=elsewhere).refused == {("sends", 0, 0): "misplaced"}


def test_reports_and_complaints_are_accounted_for() -> None:
    """No verdict depends on them."""
    assert what("complaints", expected(a_complaint())) == ["accepted"]


# -- long messages -------------------------------------------------------------------------------------------


def test_parts_are_judged_as_one_message_under_the_lowest_part() -> None:
    """Whatever came first; its text is the whole text."""
    found = expected(a_send("b", **PARTS[1]), a_send("a", **PARTS[0]))
    assert {(flag.send_id, flag.rule[:2], flag.offset) for flag in found.flags.values()} == {("a", "C1", 1)}
    assert what("sends", found) == ["parts", "parts"]


def test_an_incomplete_message_is_judged_when_its_ten_minutes_are_over() -> None:
    """Then its text is unknown, and its type the declared one."""
    part, end = a_send("b", **PARTS[1]), NOW + 10 * MINUTE
    assert rules(part, a_send("x", end - 1, **CLOCK), rows=ONE_OWNER) == {}
    assert rules(part, a_send("x", end, **CLOCK), rows=ONE_OWNER) == {"b": {"C1"}}
    lower = a_send("a", NOW, NOW + HOUR, **PARTS[0])
    assert rules(part, a_send("x", end, **CLOCK), lower, rows=ONE_OWNER) == {"a": {"C1"}}


def test_a_part_after_ten_minutes_opens_a_new_message() -> None:
    """Counted from the first part by its own time."""
    late = a_send("b", NOW + 10 * MINUTE, **PARTS[1])
    clock = a_send("x", NOW + DAY, **CLOCK)
    assert rules(a_send("a", **PARTS[0]), late, clock, rows=ONE_OWNER) == {"a": {"C1"}, "b": {"C1"}}


def test_of_a_repeated_number_the_lowest_offset_counts() -> None:
    """Also where it was sent later."""
    again = {**PARTS[1], "text": "【湖畔书屋】"}
    first = rules(a_send("b", NOW + MINUTE, **PARTS[1]), a_send("c", **again), a_send("a", **PARTS[0]))
    assert first == {"a": {"C1"}}
    other = rules(a_send("c", NOW + MINUTE, **again), a_send("b", **PARTS[1]), a_send("a", **PARTS[0]))
    assert other == {"a": {"C1", "C8"}}


def test_one_part_of_one_is_a_message_by_itself() -> None:
    """Or a sender could hide one message behind another."""
    alone: dict[str, Any] = {"part": {"ref": 7, "no": 1, "total": 1}}
    assert rules(a_send("a", **alone), a_send("b", **alone)) == {"a": {"C1"}, "b": {"C1"}}


# -- replies -------------------------------------------------------------------------------------------------


def test_a_reply_withdraws_from_the_owner_of_the_send_that_it_answers() -> None:
    """Short words refuse only there."""
    reply = a_reply(at=NOW + MINUTE, text="R")
    found = expected(a_consent(), a_send("a"), reply, a_send("b", NOW + HOUR))
    assert {(flag.send_id, flag.rule[:2]) for flag in found.flags.values()} == {("b", "C5")}
    assert found.optouts == {(0, 0): ("O1",)}
    assert rules(a_consent(), reply, a_send("b", NOW + HOUR)) == {}


def test_without_an_answered_send_a_reply_withdraws_from_every_owner_on_the_port() -> None:
    """A word that always refuses does so there, too."""
    assert expected(a_reply()).optouts == {(0, 0): ("O1", "O2")}


def test_a_reply_answers_a_send_of_the_72_hours_before_that_arrived_within_the_window() -> None:
    """To the millisecond at each end."""
    at = NOW + 72 * HOUR
    assert expected(a_send(), a_reply(at=at)).optouts == {(0, 0): ("O1",)}
    assert expected(a_send(), a_reply(at=at + 1)).optouts == {(0, 0): ("O1", "O2")}
    assert expected(a_send(arrived=NOW + WINDOW), a_reply(at=NOW)).optouts == {(0, 0): ("O1",)}
    assert expected(a_send(arrived=NOW + WINDOW + 1), a_reply(at=NOW)).optouts == {(0, 0): ("O1", "O2")}


def test_a_requested_send_needs_no_consent() -> None:
    """If the reply that it names is no refusal, and no more than a day old."""
    asked = a_reply("m", NOW - DAY, text="办理")
    assert rules(asked, a_send(request="m")) == {}
    assert rules(asked, a_send(at=NOW + 1, request="m")) == {"s": {"C1"}}
    assert rules(a_reply("m", NOW - DAY), a_send(request="m")) == {"s": {"C5"}}


def test_a_refusal_ignored_for_48_hours_is_told_by_its_reply() -> None:
    """C9, beside C5."""
    found = expected(a_consent(), a_send("a", NOW - 3 * DAY), a_reply(at=NOW - 2 * DAY), a_send("b"))
    assert {flag.rule[:2] for flag in found.flags.values()} == {"C5", "C9"}
    assert evidence("C9", "b", found)["refusal"] == "m"


# -- neighbours ----------------------------------------------------------------------------------------------


def test_the_fifth_within_an_hour_is_flagged_whatever_the_order_of_arrival() -> None:
    """By time, then by id; one that arrived after the window does not count."""
    sends = [a_send(f"s{n}", NOW + n * MINUTE) for n in range(5)]
    assert rules(a_consent(), *reversed(sends)) == {"s4": {"B2"}}
    late = a_send("s0", arrived=NOW + 4 * MINUTE + WINDOW + 1)
    assert rules(a_consent(), *sends[1:], late) == {}


def test_another_send_counts_with_the_type_and_owner_of_its_own_verdict() -> None:
    """One of another owner is no neighbour; one whose owner is undecided neither."""
    others = [a_send("a", NOW - HOUR, text=OTHER_TEXT), a_send("b", NOW - HOUR, text=None, port="10700001")]
    limited = (a_consent(max_per_day=1), a_consent("c2", owner="O2"))
    assert rules(*limited, *others, a_send()) == {"b": {"G8"}}
    assert rules(*limited, a_send("a", NOW - HOUR), a_send()) == {"s": {"C4"}}


def test_asking_again_within_72_hours_is_flagged_unless_granted_between() -> None:
    """C7, also where the earlier request is declared as something else."""
    first, second = a_send("a", NOW - 72 * HOUR, text=ASKING, category="otp"), a_send("b", text=ASKING)
    assert "C7" in rules(first, second)["b"]
    assert "C7" not in rules(first, second, a_consent(at=NOW - DAY)).get("b", ())


# -- what the registries say ---------------------------------------------------------------------------------


def test_a_head_title_does_not_hide_the_tail_signature() -> None:
    """Of two candidates the one that any filing names."""
    assert rules(a_consent(), a_send(text="【话费账单】" + TEXT[6:] + "【云岭商贸】")) == {}


def test_owners_are_looked_for_in_three_steps() -> None:
    """An unsigned text has the owner of the port's filings; where these name two, consent is undecided."""
    unsigned = a_send(text=TEXT[6:])
    assert rules(a_consent(), unsigned, rows=ONE_OWNER) == {"s": {"G1"}}
    assert rules(unsigned) == {"s": {"G1"}}
    assert expected(unsigned).undecided["C1_CONSENT_MISSING", "several_owners"] == 1


def test_the_nearest_filing_and_what_fails_are_told() -> None:
    """G4: fewest fails, then the longest prefix."""
    rows = [*REGISTRIES[1:], a_filing("f3", ports=["1069"], sps=["sp2"]), a_filing("f4", ports=["106900"], sps=["sp3"])]
    assert evidence("G4", "s", expected(a_consent(), a_send(), rows=rows))["filing"] == "f4"


def test_a_chain_of_letters_leads_from_the_holder_to_the_sp() -> None:
    """An owner and its own SP account are one party; the broken link is told."""
    held = [row for row in REGISTRIES if row.kind != "ports"] + [a_port(holder="h")]
    first = a_row("letters", "l1", grantor="h", grantee="O9", valid_from=NOW - DAY)
    second = a_row("letters", "l2", grantor="sp9", grantee="sp1", valid_from=NOW - DAY)
    party = a_row("owners", "O9", name="某", sp="sp9")
    whole = [*held, first, second, party]
    assert rules(a_consent(), a_send(), rows=whole) == {}
    lapsed = a_row("letters", "l2", grantor="sp9", grantee="sp1", valid_from=NOW - DAY, valid_until=NOW)
    told = evidence("G5", "s", expected(a_consent(), a_send(), rows=[*whole, lapsed]))
    assert (told["letter"], told["fails"]) == ("l2", ["lapsed"])
    told = evidence("G5", "s", expected(a_consent(), a_send(), rows=[*held, first]))
    assert (told["grantor"], told["grantee"], told["fails"]) == ("O9", "sp1", ["missing"])


def test_a_renamed_sender_is_known_by_its_group() -> None:
    """C6 beside C1."""
    assert rules(a_withdrawal(owner="O1"), a_send(text=OTHER_TEXT)) == {"s": {"C1", "C6"}}


def test_what_is_not_known_leaves_undecided_and_is_counted() -> None:
    """By rule and reason; the type is the declared one."""
    found = expected(a_send(text=None, category=None))
    assert found.flags == {}
    assert found.undecided["B1_QUIET_HOURS", "type_unknown"] == 0, "it was sent by day: that is clean"
    assert found.undecided["C1_CONSENT_MISSING", "type_unknown"] == 1
    assert found.undecided["G1_SIGNATURE_MISSING", "text_unknown"] == 1
    assert (found.sends, found.undecided_sends) == (1, 1)


def test_a_carriers_own_wording_asks_for_consent_too() -> None:
    """Beside the built-in patterns."""
    own = replace(TERMS, parameters=replace(TERMS.parameters, consent_requests=("常回家看看",)))
    sends = [a_send(name, NOW + n, text=f"【云岭商贸】常回家看看{TEXT[6:]}") for n, name in enumerate("ab")]
    assert "C7" in rules(*sends, terms=own)["b"]
    assert "C7" not in rules(*sends)["b"]


def test_a_sender_whom_a_rule_spares_is_not_expected_to_be_flagged() -> None:
    """As the settings say it."""
    spared = RuleSettings(
        exceptions=(Exemption(reason="agreed with the regulator", until=date(2027, 1, 1), owner="O1"),)
    )
    terms = terms_of(replace(SETTINGS, rules={"C1_CONSENT_MISSING": spared}))
    assert rules(a_send(), terms=terms) == {}


def test_flags_of_the_canary_belong_on_its_own_topic() -> None:
    """It is judged like any."""
    flags = expected(a_send(), terms=replace(TERMS, canary_sp="sp1")).flags.values()
    assert [flag.topic for flag in flags] == ["canary"]


def test_the_recipient_appears_nowhere_in_what_is_expected() -> None:
    """An audit's output may be shown around."""
    assert ANNE not in repr(expected(a_send(), a_reply(), a_consent()))
