"""Ways out of a text, and a text's own fingerprint.

Belongs here: links, numbers and accounts that a reader is sent to (B7, G7), and the form in which copies of one text
are equal (B5). Not here: which of them a template allows (the rules), how many copies are too many (`windows`).
"""

from __future__ import annotations

import re
from hashlib import blake2b

from sendwatch.text.fold import LINK, PLAIN, content, joined, plain
from sendwatch.text.signature import spans

# A phone number stands alone, or is announced; amounts, dates, codes and order numbers are not.
_MOBILE = re.compile(r"(?<![0-9a-z.*-])(?:\+?86[- ]?)?(1[3-9]\d(?:[- ]?\d{4}){2})(?![0-9.])")
_FIXED = re.compile(r"(?<![0-9a-z.*-])(0\d{2,3}[- ]?\d{7,8}|[48]00[- ]?\d{3,4}[- ]?\d{3,4})(?![0-9.])")
_ANNOUNCED = re.compile(
    r"(?:致电|来电|拨打|电话|热线|咨询|详询|询|客服|联系|手机|tel|☎|☏)[^0-9。;!]{0,6}?"
    r"((?:95|96|12|10)\d{3,6}|\d{3,4}[- ]?\d{4}|\d{7,8})(?![0-9.-]|元|万|天|年|月)"
)
_ACCOUNT = re.compile(
    r"(微信公众号|公众号|服务号|微信号|微信|薇信|威信|wx|vx|weixin|wechat|qq群|qq|扣扣|企鹅群|企鹅号)"
    r"(?:同号|号码|客服|号|群|搜索|搜|添加|加|关注|id|is)*[:=]?[ 【\[<(]*([a-z][a-z0-9_-]{4,19}|\d{5,12})(?![0-9a-z])"
)
_ADDED = re.compile(r"(?:加|v|v信|加v)[:+ ]*(?:v|wx|vx|q|qq)[:+ ]*([a-z][a-z0-9_-]{4,19}|\d{5,12})(?![0-9a-z])")
_NAMED = re.compile(r"(?:微信公众号|公众号|服务号)[:]?[【\[<《]+([^】\]>》]{2,30})[】\]>》]")
_WECHAT = set("公服微薇威wv")  # what its names begin with


def links(text: str) -> tuple[tuple[str, str], ...]:
    """What a text sends its reader to, once each, in small letters.

    `("url", "host/path")`, `("number", digits)`, `("account", "wechat:…" or "qq:…")`.
    """
    shown = joined(text.translate(PLAIN))
    found: dict[tuple[str, str], None] = {}
    for link in LINK.finditer(shown):
        found["url", _bare(link[0])] = None
    rest = LINK.sub(" U ", shown)
    for account in _ACCOUNT.finditer(rest):
        found["account", f"{'wechat' if account[1][0] in _WECHAT else 'qq'}:{account[2]}"] = None
    for added in _ADDED.finditer(rest):
        found["account", f"{'qq' if added[1].isdigit() else 'wechat'}:{added[1]}"] = None
    for named in _NAMED.finditer(rest):
        found["account", f"wechat:{named[1].strip()}"] = None
    held = {value.partition(":")[2] for kind, value in found if kind == "account"}
    for pattern in (_MOBILE, _FIXED, _ANNOUNCED):
        for number in pattern.finditer(rest):
            digits = re.sub(r"\D", "", number[1])
            if digits not in held and not any(kind == "number" and digits in value for kind, value in found):
                found["number", digits] = None
    return tuple(found)


def _bare(link: str) -> str:
    """A link without scheme, `www.`, and what is not its own at the end."""
    link = re.sub(r"^(?:https?[:;]?//)?(?:www\.)?", "", link)
    host, slash, path = link.rstrip(".,;:!?)]}>/").partition("/")
    return host + slash + path


def fingerprint(text: str) -> str:
    """Equal for copies of one text: without signatures, digits, blanks and links, look-alikes folded. Tells no text."""
    head, tail = spans(text)
    end = tail[0] if tail else len(text)
    start = head[1] if head else 0
    said = content(plain(text[start:end]))
    return blake2b(re.sub(r"[NPU\d]", "", said).encode(), digest_size=16).hexdigest()
