"""G3: signatures whose filings have all ended."""

from __future__ import annotations

from typing import Any

import pytest

from build import DAY, NOW, PART, UNSIGNED, a_filing, a_send, about, evidence, flagged, outcome, unconnected
from sendwatch.events import Filing


def test_a_signature_whose_only_filing_has_run_out_is_flagged() -> None:
    """The evidence names it and when it ended."""
    assert evidence("G3", about(a_send(), a_filing(valid_until=NOW - DAY))) == {
        "signature": "云岭商贸",
        "filing": "f1",
        "ended_at": NOW - DAY,
        "status": "approved",
    }


@pytest.mark.parametrize(("valid_until", "said"), [(NOW, "flagged"), (NOW + 1, "clean")])
@pytest.mark.parametrize("status", ["approved", "revoked"])
def test_a_filing_holds_up_to_but_not_including_its_end(valid_until: int, status: str, said: str) -> None:
    """A revoked one does so as an approved one does."""
    assert outcome("G3", about(a_send(), a_filing(status=status, valid_until=valid_until))) == said


def test_of_several_that_ended_the_last_is_named() -> None:
    """The one that came nearest in time."""
    filings = (
        a_filing("a", valid_until=NOW - 9 * DAY),
        a_filing("b", valid_until=NOW - DAY),
        a_filing("c", valid_until=NOW - 5 * DAY),
    )
    assert evidence("G3", about(a_send(), *filings))["filing"] == "b"


def test_one_valid_filing_is_enough() -> None:
    """Even where it does not cover the send: that is G4."""
    lapsed, narrow = a_filing("a", valid_until=NOW), a_filing("b", uses=("otp",))
    assert flagged(about(a_send(), lapsed, narrow)) & {"G2", "G3", "G4"} == {"G4"}


def test_filings_that_have_not_begun_or_were_not_approved_do_not_count() -> None:
    """Neither makes the signature a filed one: G2."""
    future = a_filing("a", valid_from=NOW + 1)
    rejected = a_filing("b", status="rejected", valid_until=NOW)
    assert flagged(about(a_send(), future, rejected)) & {"G2", "G3", "G4"} == {"G2"}


def test_a_lapsed_filing_beside_one_that_has_yet_to_begin_is_lapsed() -> None:
    """Of those that began, none holds."""
    filings = (a_filing("a", valid_until=NOW), a_filing("b", valid_from=NOW + 1))
    assert flagged(about(a_send(), *filings)) & {"G2", "G3", "G4"} == {"G3"}


def test_a_graced_pending_filing_lapses_like_any() -> None:
    """Where the carrier graces them."""
    pending = a_filing(status="pending", valid_until=NOW)
    assert flagged(about(a_send(), pending, pending_grace=True)) & {"G2", "G3"} == {"G3"}


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided(fields: dict[str, Any]) -> None:
    """The signature may stand in what is not there."""
    assert outcome("G3", about(a_send(**fields))) == "undecided: text_unknown"


def test_without_filings_a_signed_text_is_undecided_and_an_unsigned_one_is_not() -> None:
    """What bears no signature is G1's."""
    blind = {"without": Filing} | unconnected("signatures")
    assert outcome("G3", about(a_send(), **blind)) == "undecided: signatures_not_connected"
    assert outcome("G3", about(a_send(text=UNSIGNED), **blind)) == "clean"
