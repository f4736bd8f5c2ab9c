"""The class of a text: otp, service, marketing.retail, marketing.finance, or not sure.

Belongs here: how signs are added up, and when the sum is sure enough. Not here: the signs (`signs.py`, `words/`), the
training (`train.py`).

Each sign weighs for or against each class, in log-odds; the sums become probabilities. Marketing must be sure, and
stay ahead without its strongest sign, so no single word makes a text marketing. What is neither (warnings, news,
greetings, private messages, what is illegal anyhow) is a class for the sums, and *not sure* for the world.

An offer to refuse is cut out before the signs are looked for and weighs little; 验证码 is a sign like any other.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from sendwatch.text.fold import content
from sendwatch.text.signs import Finder, marks

SURE_MARKETING = 0.8  # chosen for precision first: see `python -m sendwatch.text table`
SURE = 0.7
CLEAR = 3  # so many times the strongest sign ahead: no need to look what is left without it
SHOWN = 5  # signs named in a reading

_KLASS = ("otp", "service", "marketing.retail", "marketing.finance")
_MARKETING = {2, 3}

_OTP, _SERVICE, _RETAIL, _FINANCE, _OTHER = range(5)

# A sign's five weights (hundredths) travel as one integer, a field of 24 bits each, so that adding up is one sum.
_BITS = 24
_HALF = 1 << (_BITS - 1)
_FIELD = (1 << _BITS) - 1
_BALANCE = sum(_HALF << (_BITS * at) for at in range(5))


class Class(NamedTuple):
    """What a text is (None: not sure), and the signs that decided it, the strongest first."""

    klass: str | None
    signs: tuple[str, ...]


class Weighed(NamedTuple):
    """The signs, and the weights that training left in `words/weights.tsv`; `leads` is by class."""

    finder: Finder
    words: list[int]
    fragments: list[int]
    marks: dict[str, int]
    bias: int
    names: list[str]
    leads: tuple[list[float], ...]


@cache
def weighed() -> Weighed:
    """The signs and their weights, read once."""
    words: dict[str, int] = {}
    fragments: dict[str, int] = {}
    marked: dict[str, int] = {}
    bias = 0
    names: list[str] = []
    rows: list[list[int]] = []
    for line in files(__package__).joinpath("words", "weights.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        sign, kind, *given = line.split("\t")
        row = [int(each) for each in given]
        otp, service, retail, finance, other = row
        packed = otp + (service << _BITS) + (retail << 2 * _BITS) + (finance << 3 * _BITS) + (other << 4 * _BITS)
        if kind == "bias":
            bias = packed
        elif kind == "mark":
            marked[sign] = packed
        elif kind == "fragment":
            fragments[sign] = packed
        else:
            words[sign] = packed
            names.append(f"{kind}:{sign}")
            rows.append(row)
    finder = Finder(list(words), list(fragments))
    leads = tuple(_leads(rows, klass) for klass in range(len(_KLASS)))
    return Weighed(finder, list(words.values()), list(fragments.values()), marked, bias + _BALANCE, names, leads)


def _leads(rows: list[list[int]], klass: int) -> list[float]:
    """By how much each sign puts a class ahead of the best other; retail and finance don't compete."""
    if klass in _MARKETING:
        return [(row[klass] - max(row[_OTP], row[_SERVICE], row[_OTHER])) / 100 for row in rows]
    return [(row[klass] - max(row[:klass] + row[klass + 1 :])) / 100 for row in rows]


def classify(said: str, *, refusable: bool) -> Class:
    """The class of a folded text from which the offer to refuse was cut out."""
    known = weighed()
    text = content(said)
    words = known.finder.words(text)
    apart = sum(map(known.marks.__getitem__, marks(said)), known.bias)
    if refusable:
        apart += known.marks["refusable"]
    sums = _sums(known, text, words, apart)
    sure = _sure(sums)
    if sure is None or (sure == _OTP and "N" not in text and "P" not in text):
        return Class(None, ())  # a one-time password has a code in it
    leads = known.leads[sure]
    strongest = sorted(words, key=leads.__getitem__, reverse=True)[:SHOWN]
    if sure in _MARKETING:
        if not strongest:
            return Class(None, ())
        if _ahead(sums) < CLEAR * leads[strongest[0]]:
            rest = text.replace(known.names[strongest[0]].partition(":")[2], "")
            if _ahead(_sums(known, rest, known.finder.words(rest), apart)) <= 0:
                return Class(None, ())
    return Class(_KLASS[sure], tuple(known.names[word] for word in strongest if leads[word] > 0))


def _sums(known: Weighed, text: str, words: list[int], packed: int) -> list[float]:
    """What the signs of a text add up to, for each class; `packed` is what was added up before."""
    packed = sum(map(known.words.__getitem__, words), packed)
    packed = sum(map(known.fragments.__getitem__, known.finder.fragments(text)), packed)
    return [((packed >> shift & _FIELD) - _HALF) / 100 for shift in range(0, 5 * _BITS, _BITS)]


def _sure(sums: list[float]) -> int | None:
    """The class that the sums are sure of, as its place."""
    top = max(sums)
    odds = [math.exp(each - top) for each in sums]
    total = sum(odds)
    if odds[_RETAIL] + odds[_FINANCE] >= SURE_MARKETING * total:
        return _FINANCE if sums[_FINANCE] > sums[_RETAIL] else _RETAIL
    return next((each for each in (_OTP, _SERVICE) if odds[each] >= SURE * total), None)


def _ahead(sums: list[float]) -> float:
    """By how much marketing is ahead of the best other class."""
    return max(sums[_RETAIL], sums[_FINANCE]) - max(sums[_OTP], sums[_SERVICE], sums[_OTHER])
