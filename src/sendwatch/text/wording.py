"""Refusal wording in texts, refusals in replies, and requests for consent.

Belongs here: which words mean what. Not here: whose refusal it is, and from when it counts (`dossier`, the rules).

**An offer to refuse** (C8) tells the reader how: a word to reply (`回TD退订`, `退订回N`, `拒收请回复R`, `退TD`), the
reply whose word was lost (`退订回复`), a number to call or a link to follow (`退订请致电…`, `点此退订`), or a bare
`退订` as the last word. It is no offer when 退订 is said of a service (`业务退订可拨打…`, `无需退订`, `退订成功`) or
is what the reader is just doing (`您正在退订…`). `回复QXED取消` is taken for an offer, though it may cancel a service:
to accuse wrongly is worse.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sendwatch.text.fold import fold_word, load, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

# Contract, "Opt-out reply": always a refusal; and only where a commercial send is answered.
REFUSALS = frozenset({"退订", "拒收", "取消订阅", "拒绝", "tdzd", "stop", "unsubscribe"})
SHORT_REFUSALS = frozenset({"r", "t", "td", "n", "d", "qx", "取消", "0000", "00000"})

_REPLY = r"(?:编辑短信|编辑|发送短信|发送|发|回复短信|回短信|回复|回|复)(?:字母|数字|验证码)?[:,]?"
_WORD = r"[【\[]?([a-z0-9]{1,8}(?:#[a-z0-9]{1,8})?)[】\]]?"
_REFUSE = r"(?:退订|退定|拒收|拒绝接收|拒绝|取消订阅|取消关注|取消接收|不再接收|停止接收|屏蔽|免打扰)"
_LEAVE = r"(?:退|拒)(?![款货票换回费保房税卡还押出群付绝定订收])"
_CANCEL = r"取消(?!订单|预约|预定|预订|交易|支付|操作|报名|该|本次|此次|办理|申请|授权)"
# Looked at only where a verb begins: `re` is slow in looking back from everywhere.
_OF_SERVICE = r"(?=[退拒取不停屏免])(?<!业务)(?<!套餐)(?<!服务)(?<!功能)(?<!会员)(?<!正在)(?<!无需)(?<!办理)"
_THIS = r"(?:本|此|该)?(?:类|条)?(?:短信|信息|消息)?"

# By telephone, by link, or in some other way than by a word.
_OTHERWISE = (
    rf"{_OF_SERVICE}(?:退订|拒收|不接收){_THIS}[:,]?(?:请|可|敬请|电话)*(?:致电|拨打|点击?|戳|访问|链接|U)"
    r"|(?:点此|点击|戳此|点我)(?:链接)?(?:退订|拒收)|U退订"
    r"|不(?:想|愿|愿意|希望|需要?|要|再)(?:再)?(?:接收|收到|接受)[^。!]{0,12}?(?:回复?|致电|拨打|点击|联系|发送|编辑)"
    r"(?:短信)?([a-z0-9]{1,8}(?![a-z0-9]))?"
)
# As the last word, before the signature at the most.
_BARE = (
    r"(?=退订)(?<!无需)(?<!无须)(?<!不需)(?<!不用)(?<!无法)(?<!不能)(?<!不可)(?<!已)(?<!未)(?<!成功)(?<!自动)(?<!业务)"
    r"(?<!正在)(?<!办理)(?<!申请)(?<!确认)(?<!随时)(?<!可以)(?<!或)(?<!再)(?<!时)(?<!前)(?<!后)(?<!app)(?<!需要)(?<!请勿)"
    r"退订(?:短信)?[。.,!~;]*(?=(?:[【\[][^】\]]*[】\]]?)?$)"
)
_OFFERS = [
    re.compile(pattern)
    for pattern in (
        # 回TD退订, 回复“TD#”即可退订, 发送TD到10690000退订
        rf"{_REPLY}{_WORD}(?:[至到]\d{{5,20}})?(?:即可|可以|可|就|便|来|[,:])*(?:{_REFUSE}|{_LEAVE}|{_CANCEL}|关闭通知|关闭提醒)",
        # 退订回N, 拒收请回复R, 退订回复 with its word lost
        rf"{_OF_SERVICE}(?:{_REFUSE}|{_LEAVE}){_THIS}[:,]?(?:请|可|敬请|直接)*{_REPLY}(?:{_WORD})?",
        # 退订TD, 退TD, 拒T
        r"[退拒](?:(?:(?<=退)订|(?<=拒)收):?([a-z]{1,6}|0{4,5})|(td|t|n|r|qx|d))(?![a-z0-9恤])",
        # T退订, and TD退 as the last word
        r"((?!app|wap)[a-z](?<![a-z0-9].)[a-z]{0,5})(?:退订|退$)",
        # 回复TDXS#EFKG, the verb left out: td itself stands for it
        rf"{_REPLY}(td[a-z]{{0,4}}(?:#[a-z0-9]{{1,8}})?)(?![a-z0-9])",
        _OTHERWISE,
        r"(?:to|2)(?:optout|unsubscribe|stop|end|cancel)|(?:reply|text|txt|send)stop|optout",
        _BARE,
    )
]
# Where any of them can be: the patterns are slow, and most of a text lies far from these. Each begins with a letter and
# no class of them: so `re` skips to the next that can be one (1.5 µs a text, 6.5 otherwise).
_SAID = re.compile(r"退|拒|回td|复td|取消|接收|不收|收到|接受|屏蔽|关闭|免打扰|stop|optout|unsub")
_AROUND = 28  # characters
_LOOSE = re.compile(r"[\s<>《》()（）]+")


def tight(folded: str) -> str:
    """What `plain` gave, without blanks and quotes: how wording is looked for."""
    return _LOOSE.sub("", folded)


class Offer(NamedTuple):
    """Whether a text offers to refuse, the reply words that it advertises for it, and the text without all that."""

    refusable: bool
    advertised: tuple[str, ...]
    rest: str


def offers(said: str) -> Offer:
    """What a text (`tight`) offers to those who want no more of it."""
    places = [found.start() for found in _SAID.finditer(said)]
    if not places:
        return Offer(refusable=False, advertised=(), rest=said)
    words: dict[str, None] = {}

    def noted(found: re.Match[str]) -> str:
        words.update((word, None) for word in found.groups() if word)
        return ";"

    start, end = max(places[0] - _AROUND, 0), places[-1] + _AROUND
    # What is cut off goes on: a sign that is no letter keeps `$` from matching there.
    near = said[start:end] if end >= len(said) else said[start:end] + "\0"
    rest = near
    for pattern in _OFFERS:
        rest = pattern.sub(noted, rest)
    if rest == near:
        return Offer(refusable=False, advertised=(), rest=said)
    return Offer(refusable=True, advertised=tuple(words), rest=said[:start] + rest.rstrip("\0") + said[end:])


def refusal(text: str, advertised: Iterable[str] = (), answered: bool = False) -> bool:
    """Whether a reply refuses; short words and `advertised` ones only where a commercial send is answered."""
    word = fold_word(text)
    return word in REFUSALS or (answered and (word in SHORT_REFUSALS or word in advertised))


@lru_cache(maxsize=64)
def _requests(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


ASKING: tuple[str, ...] = tuple(load("asks")["patterns"])
_ASKING_WORDS = re.compile("|".join(load("asks")["words"].split()))  # 0.9 µs a text; the patterns take 5.1


def asks(text: str, patterns: tuple[str, ...] = ASKING) -> bool:
    """Whether a text asks for consent (C7), by configured patterns over the folded text without blanks."""
    return asks_in(tight(plain(text)), patterns)


def asks_in(said: str, patterns: tuple[str, ...] = ASKING) -> bool:
    """As `asks`, of a text that is folded already."""
    if patterns is ASKING and not _ASKING_WORDS.search(said):
        return False
    return bool(patterns) and _requests(patterns).search(said) is not None
