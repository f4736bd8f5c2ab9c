"""B7: commercial texts that lead outside the template they name."""

from __future__ import annotations

from typing import Any

import pytest

from build import CODE, NOT_SURE, NOW, PART, a_send, a_template, about, evidence, outcome, unconnected

SIGNED = "【云岭商贸】会员日全场{}八折，满300减50，欢迎选购。拒收请回复R"
NAMED = {"template": "t1"}


def test_a_number_in_place_of_a_variable_is_flagged() -> None:
    """The evidence tells kinds and count, never the number."""
    facts = about(a_send(text=SIGNED.format("女装（详询13800000000）"), **NAMED), a_template())
    assert evidence("B7", facts) == {"template": "t1", "kinds": ["number"], "count": 1}


def test_a_text_as_filed_is_clean() -> None:
    """Nothing leads elsewhere."""
    assert outcome("B7", about(a_send(**NAMED), a_template())) == "clean"


@pytest.mark.parametrize(
    ("goods", "kind"),
    [("女装 https://evil.example.com/a ", "url"), ("女装，加微信yunling2026，", "account")],
)
def test_links_and_accounts_are_found_too(goods: str, kind: str) -> None:
    """A link, number or account."""
    assert evidence("B7", about(a_send(text=SIGNED.format(goods), **NAMED), a_template()))["kinds"] == [kind]


def test_what_the_pattern_itself_holds_is_filed() -> None:
    """A number and a link of the filed wording."""
    pattern = "会员日{goods}，详询4008001234，或点 https://yunling.cn/m 。拒收请回复R"
    text = "【云岭商贸】会员日女装，详询4008001234，或点 https://yunling.cn/m 。拒收请回复R"
    assert outcome("B7", about(a_send(text=text, **NAMED), a_template(pattern=pattern))) == "clean"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://yunling.cn/m/a1", "clean"),
        ("yunling.cn/m?x=1", "clean"),
        ("https://yunling.cn/other", "flagged"),
        ("https://yunling.cn.evil.com/m", "flagged"),
    ],
)
def test_links_under_the_filed_urls_are_filed(link: str, said: str) -> None:
    """Below a filed URL is filed; beside it, or a host that merely begins like it, is not."""
    facts = about(a_send(text=SIGNED.format(f"女装 {link} "), **NAMED), a_template(urls=("https://yunling.cn/m",)))
    assert outcome("B7", facts) == said


def test_a_text_that_is_not_the_template_is_looked_at_whole() -> None:
    """Drift is G7's; where it leads is looked at all the same."""
    facts = about(a_send(text="【云岭商贸】清仓大促全场五折，咨询13800000000，退订回T", **NAMED), a_template())
    assert outcome("B7", facts) == "flagged"


@pytest.mark.parametrize(
    "rows",
    [(), (a_template(valid_until=NOW),)],
    ids=["unknown", "lapsed"],
)
def test_a_template_that_is_not_valid_allows_and_forbids_nothing(rows: tuple[Any, ...]) -> None:
    """The rule is about sends that name a valid template."""
    assert outcome("B7", about(a_send(text=SIGNED.format("女装（详询13800000000）"), **NAMED), *rows)) == "clean"


def test_a_send_that_names_no_template_is_clean() -> None:
    """There is nothing that it could lead out of."""
    assert outcome("B7", about(a_send(text=SIGNED.format("女装（详询13800000000）")))) == "clean"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided_where_a_valid_template_is_named(fields: Any) -> None:
    """An absent text, and one part of a long one."""
    assert outcome("B7", about(a_send(**fields, **NAMED), a_template())) == "undecided: text_unknown"
    assert outcome("B7", about(a_send(**fields))) == "clean"


def test_a_service_message_is_not_its_business() -> None:
    """Only commercial sends are asked about."""
    assert outcome("B7", about(a_send(text=CODE, category="otp", **NAMED), a_template())) == "not_applicable"


def test_with_the_type_unknown_a_diversion_leaves_it_open() -> None:
    """It is flagged if commercial, and that is not known."""
    unsure = a_send(text=f"{NOT_SURE} 13800000000", category=None, **NAMED)
    assert outcome("B7", about(unsure, a_template())) == "undecided: type_unknown"


def test_without_templates_only_sends_that_name_none_are_decided() -> None:
    """A table that is not connected."""
    blind = unconnected("templates")
    assert outcome("B7", about(a_send(**NAMED), **blind)) == "undecided: templates_not_connected"
    assert outcome("B7", about(a_send(), **blind)) == "clean"
