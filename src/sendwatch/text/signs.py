"""Signs: the words and fragments of a text that speak for its class, found in one pass each.

Belongs here: what a sign is, how the word files are written, how signs are found. Not here: what they weigh together
(`classes.py`), where their weights come from (`train.py`).

A *word* is listed by hand in `words/`, with its kind and its weight for one class; a word inside a longer one does
not count (优惠 in 优惠券). A *fragment* is two or three characters that training found telling. A *mark* is a property
of the text: `!!`, `~`, `@`, a link, something bought that comes with something, an offer to refuse.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from ahocorasick_rs import AhoCorasick

from sendwatch.text.fold import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLASSES = ("otp", "service", "retail", "finance", "other")
WORD_FILES = ("market", "retail", "finance", "service", "otp", "other")
MARKS = ("!!", "~", "@", "U", "买…送", "refusable")


_BUNDLE = re.compile(r"[买购满充存][^,.。!;]{1,8}?(?<!发)(?<!配)(?<!运)[送赠减返](?!达|货|至|到)")


class Listed(NamedTuple):
    """A word as the files list it: `of` is a class, or `market` for retail and finance alike."""

    of: str
    kind: str
    weight: float


def listed() -> dict[str, Listed]:
    """Every word of the word files; of a word listed twice the first file's counts, with its greatest weight."""
    words: dict[str, Listed] = {}
    for name in WORD_FILES:
        for table in load(name)["signs"]:
            for pattern in table["words"].split():
                for word in spelled(pattern):
                    known = words.get(word)
                    if known is None or (known.of == name and known.weight < table["weight"]):
                        words[word] = Listed(name, table["kind"], table["weight"])
    return words


def spelled(pattern: str) -> Iterator[str]:
    """What a pattern stands for: `{a|b}` is a or b, `?` among them is nothing."""
    parts = re.split(r"\{([^}]*)\}", pattern)
    choices = [part.split("|") if at % 2 else [part] for at, part in enumerate(parts)]
    return ("".join("" if part == "?" else part for part in each) for each in itertools.product(*choices))


class Finder:
    """Finds words and fragments, by their places in the lists that it was made from."""

    def __init__(self, words: Sequence[str], fragments: Sequence[str]) -> None:
        self._words = AhoCorasick(words)
        self._fragments = AhoCorasick(fragments) if fragments else None

    def words(self, content: str) -> list[int]:
        """The words of a text, each once, none that lies inside another."""
        kept: list[tuple[int, int, int]] = []
        # They come by their ends, of one end the longest first: so what a later one holds is last in `kept`.
        for match in self._words.find_matches_as_indexes(content, overlapping=True):
            _, start, end = match
            if kept and kept[-1][2] == end:
                continue
            while kept and kept[-1][1] >= start:
                kept.pop()
            kept.append(match)
        return list({index: None for index, _, _ in kept})

    def fragments(self, content: str) -> set[int]:
        """The fragments of a text, each once."""
        if self._fragments is None:
            return set()
        return {match[0] for match in self._fragments.find_matches_as_indexes(bounded(content), overlapping=True)}


def bounded(content: str) -> str:
    """A text whose first and last fragments can be told from those inside."""
    return f"^{content}$"


def marks(said: str) -> list[str]:
    """The marks of a folded text, without the offer to refuse."""
    found = [mark for mark in ("~", "@", "U") if mark in said]
    if said.count("!") > 1:
        found.append("!!")
    if _BUNDLE.search(said):
        found.append("买…送")
    return found
