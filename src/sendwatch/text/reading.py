"""A reading: everything that one look at a text tells.

Belongs here: the reading, and the memory that makes a million copies of one text cost one classification. Copies have
one *shape*: their digits made one sign, the paths of their links left out; what depends on the digits themselves
(【58同城】, 回0000退订) is read from the text. Not here: how any of it is found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from sendwatch.text.classes import classify
from sendwatch.text.fold import fold_name, plain
from sendwatch.text.signature import spans
from sendwatch.text.wording import asks_in, offers, tight

if TYPE_CHECKING:
    from collections.abc import Hashable

SHAPES = 49_152  # shapes that are remembered at least; at most twice as many
VARIANTS = 64  # of one shape, by the digits of its names and reply words
LONG = 1_000  # characters; longer texts are not remembered, and of twice as many only both ends are looked at

_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_PATH = re.compile(rb"(\.[A-Za-z]{2,12})/[A-Za-z0-9/_?=&%#~-]+")


class Reading(Struct, frozen=True, gc=False):
    """What a text says of itself.

    `head`, `tail`: candidates for its signature, folded for matching; `…_shown` as written. `klass`: "otp", "service",
    "marketing.retail", "marketing.finance", or None when not sure; `signs` are what decided it. `refusable`: it offers
    to refuse; `advertised`: the reply words that it names for that, folded. `asks`: it asks for consent.
    """

    head: str | None
    tail: str | None
    head_shown: str | None
    tail_shown: str | None
    klass: str | None
    signs: tuple[str, ...]
    refusable: bool
    asks: bool
    advertised: tuple[str, ...]


class Shape(Struct, gc=False):
    """What the texts of one shape have in common.

    `leads`: what of links, numbers and accounts they may hold; None: nobody has asked. `remembered`: what others know
    of sends with such a text; it is forgotten with the shape.
    """

    reading: Reading
    leads: frozenset[str] | None = None
    remembered: dict[Hashable, object] = field(default_factory=dict)


class _Outline(Struct, gc=False):
    """A shape as it is found by its bytes; where names or reply words hold digits, it has variants."""

    shape: Shape
    head: tuple[int, int] | None
    tail: tuple[int, int] | None
    digits: bool
    variants: dict[Hashable, Shape] | None = None


class Shapes:
    """The shapes met lately: when the young ones are as many as may be, the old ones are forgotten."""

    def __init__(self) -> None:
        """None yet."""
        self._young: dict[bytes, _Outline] = {}
        self._old: dict[bytes, _Outline] = {}

    def of(self, text: str) -> Shape:
        """The shape of a text: the same object for its copies, as long as it is remembered."""
        if len(text) > LONG:
            return _outline(text).shape
        told = text.encode("utf-8", "surrogatepass").translate(_DIGITS)
        whole = told if b"/" not in told else _PATH.sub(_without_path, told)
        outline = self._young.get(whole) or self._find(whole)
        if not outline.digits:
            return outline.shape
        return _variant(outline, text) if len(whole) == len(told) else _outline(text).shape

    def read(self, text: str) -> Reading:
        """Read a text, or what is remembered of its shape."""
        return self.of(text).reading

    def _find(self, told: bytes) -> _Outline:
        """What is not among the young ones."""
        outline = self._old.get(told)
        if outline is None:
            outline = _outline(told.decode("utf-8", "surrogatepass"))
        if len(self._young) >= SHAPES:
            self._old, self._young = self._young, {}
        self._young[told] = outline
        return outline


read = Shapes().read


def _outline(text: str) -> _Outline:
    head, tail = spans(text)
    looked_at = text if len(text) <= 2 * LONG else f"{text[:LONG]};{text[-LONG:]}"
    said = tight(plain(looked_at))
    offer = offers(said)
    klass, signs = classify(offer.rest, refusable=offer.refusable)
    head_shown, tail_shown = _cut(text, head), _cut(text, tail)
    reading = Reading(
        head=None if head_shown is None else fold_name(head_shown),
        tail=None if tail_shown is None else fold_name(tail_shown),
        head_shown=head_shown,
        tail_shown=tail_shown,
        klass=klass,
        signs=signs,
        refusable=offer.refusable,
        asks=asks_in(said),
        advertised=offer.advertised,
    )
    digits = "0" in f"{head_shown}{tail_shown}{offer.advertised}"
    return _Outline(Shape(reading), head, tail, digits)


def _without_path(link: re.Match[bytes]) -> bytes:
    return link[1] + b"/0"


def _cut(text: str, span: tuple[int, int] | None) -> str | None:
    return None if span is None else text[span[0] : span[1]]


def _variant(outline: _Outline, text: str) -> Shape:
    """The shape of a text whose name or advertised word has digits of its own."""
    head, tail = _cut(text, outline.head), _cut(text, outline.tail)
    common = outline.shape.reading
    advertised = common.advertised
    if any("0" in word for word in advertised):
        advertised = offers(tight(plain(text))).advertised
    if outline.variants is None or len(outline.variants) >= VARIANTS:
        outline.variants = {}
    variant = outline.variants.get((head, tail, advertised))
    if variant is None:
        reading = replace(
            common,
            head=None if head is None else fold_name(head),
            tail=None if tail is None else fold_name(tail),
            head_shown=head,
            tail_shown=tail,
            advertised=advertised,
        )
        variant = outline.variants[head, tail, advertised] = Shape(reading)
    return variant
