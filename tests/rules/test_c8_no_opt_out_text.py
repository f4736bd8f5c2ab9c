"""C8: commercial texts that do not say how to refuse."""

from __future__ import annotations

from typing import Any

import pytest

from build import CODE, NOT_SURE, PART, a_send, about, evidence, outcome

NO_WORD = "【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。"


def test_a_commercial_text_without_refusal_wording_is_flagged() -> None:
    """The evidence shows the signature as it is written."""
    wide = NO_WORD.replace("云岭商贸", "ＡＢＣ商贸")
    assert evidence("C8", about(a_send(text=wide))) == {"type": "marketing.retail", "signature": "ＡＢＣ商贸"}


@pytest.mark.parametrize("wording", ["拒收请回复R", "回TD退订", "退订回T", "回复0000退订", "不想接收请回复N"])
def test_refusal_wording_makes_it_clean(wording: str) -> None:
    """The variants really used."""
    assert outcome("C8", about(a_send(text=NO_WORD + wording))) == "clean"


def test_a_text_without_a_signature_is_flagged_all_the_same() -> None:
    """G1 is another matter."""
    assert evidence("C8", about(a_send(text="会员日全场女装八折，满300减50，欢迎选购。")))["signature"] is None


def test_codes_need_no_refusal_wording() -> None:
    """Only commercial sends are asked about."""
    assert outcome("C8", about(a_send(text=CODE, category="otp"))) == "not_applicable"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided(fields: dict[str, Any]) -> None:
    """The wording may stand in what is not there; a declared code is not asked about."""
    assert outcome("C8", about(a_send(**fields))) == "undecided: text_unknown"
    assert outcome("C8", about(a_send(category="otp", **fields))) == "not_applicable"


def test_an_empty_text_is_a_whole_text() -> None:
    """It says nothing of refusing."""
    assert outcome("C8", about(a_send(text=""))) == "flagged"


def test_with_the_type_unknown_missing_wording_leaves_it_open() -> None:
    """It is flagged if commercial; with the wording it never is."""
    assert outcome("C8", about(a_send(text=NOT_SURE, category=None))) == "undecided: type_unknown"
    refusable = a_send(text=NOT_SURE + "退订回T", category=None)
    assert outcome("C8", about(refusable)) == "clean"
