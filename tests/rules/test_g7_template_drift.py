"""G7: sends that are not the template they name."""

from __future__ import annotations

from typing import Any

import pytest

from build import CODE, NOW, PART, TEXT, a_send, a_template, about, evidence, outcome, unconnected

NAMED: dict[str, Any] = {"template": "t1"}


def test_a_text_that_its_pattern_does_not_match_is_flagged() -> None:
    """The evidence names the template and the reason."""
    facts = about(a_send(text="【云岭商贸】清仓五折，退订回T", **NAMED), a_template())
    assert evidence("G7", facts) == {"template": "t1", "why": "mismatch"}


def test_a_text_as_filed_is_clean() -> None:
    """Signed, while the pattern is filed without the signature."""
    assert outcome("G7", about(a_send(**NAMED), a_template())) == "clean"


def test_the_pattern_may_have_been_filed_with_the_signature() -> None:
    """With or without it."""
    assert outcome("G7", about(a_send(**NAMED), a_template(pattern=TEXT))) == "clean"


@pytest.mark.parametrize("text", [TEXT + "！", "！" + TEXT, TEXT.replace("女装", "")])
def test_the_whole_text_must_match_with_a_character_or_more_for_a_variable(text: str) -> None:
    """Nothing before it, nothing after it, nothing left empty."""
    assert outcome("G7", about(a_send(text=text, **NAMED), a_template())) == "flagged"


def test_a_template_that_nobody_filed_is_flagged_whatever_the_text() -> None:
    """Even where the text is absent or incomplete."""
    for fields in ({}, {"text": None}, {"part": PART}, {"text": CODE, "category": "otp"}):
        assert evidence("G7", about(a_send(**NAMED | fields))) == {"template": "t1", "why": "unknown"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"valid_until": NOW}, "flagged"),
        ({"valid_until": NOW + 1}, "clean"),
        ({"valid_from": NOW}, "clean"),
        ({"valid_from": NOW + 1}, "flagged"),
    ],
)
def test_the_template_must_be_valid_at_the_time(fields: dict[str, Any], said: str) -> None:
    """To the millisecond."""
    assert outcome("G7", about(a_send(**NAMED), a_template(**fields))) == said


def test_a_template_that_lapsed_is_told_from_one_that_never_was() -> None:
    """The evidence says which."""
    assert evidence("G7", about(a_send(**NAMED), a_template(valid_until=NOW)))["why"] == "lapsed"


@pytest.mark.parametrize(
    ("urls", "link", "said"),
    [
        (("https://yunling.cn/m",), "https://yunling.cn/m/a1", "clean"),
        (("https://yunling.cn/m",), "http://www.yunling.cn/m", "clean"),
        (("https://www.yunling.cn/",), "yunling.cn/anything", "clean"),
        (("https://yunling.cn/m",), "https://yunling.cn/n", "flagged"),
        (("https://yunling.cn/m",), "https://yunling.cn.evil.com/m", "flagged"),
        ((), "https://yunling.cn/m", "flagged"),
        (None, "https://yunling.cn/m", "clean"),
    ],
)
def test_links_in_variables_must_be_among_the_filed_urls_where_any_list_is_filed(
    urls: tuple[str, ...] | None, link: str, said: str
) -> None:
    """An empty list allows none; no list says nothing."""
    text = TEXT.replace("女装", f"女装 {link} ")
    assert outcome("G7", about(a_send(text=text, **NAMED), a_template(urls=urls))) == said


def test_a_foreign_link_is_told_from_other_wording() -> None:
    """The evidence counts them and shows none."""
    text = TEXT.replace("女装", "女装 https://evil.com/1 ")
    facts = about(a_send(text=text, **NAMED), a_template(urls=()))
    assert evidence("G7", facts) == {"template": "t1", "why": "url", "foreign": 1}


def test_a_send_that_names_no_template_is_clean() -> None:
    """There is nothing to drift from."""
    assert outcome("G7", about()) == "clean"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_a_valid_template_leaves_it_open(fields: dict[str, Any]) -> None:
    """It may match or not."""
    assert outcome("G7", about(a_send(**NAMED | fields), a_template())) == "undecided: text_unknown"


def test_without_templates_only_sends_that_name_none_are_decided() -> None:
    """An unseen template is not an unknown one."""
    blind = unconnected("templates")
    assert outcome("G7", about(a_send(**NAMED), **blind)) == "undecided: templates_not_connected"
    assert outcome("G7", about(a_send(), **blind)) == "clean"
