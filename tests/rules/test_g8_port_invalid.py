"""G8: ports that are not allotted, too long, or out of their place."""

from __future__ import annotations

from typing import Any

import pytest

from build import CODE, NOW, a_filing, a_port, a_send, about, evidence, flagged, outcome, unconnected
from sendwatch.events import Port


def test_a_port_that_nobody_was_allotted_is_flagged() -> None:
    """The evidence says why."""
    assert evidence("G8", about(a_send(), without=Port)) == {
        "port": "10690001",
        "why": ["not_allotted"],
        "allotment": None,
    }


def test_an_allotted_port_is_clean() -> None:
    """By its prefix."""
    assert outcome("G8", about()) == "clean"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"valid_until": NOW}, "flagged"),
        ({"valid_until": NOW + 1}, "clean"),
        ({"valid_from": NOW}, "clean"),
        ({"valid_from": NOW + 1}, "flagged"),
        ({"port": "10690002"}, "flagged"),
    ],
)
def test_the_allotment_must_be_of_that_port_and_valid_at_the_time(fields: dict[str, Any], said: str) -> None:
    """To the millisecond."""
    assert outcome("G8", about(a_send(), a_port(**fields))) == said


@pytest.mark.parametrize(("digits", "said"), [(21, "clean"), (22, "flagged"), (40, "flagged")])
def test_a_port_has_21_digits_at_most(digits: int, said: str) -> None:
    """CMPP's Src_Id has no more."""
    assert outcome("G8", about(a_send(port="1069" + "0" * (digits - 4)))) == said


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"provinces": ("11",)}, ["province"]),
        ({"carriers": ("cu",)}, ["carrier"]),
        ({"carriers": ("cu",), "provinces": ("11", "12")}, ["carrier", "province"]),
        ({"provinces": ()}, ["province"]),
    ],
)
def test_a_port_used_outside_its_provinces_or_carriers_is_flagged(fields: dict[str, Any], why: list[str]) -> None:
    """The evidence names the allotment."""
    found = evidence("G8", about(a_send(), a_port(**fields)))
    assert (found["why"], found["allotment"]) == (why, "p1")


def test_within_its_provinces_and_carriers_it_is_clean() -> None:
    """One of several."""
    assert outcome("G8", about(a_send(), a_port(provinces=("11", "53"), carriers=("cu", "cm")))) == "clean"


def test_the_longest_prefix_decides() -> None:
    """The sub-port's own allotment, not the main port's."""
    main, sub = a_port("p1"), a_port("p2", port="106900", provinces=("11",))
    assert evidence("G8", about(a_send(), main, sub))["allotment"] == "p2"


def test_of_equal_prefixes_the_later_and_then_the_greater_id_decides() -> None:
    """`valid_from`, then id."""
    older = a_port("z", valid_from=NOW - 2, provinces=("11",))
    assert outcome("G8", about(a_send(), older, a_port("a", valid_from=NOW - 1))) == "clean"
    same = a_port("b", valid_from=NOW - 2)
    assert outcome("G8", about(a_send(), older, same)) == "flagged"


@pytest.mark.parametrize(
    ("send", "port", "said"),
    [
        ({"carrier": None}, {"carriers": ("cm",)}, "undecided: carrier_unknown"),
        ({"province": None}, {"provinces": ("53",)}, "undecided: province_unknown"),
        ({"province": None, "carrier": None}, {}, "clean"),
        ({"province": None}, {"provinces": ("53",), "carriers": ("cu",)}, "flagged"),
        ({"province": None}, {"provinces": ()}, "flagged"),
        ({"province": None, "port": "1069" + "0" * 18}, {"provinces": ("53",)}, "flagged"),
    ],
)
def test_what_is_not_known_leaves_it_open_only_where_it_matters(
    send: dict[str, Any], port: dict[str, Any], said: str
) -> None:
    """Known inputs that decide it, decide it."""
    assert outcome("G8", about(a_send(**send), a_port(**port))) == said


def test_it_holds_for_codes_too_and_g5_and_g6_then_do_not_apply() -> None:
    """Nobody holds such a port, and it has no purpose."""
    facts = about(a_send(text=CODE, category="otp"), a_filing(), without=Port)
    assert flagged(facts) == {"G8"}


def test_without_ports_only_too_long_a_port_is_decided() -> None:
    """22 digits need no table."""
    blind = {"without": Port} | unconnected("ports")
    assert outcome("G8", about(a_send(), **blind)) == "undecided: ports_not_connected"
    assert outcome("G8", about(a_send(port="1" * 22), **blind)) == "flagged"
