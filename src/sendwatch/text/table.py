"""Precision and recall per class, over a file of labelled texts.

Belongs here: reading such a file (tab-separated: class, provenance or nothing, text), counting, printing. Labels may
be marked doubtful (`service?`); `other` stands for texts of no class, `marketing` for retail. Not here: deciding.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from sendwatch.text.reading import read

MEANT = {"marketing": "marketing.retail", "finance-derived-marketing": "marketing.finance", "other": "(none)"}
NOT_SURE = "(none)"


class Row(NamedTuple):
    """One class: texts that have it, texts that were given it, and how many of both."""

    klass: str
    texts: int
    given: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of the texts given this class, the share that has it; None where none was."""
        return self.right / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """Of the texts that have this class, the share that was given it; None where none has."""
        return self.right / self.texts if self.texts else None


def labelled(path: Path) -> list[tuple[str, str]]:
    """The (class, text) pairs of a file, doubt marks dropped."""
    pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        label = fields[0].rstrip("?")
        if label and label != "class" and not label.startswith("#"):
            pairs.append((MEANT.get(label, label), fields[-1]))
    return pairs


def rows(pairs: list[tuple[str, str]]) -> list[Row]:
    """Each class, and first of all marketing of either kind."""
    counted = Counter((label, read(text).klass or NOT_SURE) for label, text in pairs)
    classes = ["marketing", "marketing.retail", "marketing.finance", "service", "otp", NOT_SURE]
    return [
        Row(
            klass,
            sum(many for (label, _), many in counted.items() if _within(label, klass)),
            sum(many for (_, given), many in counted.items() if _within(given, klass)),
            sum(many for (label, given), many in counted.items() if _within(label, klass) and _within(given, klass)),
        )
        for klass in classes
    ]


def _within(label: str, klass: str) -> bool:
    return label == klass or label.startswith(klass + ".")


def table(path: str | Path) -> str:
    """Precision and recall per class of the texts in a file, as lines to print."""
    pairs = labelled(Path(path))
    lines = [f"{'class':<20}{'texts':>7}{'given':>7}{'right':>7}{'precision':>11}{'recall':>8}"]
    lines += [
        f"{row.klass:<20}{row.texts:>7}{row.given:>7}{row.right:>7}{_share(row.precision):>11}{_share(row.recall):>8}"
        for row in rows(pairs)
    ]
    return "\n".join([*lines, f"{len(pairs)} texts"])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
