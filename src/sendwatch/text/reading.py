"""A reading: everything that one look at a text tells.

Belongs here: the reading, and the cache that makes a million copies of one text cost one classification. The cache
is keyed by the text's *shape*, its digits made one sign and the paths of its links left out; what depends on the
digits themselves (【58同城】, 回0000退订) is read from the text. Not here: how any of it is found.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sendwatch.text.classes import classify
from sendwatch.text.fold import fold_name, plain
from sendwatch.text.signature import spans
from sendwatch.text.wording import asks_in, offers, tight

SHAPES = 32_768  # shapes that are remembered
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


class _Shape(NamedTuple):
    """A reading of a shape, and what must be read again from the text: nothing, mostly."""

    reading: Reading
    head: tuple[int, int] | None
    tail: tuple[int, int] | None
    digits: bool  # in a name or in an advertised word


def read(text: str) -> Reading:
    """Read a text, or what is remembered of its shape."""
    if len(text) > LONG:
        return _read(text).reading
    told = text.encode("utf-8", "surrogatepass").translate(_DIGITS)
    whole = told if b"/" not in told else _PATH.sub(rb"\1/0", told)
    shape = _shaped(whole)
    if not shape.digits:
        return shape.reading
    return _again(shape, text) if len(whole) == len(told) else _read(text).reading


@lru_cache(maxsize=SHAPES)
def _shaped(shape: bytes) -> _Shape:
    return _read(shape.decode("utf-8", "surrogatepass"))


def _read(text: str) -> _Shape:
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
    return _Shape(reading, head, tail, digits)


def _cut(text: str, span: tuple[int, int] | None) -> str | None:
    return None if span is None else text[span[0] : span[1]]


def _again(shape: _Shape, text: str) -> Reading:
    """The reading of a text whose name or advertised word has digits of its own."""
    head, tail = _cut(text, shape.head), _cut(text, shape.tail)
    advertised = shape.reading.advertised
    if any("0" in word for word in advertised):
        advertised = offers(tight(plain(text))).advertised
    return replace(
        shape.reading,
        head=None if head is None else fold_name(head),
        tail=None if tail is None else fold_name(tail),
        head_shown=head,
        tail_shown=tail,
        advertised=advertised,
    )
