"""Folding: what is written in different ways is read as one.

Belongs here: widths, cases, blanks, zero-width characters, traditional forms, look-alikes, split characters, and
the masks and links that hide the variable parts of a text. Not here: what the folded text means.

Four foldings, from the gentlest to the harshest; none of them is ever shown to anybody:

    fold_name     signature names, in texts and in filings: widths folded, blanks and zero-width dropped, case kept
    fold_word     a reply: trimmed, widths and case folded
    alike         names that look the same (B5): as fold_name, and look-alikes, traditional forms and case folded
    plain         a whole text for matching: as alike, but blanks stay, and links become `U`
    content       plain, with numbers as `N`, phone numbers as `P`, and no punctuation or blanks at all
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any


def load(name: str) -> dict[str, Any]:
    """The word file of that name in `words/`."""
    return tomllib.loads(files(__package__).joinpath("words", name + ".toml").read_text(encoding="utf-8"))


# Zero-width and format characters, and variation selectors: they show nothing.
INVISIBLE = [0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
INVISIBLE += [*range(0x2060, 0x2070), *range(0xFE00, 0xFE10)]
BLANKS = [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
# What a reader does not see at either end of a text.
UNSEEN = "".join(map(chr, BLANKS + INVISIBLE))

WIDTHS: dict[int, str] = {
    code: unicodedata.normalize("NFKC", chr(code)) for code in [*range(0xFF01, 0xFF5F), *range(0xFFE0, 0xFFE7)]
} | {0x3000: " "}


# Characters of which most texts consist. `translate` asks a table for each character, and one that is not there costs
# an exception: a text takes 10.4 µs with the foldings alone, and 6.4 with these as themselves.
USUAL = [*range(0x20, 0x7F), *range(0x3000, 0x3020), *range(0x4E00, 0xA000)]


def _plain() -> dict[int, int | str | None]:
    """The table of `plain`: every folding that goes character by character."""
    table: dict[int, int | str | None] = {code: chr(code).lower() for code in range(0x41, 0x5B)}
    # Circled and bracketed numbers and letters, superscripts, letters of mathematics: all used to evade.
    for code in [*range(0x2070, 0x20A0), *range(0x2460, 0x2500), *range(0x3220, 0x3250), *range(0x1D400, 0x1D800)]:
        table[code] = unicodedata.normalize("NFKC", chr(code)).strip("()").lower()
    words = load("fold")
    for pair in f"{words['traditional']} {words['alike']}".split():
        table[ord(pair[0])] = pair[1]
    table |= {code: shown.lower() for code, shown in WIDTHS.items()}
    table |= dict.fromkeys(BLANKS, " ") | dict.fromkeys(INVISIBLE)
    # 《回复“TD”退订》: quotes around a word say nothing.
    table |= dict.fromkeys(map(ord, "\"'“”‘’「」『』〝〞＂＇"))
    table |= {ord("㎡"): "平", ord("〇"): "0"}
    return {code: code for code in USUAL} | table


PLAIN = _plain()
NAME: dict[int, int | str | None] = {**{code: code for code in USUAL}, **WIDTHS, **dict.fromkeys(BLANKS + INVISIBLE)}
ALIKE = PLAIN | dict.fromkeys(BLANKS)

SPLIT: dict[str, str] = load("fold")["split"]
_SPLIT = re.compile("|".join(sorted(map(re.escape, SPLIT), key=len, reverse=True)))
_HALVES = re.compile(f"[{''.join(sorted({halves[0] for halves in SPLIT}))}]")

# Parts of a text that a source has blanked out with a word; masked digits (xxx, ***) are numbers below.
_MEANT = {"CELLPHONE": "00000000000", "PHONE": "00000000000", "DIGIT": "0", "URL": " U ", "WECHAT": "微信"}
_MEANT |= {"NAME": "", "PLACE": ""}
_BLANKED = re.compile("|".join(_MEANT))

_TOP = "com|cn|net|org|cc|top|vip|xyz|me|la|io|tv|co|hk|info|site|club|shop|link|ltd|im|ly|gd|so|wang|ren|work|app|mobi"
_PATH = r"[#-+./0-9:=?@-~-]*"
# One class of characters first, here and in numbers: that lets `re` skip quickly over Chinese.
LINK = re.compile(
    rf"[a-z0-9](?<![a-z0-9.@-].)(?:(?<=h)ttps?[:;]?//{_PATH}|(?<=w)ww\.{_PATH}"
    rf"|[a-z0-9-]{{0,39}}\.(?:[a-z0-9-]{{1,40}}\.){{0,3}}(?:{_TOP})(?![a-z0-9])(?:[/?#:]{_PATH})?)",
    re.DOTALL,
)
_NUMBER = re.compile(r"[0-9x*×](?:(?<=[0-9])[0-9x*×.,:/-]*|(?<![a-z].)(?:[0-9x*×.,:/-]*[0-9x*×])?(?![a-z]))", re.DOTALL)
_MARKS = re.compile(r"[^\w%]+|_+")


@lru_cache(maxsize=8192)
def fold_name(name: str) -> str:
    """A signature's name for matching, as a text or a filing writes it."""
    return name.translate(NAME)


def fold_word(word: str) -> str:
    """A reply for matching: trimmed, widths and case folded."""
    return word.translate(WIDTHS).strip().casefold()


def alike(name: str) -> str:
    """What a name looks like: equal for names that a reader takes for the same."""
    return joined(name.translate(ALIKE))


def joined(text: str) -> str:
    """A text with characters that were written as their halves put together again."""
    if _HALVES.search(text):
        return _SPLIT.sub(lambda found: SPLIT[found[0]], text)
    return text


def unmasked(text: str) -> str:
    """A text with blanked-out parts (`DIGIT`, `URL`, …) put back as something of their kind."""
    if _BLANKED.search(text):
        return _BLANKED.sub(lambda found: _MEANT[found[0]], text)
    return text


def plain(text: str) -> str:
    """A text for matching: widths, case, look-alikes folded, `U` for each link."""
    folded = joined(unmasked(text).translate(PLAIN))
    return LINK.sub("U", folded) if "." in folded or "//" in folded else folded


def content(folded: str) -> str:
    """What `plain` gave, without punctuation and blanks, `N` for each number, `P` for each phone number."""
    return _MARKS.sub("", _NUMBER.sub(_number, folded))


def _number(found: re.Match[str]) -> str:
    """`P` for what is as long as a phone number, `N` for any other; masked digits count as digits."""
    if found[0] == "*":
        return ""  # 放*款: it splits a word, or masks a name
    digits = found[0].replace("-", "").rstrip(".,:/")
    size = len(digits)
    if size < 7 or size > 12 or not digits.isalnum():
        return "N"
    if size == 11 or (size in {10, 12} and digits[0] in "048x") or (size in {7, 8} and "x" in digits):
        return "P"
    return "N"
