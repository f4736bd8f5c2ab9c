"""A reading is a function of the text alone, and costs once what its copies share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendwatch.text import read
from sendwatch.text.reading import LONG


def test_copies_that_differ_in_digits_share_one_reading() -> None:
    """A million codes cost one classification."""
    assert read("【云朵商城】验证码 123456，请勿泄露") is read("【云朵商城】验证码 654321，请勿泄露")


@given(st.text(alphabet="【】[]验证码回退订TD优惠贷款0159 ，.cn/\ud83d\ude00a", max_size=60))
def test_a_reading_never_depends_on_what_was_read_before(text: str) -> None:
    """What is remembered of a shape is what the text itself gives; digits are the text's own."""
    other = text.translate(str.maketrans("0159", "7777"))
    first = read(text)
    read(other)
    assert read(text) == first
    for name in (first.head_shown, first.tail_shown):
        assert name is None or name in text


@pytest.mark.parametrize(
    "text", ["", "\ud800", "【" * 5000, "】" * 5000, "退订" * 5000, "回复" * 5000, "a." * 5000, "0" * 20_000]
)
def test_no_text_is_too_strange(text: str) -> None:
    """Lone surrogates, and repetitions that make a careless expression run for ever."""
    assert read(text).klass is None


def test_long_texts_are_read_and_not_remembered() -> None:
    """Memory stays bounded by the length of a text, too."""
    text = "【云朵商城】您的验证码为 123456，请勿泄露给他人，5分钟内有效。" + "。" * LONG
    assert read(text).klass == "otp"
    assert read(text) is not read(text)
