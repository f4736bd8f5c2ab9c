"""What is decided before any rule is asked: type, owner, signature, request, neighbours."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    ASKING,
    CODE,
    HOUR,
    NOT_SURE,
    NOW,
    PART,
    TEXT,
    UNSIGNED,
    a_filing,
    a_grant,
    a_kept,
    a_registry,
    a_reply,
    a_send,
    a_template,
    about,
)
from sendwatch.dossier import Dossier
from sendwatch.events import Part
from sendwatch.facts import Parameters, facts_of, kept_of


@pytest.mark.parametrize(
    ("fields", "kind", "source"),
    [
        ({}, "marketing.retail", "text"),
        ({"category": None}, "marketing.retail", "text"),
        ({"category": "otp"}, "marketing.retail", "text"),
        ({"text": CODE}, "otp", "text"),
        ({"text": NOT_SURE}, "marketing", "declared"),
        ({"text": NOT_SURE, "category": None}, None, None),
        ({"text": None}, "marketing", "declared"),
        ({"part": PART}, "marketing", "declared"),
        ({"part": Part(ref=7, no=1, total=1)}, "marketing.retail", "text"),
        ({"text": None, "category": None}, None, None),
    ],
)
def test_the_type_is_the_texts_own_class_where_that_is_sure_else_the_declared_one(
    fields: dict[str, Any], kind: str | None, source: str | None
) -> None:
    """Absent or incomplete text: the declared one. Neither: undecided."""
    facts = about(a_send(**fields))
    assert (facts.type, facts.type_source) == (kind, source)


@pytest.mark.parametrize(
    ("template", "source"),
    [
        ({}, "template"),
        ({"pattern": "别的{x}"}, "text"),
        ({"valid_until": NOW}, "text"),
        ({"id": "t2"}, "text"),
    ],
)
def test_a_template_that_is_valid_and_matches_gives_its_use(template: dict[str, Any], source: str) -> None:
    """One that is not gives nothing."""
    facts = about(a_send(template="t1"), a_template(use="service.notice", **template))
    assert facts.type_source == source
    assert facts.type == ("service.notice" if source == "template" else "marketing.retail")


def test_a_template_whose_text_is_not_at_hand_gives_nothing() -> None:
    """The declared type stands."""
    facts = about(a_send(template="t1", text=None), a_template(use="service"))
    assert (facts.type, facts.type_source) == ("marketing", "declared")


def test_the_owner_of_an_incomplete_text_is_looked_for_by_port_and_sp() -> None:
    """Its signature is not known, even where one stands in the part."""
    own, other = a_filing("a"), a_filing("b", signature="乙", owner="O2", sps=("sp2",))
    assert about(a_send(part=PART), own, other).owner == "O1"
    assert about(a_send(part=PART, sp="sp2"), a_filing("a", sps=("sp1",)), other).owner == "O2"
    assert about(a_send(part=PART)).signature is None


def test_an_unsigned_text_has_the_owner_of_port_and_sp_too() -> None:
    """So it does not escape the consent rules."""
    assert about(a_send(text=UNSIGNED)).owner == "O1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TEXT, "云岭商贸"),
        (f"【话费账单】{UNSIGNED}【云岭商贸】", "云岭商贸"),
        (f"【 云岭　商贸 】{UNSIGNED}", "云岭　商贸"),
        (f"【云岭商贸】{UNSIGNED}【云上】", "云岭商贸"),
        (f"【机主13800000000】{UNSIGNED}", "机主…"),
        (f"【机主１３８００００００００】{UNSIGNED}", "机主…"),
        (f"【95588】{UNSIGNED}", "95588"),
        (UNSIGNED, None),
    ],
)
def test_the_signature_is_shown_as_it_is_written_less_phone_numbers(text: str, shown: str | None) -> None:
    """Folding is for matching, never for display."""
    assert about(a_send(text=text)).signature == shown


def test_the_time_that_counts_is_that_of_delivery_where_one_is_set() -> None:
    """`deliver_at` or `sent_at`."""
    assert about(a_send()).at == NOW
    assert about(a_send(deliver_at=NOW + HOUR)).at == NOW + HOUR


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"text": "有什么优惠"}, True),
        ({"text": "退订"}, False),
        ({"text": "有什么优惠", "id": "m2"}, False),
    ],
)
def test_a_send_is_requested_where_it_names_a_reply_that_refuses_nothing(reply: dict[str, Any], said: bool) -> None:
    """Of the day before, by its id."""
    fields: dict[str, Any] = {"id": "m1", "received_at": NOW - 1} | reply
    facts = about(a_send(request="m1"), a_reply(**fields))
    assert facts.requested is said


def test_what_counts_as_a_refusal_is_no_request_even_if_it_is_but_a_menu_word() -> None:
    """`8` is a request, until it turns out that the send it answered advertised it for refusing."""
    menu = a_reply(text="8", received_at=NOW - 1)
    assert about(a_send(request="m1"), menu).requested is True
    answered = a_kept(at=NOW - HOUR, advertised=("8",))
    assert about(a_send(request="m1"), menu, answered).requested is False


def test_neighbours_come_in_no_order_and_none_of_them_is_the_send_itself() -> None:
    """Those of the same owner, before it, that arrived in time."""
    kept = (
        a_kept("a", at=NOW - 1),
        a_kept("b", at=NOW),
        a_kept("z", at=NOW),
        a_kept("c", at=NOW + 1),
        a_kept("d", owner="O2"),
        a_kept("e", type="otp"),
        a_kept("f", arrived=NOW + 73 * HOUR),
    )
    facts = about(a_send("s"), *kept)
    assert {each.id for each in facts.earlier()} == {"a", "b", "e"}
    assert {each.id for each in facts.earlier_commercial()} == {"a", "b"}


def test_where_the_owner_is_undecided_any_owners_send_may_be_a_neighbour() -> None:
    """But not one whose own owner is undecided."""
    two = (a_filing("f1"), a_filing("f2", owner="O2"))
    facts = about(a_send(), *two, a_kept("a"), a_kept("b", owner="O2"), a_kept("c", owner=None))
    assert {each.id for each in facts.earlier()} == {"a", "b"}


def test_a_kept_send_has_the_same_facts_without_its_text() -> None:
    """What the rules that read the dossier need of it was kept."""
    fresh = about(a_send(request="m1"), a_grant(), a_kept(), a_reply(text="有什么优惠", received_at=NOW - 1))
    assert fresh.kept is not None
    assert fresh.dossier is not None
    again = facts_of(fresh.kept, fresh.dossier, a_registry([a_filing()]), Parameters())
    for name in ("at", "type", "owner", "requested", "act", "siblings", "asks"):
        assert getattr(again, name) == getattr(fresh, name), name
    assert again.earlier() == fresh.earlier()
    assert again.acts() == fresh.acts()
    assert again.reading is None


@pytest.mark.parametrize(("fields", "asks"), [({}, False), ({"text": None}, None), ({"part": PART}, None)])
def test_whether_a_kept_send_asks_for_consent_is_not_known_without_its_text(
    fields: dict[str, Any], asks: bool | None
) -> None:
    """Unknown is not no."""
    assert kept_of(about(a_send(**fields)), None, 0, NOW, b"").asks is asks


def test_without_a_dossier_there_are_no_acts_and_no_neighbours() -> None:
    """As for a send that nothing is kept of."""
    facts = about()
    facts.dossier = None
    assert (facts.acts(), facts.earlier()) == ([], [])
    facts.dossier, facts.owner = Dossier(acts=[a_grant()]), None
    assert facts.acts() == []


def test_a_carrier_may_name_requests_for_consent_in_a_wording_of_its_own() -> None:
    """Beside the built-in patterns, over the folded text."""
    patterns = ("您好",)
    assert about(a_send(text=NOT_SURE)).asks is False
    assert about(a_send(text=NOT_SURE), consent_requests=patterns).asks is True
    assert about(a_send(text=TEXT), consent_requests=patterns).asks is False
    assert about(a_send(text=ASKING), consent_requests=patterns).asks is True
    assert about(a_send(text=None), consent_requests=patterns).asks is None
