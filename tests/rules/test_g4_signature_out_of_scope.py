"""G4: filed signatures used beyond what was filed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from build import (
    CODE,
    NOT_SURE,
    NOW,
    PART,
    UNSIGNED,
    a_filing,
    a_send,
    about,
    evidence,
    flagged,
    outcome,
    unconnected,
)
from sendwatch.events import Filing


@pytest.mark.parametrize(
    ("fields", "dimension"),
    [
        ({"ports": ("1068",)}, "port"),
        ({"ports": ("106900019",)}, "port"),
        ({"sps": ("sp2",)}, "sp"),
        ({"carriers": ("cu",)}, "carrier"),
        ({"provinces": ("11",)}, "province"),
        ({"uses": ("service", "otp")}, "type"),
        ({"uses": ("marketing.finance",)}, "type"),
        ({"uses": ()}, "type"),
        ({"carriers": ()}, "carrier"),
    ],
)
def test_each_dimension_that_a_filing_does_not_cover_is_named(fields: dict[str, Any], dimension: str) -> None:
    """Port, SP, carrier, province, type."""
    assert evidence("G4", about(a_send(), a_filing(**fields)))["fails"] == [dimension]


def test_the_evidence_names_the_nearest_filing_and_what_it_allows() -> None:
    """Fewest failing dimensions, then the longest port, then the lesser id."""
    far = a_filing("a", ports=("1068",), sps=("sp2",))
    near = a_filing("b", ports=("106", "1069"), sps=("sp2",), uses=("marketing",))
    also = a_filing("c", ports=("106",), sps=("sp2",))
    assert evidence("G4", about(a_send(), far, near, also)) == {
        "signature": "云岭商贸",
        "filing": "b",
        "owner": "O1",
        "fails": ["sp"],
        "filed_ports": ["106", "1069"],
        "filed_uses": ["marketing"],
    }


def test_the_evidence_shows_ten_of_a_filings_ports_at_most() -> None:
    """Some have hundreds."""
    many = a_filing(ports=tuple(str(1000 + each) for each in range(50)))
    assert len(cast("list[str]", evidence("G4", about(a_send(), many))["filed_ports"])) == 10


def test_one_filing_must_cover_everything_together() -> None:
    """One covers the port, the other the type; neither both."""
    filings = (a_filing("a", uses=("service",)), a_filing("b", ports=("1068",)))
    assert outcome("G4", about(a_send(), *filings)) == "flagged"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ports": ("10690001",)},
        {"sps": ("sp2", "sp1"), "carriers": ("cm",), "provinces": ("53",)},
        {"uses": ("marketing.retail",)},
    ],
)
def test_a_filing_that_covers_all_makes_it_clean(fields: dict[str, Any]) -> None:
    """Absent limits allow all; a port counts by prefix; a use covers what is below it."""
    assert outcome("G4", about(a_send(), a_filing(**fields))) == "clean"


def test_only_filings_valid_at_the_time_count() -> None:
    """The one that would cover it has run out."""
    filings = (a_filing("a", valid_until=NOW), a_filing("b", uses=("otp",)))
    assert evidence("G4", about(a_send(), *filings))["filing"] == "b"


def test_it_holds_for_codes_too() -> None:
    """A code under a signature that is filed for marketing."""
    code = a_send(text=CODE, category="otp")
    assert evidence("G4", about(code, a_filing(uses=("marketing",))))["fails"] == ["type"]


@pytest.mark.parametrize(
    ("send", "filing", "said"),
    [
        ({"carrier": None}, {"carriers": ("cm",)}, "undecided: carrier_unknown"),
        ({"province": None}, {"provinces": ("53",)}, "undecided: province_unknown"),
        ({"carrier": None}, {}, "clean"),
        ({"carrier": None}, {"carriers": ("cm",), "sps": ("sp2",)}, "flagged"),
        ({"text": NOT_SURE, "category": None}, {"uses": ("marketing",)}, "undecided: type_unknown"),
        ({"text": NOT_SURE, "category": None}, {"uses": ("otp", "service", "marketing")}, "clean"),
        ({"text": NOT_SURE, "category": None}, {"uses": ("otp",), "ports": ("1068",)}, "flagged"),
    ],
)
def test_what_is_not_known_leaves_it_open_only_where_it_matters(
    send: dict[str, Any], filing: dict[str, Any], said: str
) -> None:
    """Known inputs that decide it, decide it."""
    assert outcome("G4", about(a_send(**send), a_filing(**filing))) == said


def test_the_unknown_carrier_of_one_filing_does_not_open_what_another_covers() -> None:
    """One whole cover is enough."""
    filings = (a_filing("a", carriers=("cu",)), a_filing("b"))
    assert outcome("G4", about(a_send(carrier=None), *filings)) == "clean"


def test_a_graced_pending_filing_has_a_scope_as_well() -> None:
    """Where the carrier graces them."""
    pending = a_filing(status="pending", uses=("otp",))
    assert flagged(about(a_send(), pending, pending_grace=True)) & {"G2", "G3", "G4"} == {"G4"}


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided(fields: dict[str, Any]) -> None:
    """The signature may stand in what is not there."""
    assert outcome("G4", about(a_send(**fields), a_filing(uses=("otp",)))) == "undecided: text_unknown"


def test_without_filings_a_signed_text_is_undecided_and_an_unsigned_one_is_not() -> None:
    """What bears no signature is G1's."""
    blind = {"without": Filing} | unconnected("signatures")
    assert outcome("G4", about(a_send(), **blind)) == "undecided: signatures_not_connected"
    assert outcome("G4", about(a_send(text=UNSIGNED), **blind)) == "clean"
