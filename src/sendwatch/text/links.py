"""Ways out of a text, and a text's own fingerprint.

Belongs here: links, numbers and accounts that a reader is sent to (B7, G7), and the form in which copies of one text
are equal (B5). Not here: which of them a template allows (the rules), how many copies are too many (`windows`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from sendwatch.text.fold import LINK, PLAIN, content, joined, plain
from sendwatch.text.signature import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

# A phone number stands alone, or is announced; amounts, dates, codes and order numbers are not.
_MOBILE = re.compile(r"(?<![0-9a-z.*-])(?:\+?86[- ]?)?(1[3-9]\d(?:[- ]?\d{4}){2})(?![0-9.])")
_FIXED = re.compile(r"(?<![0-9a-z.*-])(0\d{2,3}[- ]?\d{7,8}|[48]00[- ]?\d{3,4}[- ]?\d{3,4})(?![0-9.])")
_ANNOUNCERS = r"(?:致电|来电|拨打|电话|热线|咨询|详询|询|客服|联系|手机|tel|☎|☏)"
_ANNOUNCED = re.compile(
    rf"{_ANNOUNCERS}[^0-9。;!]{{0,6}}?"
    r"((?:95|96|12|10)\d{3,6}|\d{3,4}[- ]?\d{4}|\d{7,8})(?![0-9.-]|元|万|天|年|月)"
)
_ACCOUNT = re.compile(
    r"(微信公众号|公众号|服务号|微信号|微信|薇信|威信|wx|vx|weixin|wechat|qq群|qq|扣扣|企鹅群|企鹅号)"
    r"(?:同号|号码|客服|号|群|搜索|搜|添加|加|关注|id|is)*[:=]?[ 【\[<(]*([a-z][a-z0-9_-]{4,19}|\d{5,12})(?![0-9a-z])"
)
_ADDED = re.compile(r"(?:加|v|v信|加v)[:+ ]*(?:v|wx|vx|q|qq)[:+ ]*([a-z][a-z0-9_-]{4,19}|\d{5,12})(?![0-9a-z])")
_NAMED = re.compile(r"(?:微信公众号|公众号|服务号)[:]?[【\[<《]+([^】\]>》]{2,30})[】\]>》]")
_VARYING = re.compile(r"[NPU\d]")
_NO_DIGIT = re.compile(r"\D")
_BEGINNING = re.compile(r"^(?:https?[:;]?//)?(?:www\.)?")
KINDS = frozenset({"url", "number", "account"})
_WECHAT = set("公服微薇威wv")  # what its names begin with
# Whatever the digits are: where neither is, no number is found.
_LONG_NUMBER = re.compile(r"\d(?:[- ]?\d){6}")
_ANNOUNCED_NUMBER = re.compile(rf"{_ANNOUNCERS}[^0-9。;!]{{0,6}}?\d(?:[- ]?\d){{4}}")


def may_lead(text: str) -> frozenset[str]:
    """Of which kinds `links` may find any in texts of this shape, whatever their digits and paths are."""
    shown = joined(text.translate(PLAIN))
    may = {"url"} if "/" in shown or LINK.search(shown) else set()
    if any(pattern.search(shown) for pattern in (_ACCOUNT, _ADDED, _NAMED)):
        may.add("account")
    if "/" in shown or _LONG_NUMBER.search(shown) or _ANNOUNCED_NUMBER.search(shown):
        may.add("number")  # what looks like a path may be no link, and then it is read
    return frozenset(may)


@lru_cache(maxsize=16)  # G7, B7 and whoever asks whether a text is like others look at the same one
def links(text: str, may: frozenset[str] = KINDS) -> tuple[tuple[str, str], ...]:
    """What a text sends its reader to, once each, in small letters; `may`: what `may_lead` gave for its shape.

    `("url", "host/path")`, `("number", digits)`, `("account", "wechat:…" or "qq:…")`.
    """
    shown = joined(text.translate(PLAIN))
    found: dict[tuple[str, str], None] = {}

    def noted(link: re.Match[str]) -> str:
        found["url", _bare(link[0])] = None
        return " U "

    if "url" in may:
        shown = LINK.sub(noted, shown)
    if "account" in may:
        found.update(dict.fromkeys(_accounts(shown)))
    if "number" in may:
        held = {value.partition(":")[2] for kind, value in found if kind == "account"}
        for pattern in (_MOBILE, _FIXED, _ANNOUNCED):
            for number in pattern.finditer(shown):
                digits = _NO_DIGIT.sub("", number[1])
                if digits not in held and not any(kind == "number" and digits in value for kind, value in found):
                    found["number", digits] = None
    return tuple(found)


def _accounts(shown: str) -> Iterator[tuple[str, str]]:
    for account in _ACCOUNT.finditer(shown):
        yield "account", f"{'wechat' if account[1][0] in _WECHAT else 'qq'}:{account[2]}"
    for added in _ADDED.finditer(shown):
        yield "account", f"{'qq' if added[1].isdigit() else 'wechat'}:{added[1]}"
    for named in _NAMED.finditer(shown):
        yield "account", f"wechat:{named[1].strip()}"


def _bare(link: str) -> str:
    """A link without scheme, `www.`, and what is not its own at the end."""
    host, slash, path = _BEGINNING.sub("", link).rstrip(".,;:!?)]}>/").partition("/")
    return host + slash + path


def fingerprint(text: str) -> str:
    """Equal for copies of one text: without signatures, digits, blanks and links, look-alikes folded. Tells no text."""
    head, tail = spans(text)
    end = tail[0] if tail else len(text)
    start = head[1] if head else 0
    said = content(plain(text[start:end]))
    return blake2b(_VARYING.sub("", said).encode(), digest_size=16).hexdigest()
