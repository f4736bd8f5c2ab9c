"""Signatures are found where a reader sees them, and nowhere else."""

from __future__ import annotations

import pytest

from sendwatch.text import body, read


@pytest.mark.parametrize(
    ("text", "head", "tail"),
    [
        ("【云朵商城】您的包裹已发出", "云朵商城", None),
        ("[云朵商城]您的包裹已发出", "云朵商城", None),
        ("［云朵商城］您的包裹已发出", "云朵商城", None),
        ("您的包裹已发出【云朵商城】", None, "云朵商城"),
        ("您的包裹已发出[云朵商城]", None, "云朵商城"),
        ("【话费账单】您本月消费 30 元【中国移动】", "话费账单", "中国移动"),
        ("您的验证码为【824193】", None, "824193"),
        ("您的包裹已发出", None, None),
        ("", None, None),
        (" \u3000\t", None, None),
    ],
)
def test_names_in_brackets_at_either_end_are_candidates(text: str, head: str | None, tail: str | None) -> None:
    """A head title or a code at the tail is one too: the registry decides."""
    reading = read(text)
    assert (reading.head, reading.tail) == (head, tail)


def test_a_name_in_the_middle_is_no_candidate() -> None:
    """Only the ends of a text are signed."""
    reading = read("您正在退订【天气早知道】业务，请确认")
    assert (reading.head, reading.tail) == (None, None)


def test_equal_names_at_both_ends_are_one_candidate() -> None:
    """Width and blanks don't make two of them."""
    reading = read("【ABC 商城】您好[ＡＢＣ商城]")
    assert (reading.head, reading.tail) == ("ABC商城", None)


def test_of_two_head_signatures_the_first_is_the_candidate() -> None:
    """The second is part of the text."""
    assert read("【云朵商城】【星河银行】您好").head == "云朵商城"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\ufeff \t【云朵商城】您好", "云朵商城"),
        ("【云 朵\u3000商\u200b城】您好", "云朵商城"),
        ("【ＡＢＣ】您好", "ABC"),
        ("【aBc】您好", "aBc"),
    ],
)
def test_names_are_folded_for_matching_and_keep_their_case(text: str, name: str) -> None:
    """Widths folded, blanks and what nobody sees dropped."""
    assert read(text).head == name


def test_a_name_is_shown_as_it_was_written() -> None:
    """Folding is for matching, never for display."""
    assert read("【 ＡＢＣ　商城 】您好").head_shown == "ＡＢＣ　商城"


@pytest.mark.parametrize(
    ("text", "head", "tail"),
    [
        ("[9条]【云朵商城】您好", "云朵商城", None),
        ("【【云朵商城】】您好", "云朵商城", None),
        ("【 【云朵商城】您好", "云朵商城", None),
        ("【云朵商城]您好", "云朵商城", None),
        ("云朵商城】您好，您的包裹已发出", "云朵商城", None),
        ("您的包裹已发出。【云朵商城", None, "云朵商城"),
        ("您的包裹已发出[[好！【云朵商城】]]", None, "云朵商城"),
    ],
)
def test_damage_is_mended_where_nothing_else_can_be_meant(text: str, head: str | None, tail: str | None) -> None:
    """Brackets doubled, mixed, lost or cut off, and a phone's own count in front."""
    reading = read(text)
    assert (reading.head, reading.tail) == (head, tail)


@pytest.mark.parametrize(
    "text",
    [
        "[云朵商城您的包裹已发出",  # where does the name end?
        "【】您的包裹已发出",
        "【 】您的包裹已发出",
        "您的包裹已发出【",
        "送花了[玫瑰][玫瑰][呲牙",
        f"【{'长' * 65}】您好",
        "【您的包裹已发出，请注意查收。】",
    ],
)
def test_what_may_be_no_name_is_none(text: str) -> None:
    """An unsure name would accuse somebody of a false signature."""
    reading = read(text)
    assert (reading.head, reading.tail) == (None, None)


def test_digits_in_a_name_are_the_texts_own() -> None:
    """Copies that differ only in digits are read once, but 【58…】 is not 【51…】."""
    one, other = read("【58搬家】您的验证码 1234【163信箱】"), read("【51搬家】您的验证码 9999【126信箱】")
    assert (one.head, one.tail, one.tail_shown) == ("58搬家", "163信箱", "163信箱")
    assert (other.head, other.tail, other.head_shown) == ("51搬家", "126信箱", "51搬家")


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("【云朵商城】您好", "云朵商城", "您好"),
        ("您好【云朵商城】", "云朵商城", "您好"),
        ("【云朵商城】您好[云 朵商城]", "云朵商城", "您好"),
        ("【通知】您好【云朵商城】", "云朵商城", "【通知】您好"),
        ("【【云朵商城】】您好", "云朵商城", "您好"),
        (" 您好 ", None, "您好"),
        ("【云朵商城】", "云朵商城", ""),
    ],
)
def test_the_body_is_the_text_without_its_signature(text: str, name: str | None, rest: str) -> None:
    """Templates match with or without it; another bracketed word stays."""
    assert body(text, name) == rest
