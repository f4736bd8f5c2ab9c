"""Refusal wording in the variants that are really used, refusals as the contract has them, requests for consent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendwatch.text import asks, read, refusal
from sendwatch.text.wording import ASKING, asks_in

OFFERS = {
    "回TD退订": ("td",),
    "退订回N": ("n",),
    "退订回复TD": ("td",),
    "回复TD退订": ("td",),
    "退订": (),
    "退订TD": ("td",),
    "退订回复": (),
    "回复4321退订": ("4321",),
    "回0000退订": ("0000",),
    "回TD退": ("td",),
    "退订回复QX": ("qx",),
    "拒收回T": ("t",),
    "复TD退订": ("td",),
    "拒收请回复R": ("r",),
    "回复HYLZT退订": ("hylzt",),
    "回TD退订短信": ("td",),
    "退订请回复TD": ("td",),
    "退订请回TD#AB": ("td#ab",),
    "退TD": ("td",),
    "拒T": ("t",),
    "T退订": ("t",),
    "回复TDZD退订本短信": ("tdzd",),
    "回复TD屏蔽": ("td",),
    "回验证码N拒": ("n",),
    "回复QXAB取消": ("qxab",),
    "回复TDAB#CDEF": ("tdab#cdef",),
    "发送TD到10690000退订": ("td",),
    "如不想再收到此类短信请回复R": ("r",),
    "退订请致电4000000000": (),
    "退订请点击 a.example.cn/t": (),
}
each_offer = pytest.mark.parametrize(("offer", "words"), OFFERS.items())


@each_offer
def test_every_real_variant_is_an_offer_to_refuse(offer: str, words: tuple[str, ...]) -> None:
    """And the words that it advertises are known, folded."""
    reading = read(f"【云朵商城】周末满100减20，{offer}")
    assert (reading.refusable, reading.advertised) == (True, words)


@each_offer
@pytest.mark.parametrize(
    "written",
    [
        "【云朵商城】周末满100减20 http://a.example.cn/x {}",
        "周末满100减20，{}【云朵商城】",
        "周末满100减20。{}。",
        "【云朵商城】周末全场五折{}",
    ],
)
def test_an_offer_counts_wherever_it_stands(written: str, offer: str, words: tuple[str, ...]) -> None:
    """Glued to the word or the link before it, or before the tail signature."""
    reading = read(written.format(offer))
    assert reading.refusable
    assert set(words) <= set(reading.advertised)


@pytest.mark.parametrize(
    "offer", ["回td退订", "回ＴＤ退订", "回 T D 退 订", "回“TD”退订", "回【TD】退订", "囘TD退訂", "回T\u200bD退订"]
)
def test_width_case_blanks_and_quotes_of_an_offer_are_folded(offer: str) -> None:
    """The same words to a reader."""
    reading = read(f"【云朵商城】周末满100减20，{offer}")
    assert (reading.refusable, reading.advertised) == (True, ("td",))


@pytest.mark.parametrize(
    "text",
    [
        "【中国移动】订购成功立即生效，到期自动失效，无需退订。",
        "业务退订可拨打10086热线、到营业厅或登录APP办理。【中国移动】",
        "您正在退订天气业务，验证码1234",
        "您已成功退订天气业务",
        "退订成功，感谢使用",
        "如不需要请提前在APP退订。",
        "如需退订套餐请致电10086",
        "机票退订政策：起飞前退订收取10%手续费",
        "退货退款请联系客服",
        "本店支持退T恤，七天无理由",
        "请回复T确认",
        "回复1取消订单",
        "今天是无烟日，拒绝二手烟",
        "回复AT6NAA解除绑定并锁定帐号",
    ],
)
def test_what_is_said_of_a_service_is_no_offer(text: str) -> None:
    """退订 and 拒绝 are also words of ordinary texts."""
    assert not read(text).refusable


def test_digits_of_an_advertised_word_are_the_texts_own() -> None:
    """Copies that differ only in digits are read once, but advertise other words."""
    assert read("全场五折，回复1234退订").advertised == ("1234",)
    assert read("全场五折，回复9876退订").advertised == ("9876",)


@pytest.mark.parametrize(
    "reply", ["退订", " 退订 ", "拒收", "取消订阅", "拒绝", "TDZD", "tdzd", "ＴＤＺＤ", "Stop", "unsubscribe"]
)
def test_long_refusals_need_no_send_that_they_answer(reply: str) -> None:
    """They are never a choice in a service menu."""
    assert refusal(reply, (), answered=False)


@pytest.mark.parametrize("reply", ["R", "t", "ＴＤ", " n ", "D", "qx", "取消", "0000", "００００", "00000"])
def test_short_refusals_need_a_send_that_they_answer(reply: str) -> None:
    """R or 0000 also answer service menus."""
    assert refusal(reply, (), answered=True)
    assert not refusal(reply, (), answered=False)


def test_an_advertised_word_refuses_only_its_own_send() -> None:
    """The sender chose it."""
    assert refusal("HYLZT", ("hylzt",), answered=True)
    assert not refusal("HYLZT", (), answered=True)
    assert not refusal("HYLZT", ("hylzt",), answered=False)


@pytest.mark.parametrize("reply", ["", "退订吧", "不要", "Y", "1", "000", "TD 退订", "我要退订"])
def test_anything_else_is_no_refusal(reply: str) -> None:
    """The contract lists the words; a program that guesses would withdraw what nobody withdrew."""
    assert not refusal(reply, ("td",), answered=True)


@pytest.mark.parametrize(
    "text",
    [
        "【云朵商城】回复Y同意接收优惠信息，回复N拒绝",
        "【云朵商城】是否同意我们向您发送会员活动短信？同意请回复1",
        "如您同意接收新品资讯，请回复TY【云朵商城】",
        "订阅优惠活动信息请回复1【云朵商城】",
        "【Cloud】Reply YES to receive our offers",
    ],
)
def test_a_request_for_consent_is_known(text: str) -> None:
    """By the patterns that are used where none are configured."""
    assert read(text).asks
    assert asks(text)


@pytest.mark.parametrize(
    "text", ["回复1办理宽带", "全场五折，回T退订", "您已同意用户协议", "如不同意接收优惠信息请回复N", "回复Y确认预约"]
)
def test_not_every_reply_asked_for_is_consent(text: str) -> None:
    """Orders, refusals and confirmations are not."""
    assert not read(text).asks


@settings(max_examples=1000)
@given(st.one_of([st.from_regex(pattern) for pattern in ASKING]))
def test_no_request_for_consent_is_without_the_words_looked_for_first(said: str) -> None:
    """Whatever one of the patterns matches, the quick look at the words lets through."""
    assert asks_in(said)


def test_patterns_can_be_configured() -> None:
    """They are looked for in the folded text."""
    assert asks("【云朵商城】请加入我们的 ＶＩＰ 名单", ("加入.{0,4}vip",))
    assert not asks("【云朵商城】请加入我们的 ＶＩＰ 名单", ())
