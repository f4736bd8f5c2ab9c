"""How a text stands to the filed template that its send names.

Belongs here: matching a pattern, and which links the template was not filed with. Not here: filing templates
(`registry/`), what a mismatch breaks (`rules/g7_template_drift.py`).

A pattern is literal text with variables `{…}` of one character or more. Matching is leftmost-first on the
literals, which for such patterns finds a match whenever there is one, in time linear in the text; a regular
expression with as many lazy groups can take exponential time on a text made for it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.text import KINDS, body, links

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.events import Send, Template
    from sendwatch.registry import Registry
    from sendwatch.text import Reading

DIGIT = re.compile("[0-9]")
VARIABLE = re.compile(r"\{[^{}]*\}")
FILLED = "某"  # what a variable is filled with where links of a pattern are looked for: no link holds it


class Named(Struct, frozen=True):
    """The named template. `state` is `unknown`, `lapsed`, `unread` (no text), `mismatch` or `match`.

    `template` is None in the first two.
    """

    id: str
    state: str
    template: Template | None = None

    @property
    def use(self) -> str | None:
        """The filed use, where the template is valid and the text matches it."""
        return self.template.use if self.template is not None and self.state == "match" else None


def match_template(send: Send, registry: Registry, reading: Reading | None, signature: str | None) -> Named:
    """How the send's text stands to the template that it names, as of its time."""
    name = send.template or ""
    template = registry.template(name, send.at)
    if template is None:
        return Named(name, "lapsed" if registry.template_known(name, send.at) else "unknown")
    if reading is None or send.text is None:
        return Named(name, "unread", template)
    return Named(name, "match" if fits(template, send.text, signature) else "mismatch", template)


def fits(template: Template, text: str, signature: str | None) -> bool:
    """Whether a text matches a template's pattern, with its signature (folded) or without."""
    whole = text.strip()
    return matches(template.pattern, whole) or (
        signature is not None and matches(template.pattern, body(whole, signature))
    )


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is the pattern with one character or more for each variable."""
    literals = _literals(pattern)
    if len(literals) == 1:
        return text == literals[0]
    first, last = literals[0], literals[-1]
    at, end = len(first), len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last):
        return False
    for literal in literals[1:-1]:
        found = text.find(literal, at + 1, max(end, 0))
        if found < 0:
            return False
        at = found + len(literal)
    return at < end


@lru_cache(maxsize=65_536)
def _literals(pattern: str) -> tuple[str, ...]:
    return tuple(VARIABLE.split(pattern))


@lru_cache(maxsize=65_536)
def turns_on_digits(pattern: str) -> bool:
    """Whether the digits of a text can matter for whether it matches: not where they all lie in variables."""
    return any(DIGIT.search(literal) for literal in _literals(pattern))


def foreign_links(
    template: Template, text: str, kinds: Iterable[str], may: frozenset[str] = KINDS
) -> tuple[tuple[str, str], ...]:
    """The links of these kinds (`url`, `number`, `account`) in a text that its template was not filed with.

    Filed are those that stand in the pattern, and those that begin with one of its URLs or of the `urls`. `may`: of
    which kinds the text may hold any, where that is known.
    """
    filed = _filed(template.pattern, template.urls or ())
    return tuple(
        (kind, value)
        for kind, value in links(text, may)
        if kind in kinds and not any(kind == known and _begins(each, value, kind) for known, each in filed)
    )


@lru_cache(maxsize=16_384)
def _filed(pattern: str, urls: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    allowed = links(VARIABLE.sub(FILLED, pattern))
    return (*allowed, *(("url", _as_link(url)) for url in urls))


def _as_link(url: str) -> str:
    """A filed URL as `links` gives it; one that does not look like a link by itself is taken as it stands."""
    return next((value for kind, value in links(url) if kind == "url"), url.strip().lower().rstrip("/"))


def _begins(filed: str, link: str, kind: str) -> bool:
    if kind != "url" or link == filed:
        return link == filed
    # `a.cn` is not the beginning of `a.cn.example`, nor of `a.cna`.
    return link.startswith(filed if "/" in filed else (filed + "/", filed + "?", filed + "#", filed + ":"))
