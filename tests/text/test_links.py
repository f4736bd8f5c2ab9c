"""Ways out of a text, and the fingerprint that its copies share."""

from __future__ import annotations

import pytest

from sendwatch.text import fingerprint, links


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("点击 https://www.Shop.example.cn/A?b=1 领取", [("url", "shop.example.cn/a?b=1")]),
        ("戳s.example.cn/x1，回T退订", [("url", "s.example.cn/x1")]),
        ("看>>m.example.com/z/9 ", [("url", "m.example.com/z/9")]),
        ("电话13800001111", [("number", "13800001111")]),
        ("电话 138-0000-1111 或 138 0000 2222", [("number", "13800001111"), ("number", "13800002222")]),
        ("热线400-000-1111", [("number", "4000001111")]),
        ("详询95000", [("number", "95000")]),
        ("订座电话0571-80000000", [("number", "057180000000")]),
        ("加微信abc_12345领取", [("account", "wechat:abc_12345")]),
        ("薇信：abc12345", [("account", "wechat:abc12345")]),
        ("QQ群12345678", [("account", "qq:12345678")]),
        ("关注公众号“云朵商城”", []),
        ("关注公众号【云朵商城】", [("account", "wechat:云朵商城")]),
        ("电话１３８００００１１１１", [("number", "13800001111")]),
    ],
)
def test_links_numbers_and_accounts_are_found(text: str, found: list[tuple[str, str]]) -> None:
    """Normalised: no scheme, no www., digits only, small letters."""
    assert links(text) == tuple(found)


@pytest.mark.parametrize(
    "text",
    [
        "验证码123456，5分钟内有效",
        "余额12345.67元",
        "2024-01-02 12:30:00",
        "订单号20240102123456789",
        "尾号1234",
        "x.x折",
    ],
)
def test_codes_amounts_dates_and_orders_are_no_ways_out(text: str) -> None:
    """A template's own variables would be flagged otherwise."""
    assert links(text) == ()


def test_the_same_way_out_counts_once() -> None:
    """However often it is named."""
    assert links("戳 a.example.cn/x 或 https://a.example.cn/x") == (("url", "a.example.cn/x"),)


@pytest.mark.parametrize(
    "copy",
    [
        "【星河商城】满200减30，戳 b.example.cn/9，贷款找我",
        "满100减20，戳 a.example.cn/1，贷款找我【云朵商城】",
        "[云朵商城] 满 100 减 20 ，戳 a.example.cn/1 ，貸歀找我",
        "【云朵商城】满１００减２０，戳a.example.cn/1，贷款找我",
    ],
)
def test_copies_share_a_fingerprint(copy: str) -> None:
    """Whatever their signature, digits, blanks, links and look-alikes."""
    assert fingerprint(copy) == fingerprint("【云朵商城】满100减20，戳 a.example.cn/1，贷款找我")


def test_other_texts_have_other_fingerprints() -> None:
    """And none of them shows the text."""
    one, other = fingerprint("【云朵商城】满100减20"), fingerprint("【云朵商城】满100送20")
    assert one != other
    assert len(one) == 32
    assert one.isascii()
