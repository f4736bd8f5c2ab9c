"""A stage report put together: what stands in it, in which order, for whom.

Belongs here: the order of sections, and the head. Not here: the sections (`stage_counts.py`, `stage_told.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.report.stage_counts import days, rules, summary, tiles, trend, where, who
from sendwatch.report.stage_document import Document, Section, Writer, date, moment
from sendwatch.report.stage_told import (
    breaches,
    complaints,
    corrections,
    coverage,
    decisions,
    flags,
    method,
    optouts,
    shadow,
)

if TYPE_CHECKING:
    from sendwatch.report.stage_document import Asked
    from sendwatch.report.stage_numbers import Numbers


def document(numbers: Numbers, asked: Asked) -> Document:
    """The report, in its language."""
    w = Writer(numbers, asked)
    span = w.scope.span
    until = f"{date(span.since)} – {date(span.until - 1)}"
    lines = [f"{w.say('period')}: {until} ({w.say('utc8')})" if w.asked.language == "en"
             else f"{w.say('period')}：{until}（{w.say('utc8')}）"]  # fmt: skip
    if w.owned:
        name = next((each.name for each in w.numbers.groups.get("owner", ()) if each.name), None)
        lines.append(f"{w.say('owner_only')} {w.scope.owner}{f' ({name})' if name else ''}")
    made = f"{w.say('made_at')} {moment(w.asked.made_at)}, {w.say(f'source_{w.numbers.source}')}"
    return Document(
        language="zh-CN" if w.asked.language == "zh" else "en",
        title=w.say("title"),
        subtitle=span.name or w.say("range"),
        edition=w.say(f"for_{w.scope.audience}"),
        lines=lines,
        tiles=tiles(w),
        sections=[each for each in _sections(w) if each is not None],
        severities={each: w.say(each) for each in ("low", "medium", "high", "critical")},
        stamp=f"sendwatch {w.asked.version} · {made}",
    )


def _sections(w: Writer) -> list[Section | None]:
    inside, mine = w.scope.audience == "all", w.scope.audience == "owner"
    return [
        summary(w), trend(w), days(w), rules(w), who(w), where(w), complaints(w),
        optouts(w), coverage(w), corrections(w), breaches(w),
        None if mine else decisions(w, precise=inside), shadow(w) if inside else None,
        flags(w) if w.owned else None, method(w),
    ]  # fmt: skip
