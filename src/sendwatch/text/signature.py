"""Signatures: the bracketed names at the head and at the tail of a text.

Belongs here: where a name stands, and what a text is without it. Not here: which candidate is the signature (the
registry knows what is filed), and whether a bracketed word is a name at all: a head title 【话费账单】 and a tail code
【824193】 are candidates too.

Damage is mended only where nothing else can be meant: `【【京东】`, `【京东]`, a phone's own `[9条]` in front, a tail
`。【京东` that was cut off, a head `京东】` that lost its first bracket.
"""

from __future__ import annotations

import re

from sendwatch.text.fold import UNSEEN, fold_name

LONGEST = 64  # characters between two brackets; more is a sentence, not a name

_OPEN, _CLOSE = "【[［", "】]］"
_BEFORE = _OPEN + UNSEEN  # what a doubled bracket begins with
_KIND = {"【": "】", "[": "]］", "［": "]］", "】": "【", "]": "[［", "］": "[［"}
_UNSEEN = f"[{re.escape(UNSEEN)}]*"
_COUNTED = re.compile(rf"{_UNSEEN}[\[［]\d{{1,3}}条[\]］]{_UNSEEN}(?=[{re.escape(_OPEN)}])")
_OPENED = re.compile(rf"(?:[{re.escape(_OPEN)}]{_UNSEEN})+(?=[{re.escape(_OPEN)}])")  # 【【京东】
_CUT_OFF = re.compile(r"(?<=[。！？!?；;…~～])【([^\W\d_]{2,15})$")
_LOST = re.compile(r"([^\W_]{2,15})】")
_SENTENCE = re.compile(r"[,，.。!！?？;；:：]")
Span = tuple[int, int]  # of the name, without its brackets


def spans(text: str) -> tuple[Span | None, Span | None]:
    """Where the names at the head and at the tail stand; one candidate counts as the head's."""
    start, end = _ends(text)
    head = _head(text, start, end)
    tail = _tail(text, start, end)
    if head is not None and head[1] + 1 >= end and _SENTENCE.search(text, *head):
        return None, None  # the brackets are around all of the text
    if head is not None and tail is not None and (tail[0] < head[1] or _same(text, head, tail)):
        tail = None
    return head, tail


def body(text: str, name: str | None) -> str:
    """The text without the signature `name` (folded), at either end, and without blanks at its ends."""
    start, end = _ends(text)
    for _ in range(2):  # a text may be signed at both ends, and twice at the head
        head = _head(text, start, end)
        if head is not None and fold_name(text[head[0] : head[1]]) == name:
            start = min(head[1] + 1, end)
            while start < end and text[start] in _CLOSE:  # 【【京东】】
                start += 1
        tail = _tail(text, start, end)
        if tail is not None and fold_name(text[tail[0] : tail[1]]) == name:
            end = max(tail[0] - 1, start)
            while end > start and text[end - 1] in _OPEN:
                end -= 1
    return text[start:end].strip(UNSEEN)


def _ends(text: str) -> Span:
    end = len(text.rstrip(UNSEEN))
    return min(len(text) - len(text.lstrip(UNSEEN)), end), end


def _same(text: str, one: Span, other: Span) -> bool:
    return fold_name(text[one[0] : one[1]]) == fold_name(text[other[0] : other[1]])


def _name(text: str, start: int, end: int) -> Span | None:
    """The span without blanks at its ends, if it holds a name."""
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip(UNSEEN))
    end = start + len(inner.strip(UNSEEN))
    return (start, end) if 0 < end - start <= LONGEST else None


def _head(text: str, start: int, end: int) -> Span | None:
    if text[start : start + 1] not in _OPEN or start >= end:
        lost = _LOST.match(text, start, end)
        return lost.span(1) if lost else None
    counted = _COUNTED.match(text, start, end) if text[start] != "【" else None
    if counted:
        start = counted.end()
    opened = _OPENED.match(text, start, end) if text[start + 1 : start + 2] in _BEFORE else None
    return _closed(text, opened.end() if opened else start, end)


def _closed(text: str, start: int, end: int) -> Span | None:
    """The name that opens at `start`: up to the next bracket of its kind, or failing that of another kind."""
    limit = min(end, start + LONGEST + 2)
    own = _KIND[text[start]]
    for kinds in (own, _CLOSE):
        found = -1
        for kind in kinds:
            at = text.find(kind, start + 1, limit if found < 0 else found)
            found = at if at >= 0 else found
        if found >= 0:
            again = any(text.find(bracket, start + 1, found) >= 0 for bracket in _KIND[own[0]])
            return None if again else _name(text, start + 1, found)
    return None


def _tail(text: str, start: int, end: int) -> Span | None:
    if start >= end:
        return None
    if text[end - 1] not in _CLOSE:
        if "【" not in text:
            return None
        cut = _CUT_OFF.search(text, max(start, end - LONGEST), end)
        return cut.span(1) if cut else None
    while end - 2 >= start and text[end - 2] in _CLOSE:  # 【京东】]
        end -= 1
    limit = max(start, end - LONGEST - 2)
    for kinds in (_KIND[text[end - 1]], _OPEN):
        found = max(text.rfind(kind, limit, end - 1) for kind in kinds)
        if found >= 0:
            return _name(text, found + 1, end - 1)
    return None
