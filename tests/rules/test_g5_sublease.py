"""G5: ports used by an SP that neither holds them nor was authorised."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    CODE,
    NOW,
    UNSIGNED,
    a_letter,
    a_port,
    a_send,
    about,
    an_owner,
    evidence,
    outcome,
    unconnected,
)
from sendwatch.events import Port

HELD = a_port(holder="holder1")


def test_a_port_held_by_another_without_a_letter_is_flagged() -> None:
    """The evidence names the link that is missing."""
    assert evidence("G5", about(a_send(), HELD)) == {
        "port": "1069",
        "holder": "holder1",
        "sp": "sp1",
        "grantor": "holder1",
        "grantee": "sp1",
        "letter": None,
        "fails": ["missing"],
    }


def test_an_sps_own_port_is_clean() -> None:
    """No letter is needed."""
    assert outcome("G5", about()) == "clean"


def test_a_letter_of_the_holder_makes_it_clean() -> None:
    """One link."""
    assert outcome("G5", about(a_send(), HELD, a_letter())) == "clean"


def test_a_chain_of_letters_does_as_well_and_its_broken_link_is_named() -> None:
    """Holder → middle → SP; then without the second link."""
    first = a_letter("a", grantee="middle")
    second = a_letter("b", grantor="middle")
    assert outcome("G5", about(a_send(), HELD, first, second)) == "clean"
    found = evidence("G5", about(a_send(), HELD, first))
    assert (found["grantor"], found["grantee"], found["fails"]) == ("middle", "sp1", ["missing"])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"valid_until": NOW}, "flagged"),
        ({"valid_until": NOW + 1}, "clean"),
        ({"valid_from": NOW}, "clean"),
        ({"valid_from": NOW + 1}, "flagged"),
        ({"ports": ("1069",)}, "clean"),
        ({"ports": ("10690002",)}, "flagged"),
        ({"signatures": ("云岭商贸",)}, "clean"),
        ({"signatures": ("乙",)}, "flagged"),
        ({"signatures": ()}, "flagged"),
        ({"grantee": "sp2"}, "flagged"),
    ],
)
def test_each_letter_must_be_valid_and_cover_port_and_signature(fields: dict[str, Any], said: str) -> None:
    """At the time of the send, to the millisecond."""
    assert outcome("G5", about(a_send(), HELD, a_letter(**fields))) == said


def test_a_letter_that_lacks_something_is_named_with_what_it_lacks() -> None:
    """The nearest to repair."""
    found = evidence("G5", about(a_send(), HELD, a_letter(valid_until=NOW, ports=("1068",))))
    assert (found["letter"], found["fails"]) == ("l1", ["lapsed", "port"])


def test_an_owner_and_its_own_sp_account_are_one_party() -> None:
    """A letter to the owner is one to its SP; an owner may hold a port, too."""
    owner = an_owner("O1", sp="sp1")
    assert outcome("G5", about(a_send(), HELD, owner, a_letter(grantee="O1"))) == "clean"
    assert outcome("G5", about(a_send(), a_port(holder="O1"), owner)) == "clean"


def test_without_a_valid_port_it_does_not_apply() -> None:
    """G8 flags that."""
    assert outcome("G5", about(a_send(), without=Port)) == "clean"
    assert outcome("G5", about(a_send(), a_port(holder="holder1", valid_until=NOW))) == "clean"


def test_it_holds_for_codes_and_unsigned_texts() -> None:
    """An unsigned text is covered only by a letter for every signature."""
    assert outcome("G5", about(a_send(text=CODE, category="otp"), HELD)) == "flagged"
    assert outcome("G5", about(a_send(text=UNSIGNED), HELD, a_letter())) == "clean"
    assert outcome("G5", about(a_send(text=UNSIGNED), HELD, a_letter(signatures=("云岭商贸",)))) == "flagged"


def test_without_the_text_it_is_undecided_only_where_the_chain_turns_on_the_signature() -> None:
    """A letter for all decides it, as does none."""
    absent = a_send(text=None)
    assert outcome("G5", about(absent, HELD, a_letter(signatures=("甲",)))) == "undecided: text_unknown"
    assert outcome("G5", about(absent, HELD, a_letter())) == "clean"
    assert outcome("G5", about(absent, HELD)) == "flagged"


def test_without_ports_it_is_undecided() -> None:
    """Nobody knows who holds it."""
    facts = about(a_send(), without=Port, **unconnected("ports"))
    assert outcome("G5", facts) == "undecided: ports_not_connected"


@pytest.mark.parametrize("table", ["letters", "owners"])
def test_without_letters_or_owners_only_the_holder_itself_is_decided(table: str) -> None:
    """A chain may lie in what is not seen."""
    blind = unconnected(table)
    assert outcome("G5", about(a_send(), HELD, **blind)) == f"undecided: {table}_not_connected"
    assert outcome("G5", about(a_send(), **blind)) == "clean"
