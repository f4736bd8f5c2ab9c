"""Folding: what a reader takes for the same is the same, and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendwatch.text import alike, fold_name, fold_word
from sendwatch.text.fold import content, plain


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """So filings and texts may be folded in any order."""
    assert fold_name(fold_name(text)) == fold_name(text)
    assert fold_word(fold_word(text)) == fold_word(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("星河银行", "星河銀行"),
        ("信用卡", "信用咔"),
        ("京东", "亰東"),
        ("贷款", "貸歀"),
        ("微信", "微亻言"),
        ("中国", "Ｃ中囯"[1:]),
        ("ABC商城", "ａｂｃ 商城"),
    ],
)
def test_look_alikes_are_alike(one: str, other: str) -> None:
    """Traditional forms, look-alikes, halves side by side, widths, cases, blanks."""
    assert alike(one) == alike(other)


@pytest.mark.parametrize(("one", "other"), [("星河银行", "星海银行"), ("京东", "京西"), ("abc", "abd")])
def test_other_names_are_not_alike(one: str, other: str) -> None:
    """Folding too much would accuse the innocent."""
    assert alike(one) != alike(other)


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("全场5.5折", "全场N折"),
        ("全场x.x折", "全场N折"),
        ("全场DIGIT折", "全场N折"),
        ("电话xxxxxxxxxxx", "电话P"),
        ("电话13800001111", "电话P"),
        ("热线400-000-1111", "热线P"),
        ("戳 a.example.cn/x1 领", "戳U领"),
        ("看http://b.example.com退订", "看U退订"),
        ("贷/款 放*歀", "贷款放款"),
        ("③天①折", "N天N折"),
    ],
)
def test_what_varies_is_read_as_one(text: str, read_as: str) -> None:
    """Numbers, masks, phone numbers and links, however they are written."""
    assert content(plain(text)) == read_as


@given(st.text(max_size=300))
def test_any_text_can_be_folded(text: str) -> None:
    """No text fails, whatever it holds."""
    assert content(plain(text)).isascii() or content(plain(text)) != ""
