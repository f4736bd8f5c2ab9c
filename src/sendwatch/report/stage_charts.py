"""The pictures of a stage report, as inline SVG.

Belongs here: geometry. Not here: numbers (`stage_numbers.py`), colours but by class (the template's style sheet).
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WIDTH = 760
HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 230, 16, 30, 58, 46
ROW = 23
MOST_LABEL = 340
LATIN, CHINESE = 7.4, 12.4
"""What a character takes in the widest of the fonts that the template names, at its size of labels."""
VALUE = 44
LABELS_APART = 44


def days(columns: Sequence[tuple[str, int, float | None]], left: str, right: str) -> Markup:
    """A column a day for a count, a line for a rate: (day, count, rate), the axes' names."""
    most, highest = max((each[1] for each in columns), default=0), max((each[2] or 0 for each in columns), default=0)
    scale, rates = ticks(most), ticks(highest)
    inner, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = inner / max(len(columns), 1)

    def y(value: float, axis: Sequence[float]) -> float:
        return TOP + height * (1 - value / axis[-1])

    parts = list(_grid(scale, rates, y))
    every = max(1, ceil(LABELS_APART / step))
    dots = []
    for number, (day, count, rate) in enumerate(columns):
        x = LEFT + step * (number + 0.5)
        top, wide = y(count, scale), min(step * 0.66, 44)
        parts.append(
            f'<rect class="sent" x="{x - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" '
            f'height="{TOP + height - top:.1f}"><title>{escape(day)}: {count:,}</title></rect>'
        )
        if number % every == 0:
            parts.append(f'<text class="tick mid" x="{x:.1f}" y="{HEIGHT - 12}">{escape(day[5:])}</text>')
        if rate is not None:
            dots.append((x, y(rate, rates), day, rate))
    line = " ".join(f"{x:.1f},{at:.1f}" for x, at, _, _ in dots)
    parts.append(f'<polyline class="rate" points="{line}"/>')
    parts += [
        f'<circle class="rate" cx="{x:.1f}" cy="{at:.1f}" r="3"><title>{escape(day)}: {rate:.1f}</title></circle>'
        for x, at, day, rate in dots
    ]
    return _svg(HEIGHT, parts, f"{left}; {right}")


def _grid(
    scale: Sequence[float], rates: Sequence[float], at: Callable[[float, Sequence[float]], float]
) -> Iterator[str]:
    for value in scale:
        level = at(value, scale)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}"/>'
        yield f'<text class="tick end" x="{LEFT - 6}" y="{level + 4:.1f}">{shown(value)}</text>'
    for value in rates:
        yield f'<text class="tick rates" x="{WIDTH - RIGHT + 6}" y="{at(value, rates) + 4:.1f}">{shown(value)}</text>'


def bars(rows: Sequence[tuple[str, float, float | None, str]], name: str, digits: int = 0) -> Markup:
    """A bar a row: (label, value, the value that it is held against, class); that one is a mark across the bar."""
    most = max((max(value, before or 0) for _, value, before, _ in rows), default=0) or 1
    label_width = min(max((label_of(label) for label, *_ in rows), default=0) + 12, MOST_LABEL)
    width = WIDTH - label_width - 76
    parts = []
    for number, (label, value, before, kind) in enumerate(rows):
        top = number * ROW
        parts.append(
            f'<text class="label end" x="{label_width - 8:.1f}" y="{top + 15}"{squeezed(label)}>{escape(label)}</text>'
        )
        parts.append(
            f'<rect class="bar {escape(kind)}" x="{label_width:.1f}" y="{top + 4}" '
            f'width="{max(width * value / most, 1):.1f}" height="{ROW - 8}" rx="1.5"/>'
        )
        if before is not None:
            x = label_width + width * before / most
            parts.append(f'<line class="before" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 1}" y2="{top + ROW - 1}"/>')
        end, mark = width * value / most, width * (before or 0) / most
        at = label_width + (mark if end - 4 < mark < end + VALUE else end) + 8
        parts.append(f'<text class="value" x="{at:.1f}" y="{top + 15}">{value:,.{digits}f}</text>')
    return _svg(ROW * len(rows) + 4, parts, name)


def label_of(text: str) -> float:
    """How wide a label may be, whichever font there is."""
    return sum(CHINESE if east_asian_width(each) in "WF" else LATIN for each in text)


def squeezed(text: str) -> str:
    """An attribute for a label that would not fit: it is drawn together rather than cut off."""
    room = MOST_LABEL - 12
    return f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if label_of(text) > room else ""


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`."""
    if most <= 0:
        return [0, 1]
    rough = most / 4
    power = 10 ** floor(log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
    return [step * number for number in range(ceil(most / step - 1e-9) + 1)]


def shown(value: float) -> str:
    """A number on an axis."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def _svg(height: int, parts: Sequence[str], name: str) -> Markup:
    inner = "".join(parts)
    return Markup(  # noqa: S704 - made of our own tags, and of what is escaped above
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name)}" '
        f'xmlns="http://www.w3.org/2000/svg">{inner}</svg>'
    )
