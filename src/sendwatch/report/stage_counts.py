"""The counting half of a stage report: in short, trend, days, rules, who, where.

Belongs here: which numbers stand in which table and picture. Not here: the rest of the sections (`stage_told.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sendwatch.report.stage_document import Bars, Cell, Column, Days, Kind, Section, Table, Tile, date, plain
from sendwatch.report.stage_numbers import PER

if TYPE_CHECKING:
    from sendwatch.report.stage_document import Writer
    from sendwatch.report.stage_numbers import Group, RuleLine, Totals


def tiles(w: Writer) -> list[Tile]:
    this, other = w.this, w.compared()
    before = other[1] if other else None

    def tile(word: str, name: str, kind: Kind, below: str, *, less_is_better: bool | None = True) -> Tile:
        now, then = getattr(this, name), getattr(before, name) if before else None
        tone: Literal["", "good", "bad"] = ""
        if less_is_better is not None and now is not None and then is not None and now != then:
            tone = "good" if (now < then) == less_is_better else "bad"
        against = f"{w.say(other[0].role)} {plain(then, kind)}" if other and then is not None else ""
        return Tile(w.say(word), plain(now, kind), " · ".join(part for part in (below, against) if part), tone)

    limit = f"{w.say('limit')} {w.asked.limit:g}"
    return [
        tile("sends", "sends", "count", "", less_is_better=None),
        tile("violations", "violations", "count", f"{w.say('grave')} {this.grave:,}", less_is_better=None),
        tile("rate", "rate", "rate", ""),
        tile("coverage", "coverage", "share", "", less_is_better=False),
        tile("per_million", "per_million", "rate", limit),
        tile("heeded", "heeded", "share", "", less_is_better=False),
    ]


def summary(w: Writer) -> Section:
    this, found = w.this, Section("summary", w.say("s_summary"))
    if not this.sends:
        found.sentences = [w.say("abstract_none")]
        return found
    found.sentences.append(
        w.say("abstract", sends=f"{this.sends:,}", flagged=f"{this.sends_flagged:,}",
                 violations=f"{this.violations:,}", rate=plain(this.rate, "rate"),
                 coverage=plain(this.coverage, "share"))
    )  # fmt: skip
    most = next((line for line in w.numbers.rules if line.violations), None)
    if most is not None:
        found.sentences.append(w.say("abstract_most", title=w.title_of(most.rule), count=f"{most.violations:,}"))
    other = w.compared()
    if other is not None and other[1].rate and this.rate is not None:
        name = w.named(other[0])
        found.sentences.append(w.say("abstract_trend", name=name, change=change(w, this.rate, other[1].rate)))
    if w.part():
        found.sentences += [w.covered(), w.say("coverage_part")]
    return found


def change(w: Writer, now: float, then: float) -> str:
    """How much more or less, in words."""
    part = now / then - 1
    if abs(part) < 0.0005:
        return w.say("same")
    return w.say("up" if part > 0 else "down", percent=f"{abs(part):.1%}")


def trend(w: Writer) -> Section:
    found = Section("trend", w.say("s_trend"))
    spans = [span for span in w.scope.spans if span.role in w.numbers.totals]
    measures: list[tuple[str, str, Kind]] = [
        ("sends", "sends", "count"), ("violations", "violations", "count"), ("grave", "grave", "count"),
        ("sends_flagged", "sends_flagged", "count"), ("rate", "rate", "rate"), ("coverage", "coverage", "share"),
        ("complaints", "complaints", "count"), ("per_million", "per_million", "rate"),
        ("refusals", "refusals", "count"), ("heeded", "heeded", "share"),
        ("after_opt_out", "after_opt_out", "count"), ("ignored", "ignored", "count"),
    ]  # fmt: skip
    if w.scope.audience != "owner":
        measures.insert(3, ("dismissed", "dismissed", "count"))
    columns = [Column(w.say("measure"))]
    columns += [Column(f"{w.say(span.role)}\n{w.span_name(span)}", "count") for span in spans]
    rows: list[list[Cell]] = [
        [w.say(word), *(getattr(w.numbers.totals[span.role], name) for span in spans)] for word, name, _ in measures
    ]
    found.tables.append(Table("trend", "", columns, rows, measures=[kind for _, _, kind in measures]))
    for span in w.scope.spans[1:]:
        if span.role not in w.numbers.totals:
            since, until = date(span.since), date(span.until - 1)
            found.sentences.append(w.say("nothing_before", name=w.named(span), since=since, until=until))
    return found


def days(w: Writer) -> Section:
    found = Section("days", w.say("s_days"))
    days = w.numbers.days
    shown = [(day.day, day.sends, day.violations * PER / day.sends if day.sends else None) for day in days]
    found.pictures.append(Days(w.say("sends"), w.say("rate"), shown))
    columns = [Column(w.say("day")), Column(w.say("sends"), "count"), Column(w.say("violations"), "count"),
               Column(w.say("rate"), "rate"), Column(w.say("complaints"), "count")]  # fmt: skip
    first, last = w.numbers.first_at, w.numbers.last_at
    known = (date(first), date(last)) if first is not None and last is not None else ("9", "0")
    rows: list[list[Cell]] = [  # of days before and after what is known, not even a nought
        [day.day, day.sends, day.violations, rate, day.complaints]
        for day, (_, _, rate) in zip(days, shown, strict=True)
        if known[0] <= day.day <= known[1]
    ]
    found.tables.append(Table("days", "", columns, rows))
    return found


def rules(w: Writer) -> Section:
    found = Section("rules", w.say("s_rules"))
    lines = [line for line in w.numbers.rules if line.violations or line.before]
    if not lines:
        found.sentences.append(w.say("no_violations"))
        return found
    other = w.compared()
    scale = w.this.sends / other[1].sends if other and other[1].sends else None
    found.pictures.append(
        Bars(
            w.say("s_rules"),
            [
                (f"{w.title_of(line.rule)}  {line.rule.partition('_')[0]}", line.violations,
                 line.before * scale if scale is not None and line.before is not None else None, line.severity)
                for line in lines
            ],
            w.say("mark_note", name=w.say(other[0].role).lower()) if other and scale is not None else "",
        )
    )  # fmt: skip
    columns = [Column(w.say("rule"), "code"), Column(w.say("what")), Column(w.say("clause")),
               Column(w.say("severity"), "severity"), Column(w.say("violations"), "count"),
               Column(w.say("per_10000"), "rate")]  # fmt: skip
    columns += [Column(f"{w.say(other[0].role)}, {w.say('per_10000')}", "rate")] if other else []
    columns += [] if w.owned else [Column(w.say("owners"), "count")]
    rows = [rule_row(w, line, other[1] if other else None) for line in lines]
    found.tables.append(Table("rules", "", columns, rows))
    return found


def rule_row(w: Writer, line: RuleLine, before: Totals | None) -> list[Cell]:
    clauses = "; ".join(f"{pack} {clause}{'' if checked else ' *'}" for pack, clause, checked in line.clauses)
    row: list[Cell] = [line.rule.partition("_")[0], w.title_of(line.rule), clauses, line.severity, line.violations,
                       line.violations * PER / w.this.sends if w.this.sends else None]  # fmt: skip
    if before is not None:
        row.append((line.before or 0) * PER / before.sends if before.sends else None)
    return row if w.owned else [*row, line.owners]


def who(w: Writer) -> Section:
    families = ("signature", "port", "sp") if w.owned else ("owner", "signature", "port", "sp")
    return Section("who", w.say("s_who"), tables=[group(w, family) for family in families])


def where(w: Writer) -> Section:
    found = Section("where", w.say("s_where"))
    provinces = [each for each in w.numbers.groups.get("province", ()) if each.violations]
    if provinces:
        rows = [(w.key_of("province", each.key), each.rate or 0.0, None, "plain") for each in provinces[:15]]
        rows.sort(key=lambda row: -row[1])
        found.pictures.append(Bars(f"{w.say('province')}: {w.say('rate')}", [*rows], digits=1))
    found.tables += [group(w, "province"), group(w, "type")]
    return found


def group(w: Writer, family: str) -> Table:
    lines: list[Group] = w.numbers.groups.get(family, [])
    named = family == "owner"
    complained = family != "signature"
    columns = [Column(w.say(family), "text" if family in {"signature", "province"} else "code")]
    columns += [Column(w.say("name"))] if named else []
    columns += [Column(w.say("sends"), "count"), Column(w.say("violations"), "count"),
                Column(w.say("per_10000"), "rate")]  # fmt: skip
    columns += [Column(w.say("complaints"), "count")] if complained else []
    columns.append(Column(w.say("worst")))
    rows: list[list[Cell]] = []
    for each in lines:
        row: list[Cell] = [w.key_of(family, each.key)]
        row += [each.name or "–"] if named else []
        row += [each.sends, each.violations, each.rate]
        row += [each.complaints] if complained else []
        rows.append([*row, w.title_of(each.rule)])
    size = w.numbers.group_sizes.get(family, 0)
    note = w.say("top_note", shown=f"{len(lines):,}", all=f"{size:,}") if size > len(lines) else ""
    return Table(f"by_{family}", w.say(family), columns, rows, note)
