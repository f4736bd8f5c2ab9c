"""G2: signatures that nobody has filed."""

from __future__ import annotations

from typing import Any

import pytest

from build import NOW, PART, UNSIGNED, a_filing, a_send, about, evidence, flagged, outcome, unconnected
from sendwatch.events import Filing


def test_a_signature_of_which_there_is_no_filing_is_flagged() -> None:
    """The evidence names it as it is written."""
    facts = about(a_send(text=f"【Ｙ云岭】{UNSIGNED}"))
    assert evidence("G2", facts) == {"signature": "Ｙ云岭", "other": 0}


def test_an_approved_filing_makes_it_clean() -> None:
    """The usual case."""
    assert outcome("G2", about()) == "clean"


@pytest.mark.parametrize(("valid_from", "said"), [(NOW, "clean"), (NOW + 1, "flagged")])
def test_the_filing_must_have_begun(valid_from: int, said: str) -> None:
    """At the moment of the send is in time."""
    assert outcome("G2", about(a_send(), a_filing(valid_from=valid_from))) == said


def test_a_filing_that_begins_later_is_named() -> None:
    """So that a person can see that it was a matter of days."""
    found = evidence("G2", about(a_send(), a_filing(valid_from=NOW + 1)))
    assert (found["filing"], found["begins_at"]) == ("f1", NOW + 1)


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_filing_that_was_not_approved_is_none(status: str) -> None:
    """The evidence says what became of it."""
    found = evidence("G2", about(a_send(), a_filing(status=status)))
    assert found == {"signature": "云岭商贸", "other": 1, "filing": "f1", "status": status}


def test_a_carrier_may_grace_pending_filings_but_not_rejected_ones() -> None:
    """Signatures in use before filing was required go on meanwhile."""
    assert outcome("G2", about(a_send(), a_filing(status="pending"), pending_grace=True)) == "clean"
    assert outcome("G2", about(a_send(), a_filing(status="rejected"), pending_grace=True)) == "flagged"


def test_a_revoked_filing_that_began_is_one() -> None:
    """Whether it still holds is for G3 to say."""
    revoked = a_filing(status="revoked", valid_until=NOW)
    assert flagged(about(a_send(), revoked)) & {"G2", "G3"} == {"G3"}


@pytest.mark.parametrize(
    ("written", "said"),
    [("云 岭商贸", "clean"), ("云岭商\u200b贸", "clean"), ("云岭商贸部", "flagged"), ("云岭", "flagged")],
)
def test_names_are_matched_whole_with_widths_and_blanks_folded(written: str, said: str) -> None:
    """A longer or shorter name is another one."""
    assert outcome("G2", about(a_send(text=f"【{written}】{UNSIGNED}"))) == said


@pytest.mark.parametrize(("written", "said"), [("ABC", "clean"), ("ＡＢＣ", "clean"), ("abc", "flagged")])
def test_widths_are_folded_and_case_is_kept(written: str, said: str) -> None:
    """Of filings, too."""
    facts = about(a_send(text=f"【{written}】{UNSIGNED}"), a_filing(signature="AＢC"))
    assert outcome("G2", facts) == said


def test_of_two_names_the_filed_one_is_the_signature() -> None:
    """A head title does not hide the tail signature."""
    assert outcome("G2", about(a_send(text=f"【话费账单】{UNSIGNED}【云岭商贸】"))) == "clean"


def test_where_neither_name_is_filed_the_head_one_is_named() -> None:
    """Both or neither: the head."""
    facts = about(a_send(text=f"【话费账单】{UNSIGNED}【云上】"))
    assert evidence("G2", facts)["signature"] == "话费账单"


def test_a_phone_number_in_brackets_is_not_shown() -> None:
    """It might be the recipient's."""
    facts = about(a_send(text=f"【尊敬的13800000000】{UNSIGNED}"))
    assert evidence("G2", facts)["signature"] == "尊敬的…"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided(fields: dict[str, Any]) -> None:
    """The signature may stand in what is not there."""
    assert outcome("G2", about(a_send(**fields))) == "undecided: text_unknown"


def test_without_filings_a_signed_text_is_undecided_and_an_unsigned_one_is_not() -> None:
    """What bears no signature is G1's, whatever was filed."""
    blind = {"without": Filing} | unconnected("signatures")
    assert outcome("G2", about(a_send(), **blind)) == "undecided: signatures_not_connected"
    assert outcome("G2", about(a_send(text=UNSIGNED), **blind)) == "clean"
