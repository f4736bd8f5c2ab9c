"""Makes `words/weights.tsv` from the word files and the texts in `written/`: `python -m sendwatch.text train`.

Belongs here: training, and nothing that runs later. Multinomial logistic regression over signs, by whole batches of
plain numpy, so that it gives the same weights every time. The weights listed by hand are where it starts from and
what it is drawn back to: a word that no written text has keeps its own, and common words learn how little they say.
"""

from __future__ import annotations

import random
import zlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sendwatch.text.fold import content, plain
from sendwatch.text.signs import CLASSES, MARKS, Finder, bounded, listed, marks, spelled
from sendwatch.text.wording import offers, tight

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

COPIES = 12  # texts drawn from one written line with alternatives
SEEN_IN = 3  # written lines that a fragment must be in
LISTED_AT = 0.45  # log-odds of a weight of 1 in the word files
HELD = 0.5  # how strongly words, and fragments, are drawn back to where they start from
REFUSABLE = {"retail": 0.5, "finance": 0.5, "other": -3.0}  # fixed: who offers to refuse sends in bulk, no more
BIASED = 1.0  # how strongly the bias, which no sign explains, is drawn to nothing
ROUNDS = 250
TARGET = Path(str(files(__package__).joinpath("words", "weights.tsv")))


class Example(NamedTuple):
    """A text to learn from: its class, the line that it was written in, how much it counts."""

    klass: int
    text: str
    line: int
    counts: float


def written() -> list[Example]:
    """Every text of `written/`, alternatives drawn in the same way every time."""
    examples = []
    line = 0
    for klass, name in enumerate(CLASSES):
        lines = files(__package__).joinpath("written", name + ".txt").read_text(encoding="utf-8").splitlines()
        for pattern in lines[1:]:
            line += 1
            texts = _drawn(pattern)
            examples += [Example(klass, text, line, len(texts) ** -0.5) for text in texts]
    return examples


def _drawn(pattern: str) -> list[str]:
    """Up to `COPIES` of the texts that a line stands for; many lines stand for thousands."""
    sides = pattern.split("{")
    many = 1
    for side in sides[1:]:
        many *= side.count("|", 0, side.index("}")) + 1
    if many <= COPIES:
        return list(spelled(pattern))
    chance = random.Random(zlib.crc32(pattern.encode()))  # noqa: S311 - seeded on purpose, nothing secret
    drawn = {
        "".join(
            [sides[0]]
            + [chance.choice(side[: side.index("}")].split("|")) + side[side.index("}") + 1 :] for side in sides[1:]]
        )
        for _ in range(COPIES)
    }
    return sorted(drawn)


def fragments(texts: Iterable[tuple[int, str]]) -> list[str]:
    """The fragments that are in enough lines; pairs of line and content."""
    lines: dict[str, set[int]] = {}
    for line, text in texts:
        edged = bounded(text)
        for size in (2, 3):
            for at in range(len(edged) - size + 1):
                lines.setdefault(edged[at : at + size], set()).add(line)
    return sorted(each for each, seen in lines.items() if len(seen) >= SEEN_IN)


def train() -> str:
    """The weights file, as text."""
    examples = written()
    known = listed()
    words = sorted(known)
    said = [offers(tight(plain(example.text))).rest for example in examples]
    contents = [content(each) for each in said]
    pieces = fragments((example.line, text) for example, text in zip(examples, contents, strict=True))
    finder = Finder(words, pieces)
    places = {mark: len(words) + at for at, mark in enumerate(MARKS)}
    first = len(words) + len(MARKS)
    signs = [
        finder.words(text)
        + [places[mark] for mark in marks(each)]
        + [first + piece for piece in sorted(finder.fragments(text))]
        for each, text in zip(said, contents, strict=True)
    ]
    start = np.zeros((first + len(pieces), len(CLASSES)))
    for at, word in enumerate(words):
        for klass in ("retail", "finance") if known[word].of == "market" else (known[word].of,):
            start[at, CLASSES.index(klass)] = known[word].weight * LISTED_AT
    weights, bias = _fit(signs, examples, start)
    for klass, weight in REFUSABLE.items():
        weights[places["refusable"], CLASSES.index(klass)] = weight
    kinds = [known[word].kind for word in words] + ["mark"] * len(MARKS) + ["fragment"] * len(pieces)
    return _lines([*words, *MARKS, *pieces], kinds, weights, bias)


def _fit(signs: list[list[int]], examples: list[Example], start: Floats) -> tuple[Floats, Floats]:
    """Weights per sign and class, and the bias: the most probable ones, given `start` and the examples."""
    klass = np.array([example.klass for example in examples])
    counts = np.array([example.counts for example in examples])
    shares = np.bincount(klass, weights=counts, minlength=len(CLASSES))
    counts = counts * (shares.mean() / shares)[klass]  # every class counts the same
    rows = np.repeat(np.arange(len(signs)), [len(each) for each in signs])
    columns = np.array([each for found in signs for each in found], dtype=np.int64)
    size, many = start.shape
    truth = np.eye(many)[klass]
    # The bias is one more sign, that every text has.
    rows = np.concatenate([rows, np.arange(len(signs))])
    columns = np.concatenate([columns, np.full(len(signs), size)])
    start = np.vstack([start, np.zeros((1, many))])
    held = np.full((size + 1, 1), HELD)
    held[-1] = BIASED
    weights, speed, scale = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, ROUNDS + 1):
        sums = np.stack([np.bincount(rows, weights=weights[columns, each]) for each in range(many)], axis=1)
        odds = np.exp(sums - sums.max(axis=1, keepdims=True))
        wrong = (odds / odds.sum(axis=1, keepdims=True) - truth) * counts[:, None]
        pull = [np.bincount(columns, weights=wrong[rows, each], minlength=size + 1) for each in range(many)]
        slope = np.stack(pull, axis=1).astype(np.float64) + held * (weights - start)
        # Adam, its step shrinking to a tenth.
        speed = 0.9 * speed + 0.1 * slope
        scale = 0.999 * scale + 0.001 * slope**2
        pace = 0.05 * (1 - 0.9 * step / ROUNDS)
        weights -= pace * (speed / (1 - 0.9**step)) / (np.sqrt(scale / (1 - 0.999**step)) + 1e-3)
    return weights[:-1], weights[-1]


def _lines(names: list[str], kinds: list[str], weights: Floats, bias: Floats) -> str:
    """One sign a line, hundredths; fragments that say nothing left out."""
    lines = ["\t".join(("# sign", "kind", *CLASSES))]
    for name, kind, row in zip(["", *names], ["bias", *kinds], np.vstack([bias, weights]), strict=True):
        hundredths = np.rint(row * 100).astype(int)
        if kind != "fragment" or np.ptp(hundredths) >= 10:
            lines.append("\t".join((name, kind, *map(str, hundredths))))
    return "\n".join(lines) + "\n"
