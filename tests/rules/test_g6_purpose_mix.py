"""G6: commercial sends under another purpose."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    CODE,
    NOT_SURE,
    NOW,
    PART,
    a_port,
    a_send,
    a_template,
    about,
    evidence,
    outcome,
    unconnected,
)
from sendwatch.events import Port

SERVICE = a_port(purpose="service")


def test_a_commercial_send_from_a_service_port_is_flagged() -> None:
    """Whatever it was declared as."""
    assert evidence("G6", about(a_send(), SERVICE)) == {
        "type": "marketing.retail",
        "declared": "marketing",
        "port": "10690001",
        "why": ["service_port"],
    }


@pytest.mark.parametrize("declared", ["otp", "service", "service.bill"])
def test_a_commercial_text_declared_as_something_else_is_flagged(declared: str) -> None:
    """`otp` or `service` or below, from whatever port."""
    assert evidence("G6", about(a_send(category=declared)))["why"] == ["declared"]


def test_both_at_once_are_both_named() -> None:
    """One flag, two reasons."""
    assert evidence("G6", about(a_send(category="service"), SERVICE))["why"] == ["service_port", "declared"]


@pytest.mark.parametrize("purpose", ["mixed", "marketing"])
def test_from_a_port_of_another_purpose_and_declared_as_it_is_it_is_clean(purpose: str) -> None:
    """Nothing is disguised."""
    assert outcome("G6", about(a_send(), a_port(purpose=purpose))) == "clean"
    assert outcome("G6", about(a_send(category=None), a_port(purpose=purpose))) == "clean"
    assert outcome("G6", about(a_send(category="marketing.finance"), a_port(purpose=purpose))) == "clean"


def test_a_code_from_a_service_port_is_clean() -> None:
    """That is what it is for."""
    assert outcome("G6", about(a_send(text=CODE, category="otp"), SERVICE)) == "clean"


def test_a_code_declared_as_marketing_is_clean() -> None:
    """Only the other way round is a disguise."""
    assert outcome("G6", about(a_send(text=CODE, category="marketing"))) == "clean"


def test_the_text_is_what_counts_against_the_declaration_even_where_a_template_gives_the_type() -> None:
    """A commercial text after a template filed for service, declared as service."""
    facts = about(a_send(category="service", template="t1"), a_template(use="service"), SERVICE)
    assert facts.type == "service"
    assert evidence("G6", facts)["why"] == ["declared"]


def test_a_text_of_no_sure_class_accuses_nobody() -> None:
    """It is not classed commercial."""
    assert outcome("G6", about(a_send(text=NOT_SURE, category="service"), SERVICE)) == "clean"


def test_without_a_valid_port_that_half_does_not_apply_and_the_other_does() -> None:
    """G8 flags the port."""
    lapsed = a_port(purpose="service", valid_until=NOW)
    assert outcome("G6", about(a_send(), lapsed)) == "clean"
    assert outcome("G6", about(a_send(), without=Port)) == "clean"
    assert outcome("G6", about(a_send(category="otp"), lapsed)) == "flagged"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_the_half_of_the_text_is_undecided(fields: dict[str, Any]) -> None:
    """Declared as service, it may say anything; declared as marketing, there is nothing to disguise."""
    assert outcome("G6", about(a_send(category="service", **fields))) == "undecided: text_unknown"
    assert outcome("G6", about(a_send(category="marketing", **fields))) == "clean"
    assert outcome("G6", about(a_send(category="marketing", **fields), SERVICE)) == "flagged"


def test_without_a_type_a_service_port_leaves_it_open_and_others_do_not() -> None:
    """From a mixed port any type may be sent."""
    unsure = a_send(text=NOT_SURE, category=None)
    assert outcome("G6", about(unsure, SERVICE)) == "undecided: type_unknown"
    assert outcome("G6", about(unsure)) == "clean"


def test_without_ports_a_disguise_is_flagged_and_a_code_is_clean() -> None:
    """Only a commercial send could be from the wrong port."""
    blind = {"without": Port} | unconnected("ports")
    assert outcome("G6", about(a_send(), **blind)) == "undecided: ports_not_connected"
    assert outcome("G6", about(a_send(category="otp"), **blind)) == "flagged"
    assert outcome("G6", about(a_send(text=CODE, category="otp"), **blind)) == "clean"
