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
from sendwatch.text.signature import Span, spans
from sendwatch.text.wording import asks_in, offers, tight

if TYPE_CHECKING:
    from collections.abc import Hashable

# At least so many shapes are remembered, at most twice as many: 1.8 kB each with what is known of its sends, and 2.3
# where each holds names of its own (43,516 shapes of the benchmark).
SHAPES = 49_152
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
    """A shape as it is found by its bytes; where names or reply words hold digits, it has variants.

    `names`: where the names at head and tail stand, if it has.
    """

    shape: Shape
    names: tuple[Span | None, Span | None] | None
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
        if outline.names is None:
            return outline.shape
        return _variant(outline, outline.names, text) if len(whole) == len(told) else _outline(text).shape

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
    head_name, head_shown = _name(_cut(text, head))
    tail_name, tail_shown = _name(_cut(text, tail))
    reading = Reading(
        head=head_name,
        tail=tail_name,
        head_shown=head_shown,
        tail_shown=tail_shown,
        klass=klass,
        signs=signs,
        refusable=offer.refusable,
        asks=asks_in(said),
        advertised=offer.advertised,
    )
    digits = "0" in f"{head_shown}{tail_shown}{offer.advertised}"
    return _Outline(Shape(reading), (head, tail) if digits else None)


def _without_path(link: re.Match[bytes]) -> bytes:
    return link[1] + b"/0"


def _cut(text: str, span: Span | None) -> str | None:
    return None if span is None else text[span[0] : span[1]]


def _name(shown: str | None) -> tuple[str | None, str | None]:
    """A name folded and as written; held once where both are the same, as they mostly are."""
    folded = None if shown is None else fold_name(shown)
    return folded, folded if folded == shown else shown


def _variant(outline: _Outline, names: tuple[Span | None, Span | None], text: str) -> Shape:
    """The shape of a text whose name or advertised word has digits of its own."""
    head, tail = _cut(text, names[0]), _cut(text, names[1])
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
