"""Templates: whether a text is the pattern, and which links it was not filed with."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import NOW, TEXT, a_registry, a_send, a_template
from sendwatch.templates import VARIABLE, foreign_links, match_template, matches
from sendwatch.text import read


@pytest.mark.parametrize(
    ("pattern", "text", "same"),
    [
        ("验证码{code}，勿泄露", "验证码824193，勿泄露", True),
        ("验证码{code}，勿泄露", "验证码，勿泄露", False),
        ("验证码{code}，勿泄露", "您的验证码824193，勿泄露", False),
        ("验证码{code}，勿泄露", "验证码824193，勿泄露。", False),
        ("验证码{code}", "验证码8", True),
        ("{name}您好", "张三您好", True),
        ("{all}", "a", True),
        ("{all}", "", False),
        ("{a}{b}", "xy", True),
        ("{a}{b}", "x", False),
        ("没有变量", "没有变量", True),
        ("没有变量", "没有变量！", False),
        ("a{x}a", "aa", False),
        ("a{x}a", "aaa", True),
        ("aba{x}aba", "ababa", False),
        ("满{n}减{m}元", "满300减50元", True),
        ("{}号", "3号", True),
        ("{x}-{y}-{z}", "----", False),
        ("{x}-{y}-{z}", "-----", True),
        ("多行{x}", "多行\n第二行", True),
        ("{未闭合", "{未闭合", True),
    ],
)
def test_a_text_is_a_pattern_with_one_character_or_more_for_each_variable(pattern: str, text: str, same: bool) -> None:
    """The whole text; literals to the letter."""
    assert matches(pattern, text) is same


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "{x}", "{}"]), max_size=8).map("".join),
    st.text("ab", max_size=12),
)
def test_it_is_what_a_regular_expression_says(pattern: str, text: str) -> None:
    """The same answer, without its exponential time."""
    expression = ".+".join(map(re.escape, VARIABLE.split(pattern)))
    assert matches(pattern, text) is (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_a_text_made_to_be_slow_is_not() -> None:
    """A hundred variables and a text that matches up to its last character."""
    began = time.perf_counter()
    assert not matches("{x}a" * 100 + "b", "a" * 20_000)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "match"),
        ({"pattern": TEXT}, "match"),
        ({"pattern": "别的{x}"}, "mismatch"),
        ({"valid_until": NOW}, "lapsed"),
        ({"id": "t2"}, "unknown"),
    ],
)
def test_how_a_send_stands_to_the_template_that_it_names(fields: dict[str, str], state: str) -> None:
    """As of its time; with or without the signature."""
    named = match_template(a_send(template="t1"), a_registry([a_template(**fields)]), read(TEXT), "云岭商贸")
    assert named.state == state
    assert named.use == ("marketing" if state == "match" else None)


def test_without_the_text_a_valid_template_is_unread_and_an_unknown_one_unknown() -> None:
    """Neither gives the send its type."""
    registry = a_registry([a_template()])
    assert match_template(a_send(template="t1", text=None), registry, None, None).state == "unread"
    assert match_template(a_send(template="t2", text=None), registry, None, None).state == "unknown"


@pytest.mark.parametrize("text", [f"  {TEXT}  ", TEXT.removeprefix("【云岭商贸】") + "【云岭商贸】"])
def test_blanks_around_a_text_and_the_place_of_its_signature_do_not_matter(text: str) -> None:
    """The text is trimmed; the signature may stand at either end."""
    named = match_template(a_send(template="t1", text=text), a_registry([a_template()]), read(text), "云岭商贸")
    assert named.state == "match"


EVERY = ("url", "number", "account")


def foreign(text: str, pattern: str, urls: tuple[str, ...] | None = None) -> list[str]:
    """The links of a text that this template was not filed with."""
    return [value for _, value in foreign_links(a_template(pattern=pattern, urls=urls), text, EVERY)]


def test_links_of_the_pattern_are_filed() -> None:
    """And those of the same kind in place of a variable are not."""
    pattern = "{x}详询4008001234或点 https://yunling.cn/m "
    assert foreign("买一送一详询4008001234或点 https://yunling.cn/m ", pattern) == []
    assert foreign("加微信yunling88详询4008001234或点 https://yunling.cn/m ", pattern) == ["wechat:yunling88"]


def test_a_number_announced_by_the_pattern_in_place_of_a_variable_is_found() -> None:
    """`详询` stands in the pattern, the number in the text."""
    assert foreign("详询13800000000", "详询{phone}") == ["13800000000"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("点 https://yunling.cn/m/a1 领", []),
        ("点 https://yunling.cn/m?from=1 领", []),
        ("点 https://yunling.cn/m 领", []),
        ("点 https://yunling.cn.evil.com/m 领", ["yunling.cn.evil.com/m"]),
        ("点 https://yunling.cnn.com/m 领", ["yunling.cnn.com/m"]),
    ],
)
def test_what_begins_like_a_link_of_the_pattern_is_of_the_pattern(text: str, found: list[str]) -> None:
    """A path goes on where it likes; a host ends where it ends."""
    assert foreign(text, "点 https://yunling.cn{path} 领") == found


def test_filed_urls_are_read_as_the_links_of_texts_are() -> None:
    """Scheme, `www.` and case do not tell them apart."""
    urls = ("HTTPS://WWW.Yunling.CN/M/",)
    assert foreign("点 http://yunling.cn/m/1 领", "{x}", urls) == []
    assert foreign("点 http://yunling.cn/n 领", "{x}", urls) == ["yunling.cn/n"]


def test_only_the_kinds_that_are_asked_for_are_told() -> None:
    """G7 asks for links alone."""
    found = foreign_links(a_template(pattern="{x}"), "详询13800000000，点 https://evil.com/1 ", ("url",))
    assert found == (("url", "evil.com/1"),)
