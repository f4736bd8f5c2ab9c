"""The telling half of a stage report: complaints, opt-outs, coverage, corrections, breaches, decisions, method.

Belongs here: what is said of each, and what is said where there is nothing. Not here: counts (`stage_counts.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch import law
from sendwatch.report.stage_document import Cell, Column, Section, Table, moment, pairs, part_of
from sendwatch.report.stage_numbers import COUNTED

if TYPE_CHECKING:
    from sendwatch.report.stage_document import Kind, Writer

MOST_ROWS = 200


def complaints(w: Writer) -> Section:
    found = Section("complaints", w.say("s_complaints"))
    found.sentences.append(w.say("complaints_note", limit=f"{w.asked.limit:g}"))
    if not w.this.complaints:
        found.sentences.append(w.say("no_complaints"))
        return found
    columns = [Column(w.say("measure")), Column(w.say("this"), "count")]
    rows: list[list[Cell]] = [
        [w.say("complaints"), w.this.complaints],
        [w.say("about_codes"), w.this.about_codes],
        [w.say("per_million"), w.this.per_million],
    ]
    found.tables.append(Table("complaints", "", columns, rows, measures=["count", "count", "rate"]))
    columns = [Column(w.say("channel"), "code"), Column(w.say("complaints"), "count"),
               Column(w.say("share"), "share")]  # fmt: skip
    listed: list[list[Cell]] = [[each, n, n / w.this.complaints] for each, n in w.numbers.channels]
    found.tables.append(Table("channels", w.say("channel"), columns, listed))
    return found


def optouts(w: Writer) -> Section:
    found, this = Section("optouts", w.say("s_optout"), [w.say("optout_note")]), w.this
    rows: list[list[Cell]] = [
        [w.say("refusals"), this.refusals],
        [w.say("unheeded"), this.unheeded],
        [w.say("heeded"), this.heeded],
        [w.say("after_opt_out"), this.after_opt_out],
        [w.say("past_48_hours"), this.past_48_hours],
        [w.say("ignored"), this.ignored],
    ]
    columns = [Column(w.say("measure")), Column(w.say("this"), "count")]
    measures: list[Kind] = ["count", "count", "share", "count", "count", "count"]
    found.tables.append(Table("optouts", "", columns, rows, measures=measures))
    return found


def coverage(w: Writer) -> Section:
    found, numbers = Section("coverage", w.say("s_coverage")), w.numbers
    if numbers.first_at is None or numbers.last_at is None or not w.this.sends:
        found.sentences.append(w.say("coverage_none"))
    else:
        found.sentences.append(w.covered())
        if w.part():
            found.sentences.append(w.say("coverage_part"))
    found.sentences.append(w.say("coverage_note"))
    columns = [Column(w.say("measure")), Column(w.say("this"), "count"), Column(w.say("share"), "share")]
    rows: list[list[Cell]] = [
        [w.say("sends"), w.this.sends, 1.0 if w.this.sends else None],
        [w.say("undecided"), w.this.undecided, part_of(w.this.undecided, w.this.sends)],
    ]
    rows += [[f"– {w.say(f'why_{why}')}", n, part_of(n, w.this.sends)] for why, n in numbers.unknown.items()]
    found.tables.append(Table("coverage", "", columns, rows))
    if not w.this.undecided and w.this.sends:
        found.sentences.append(w.say("all_decided"))
    if numbers.books and not w.owned:
        kept = [name for name in COUNTED if any(counts[name] for _, counts in numbers.books)]
        columns = [Column(w.say("topic"), "code"), *(Column(w.say(name), "count") for name in kept)]
        listed: list[list[Cell]] = [[topic, *(counts[name] for name in kept)] for topic, counts in numbers.books]
        found.tables.append(Table("books", "", columns, listed, w.say("books_note")))
    return found


def corrections(w: Writer) -> Section:
    found = Section("corrections", w.say("s_corrections"), [w.say("corrections_note")])
    lines = [line for line in w.numbers.rules if line.raised_late or line.cleared]
    if not lines:
        found.sentences.append(w.say("no_corrections"))
        return found
    columns = [Column(w.say("rule"), "code"), Column(w.say("what")), Column(w.say("raised_late"), "count"),
               Column(w.say("cleared"), "count")]  # fmt: skip
    rows: list[list[Cell]] = [
        [line.rule.partition("_")[0], w.title_of(line.rule), line.raised_late, line.cleared] for line in lines
    ]
    found.tables.append(Table("corrections", "", columns, rows))
    return found


def breaches(w: Writer) -> Section:
    found = Section("breaches", w.say("s_breaches"))
    if not w.numbers.breaches:
        found.sentences.append(w.say("no_breaches"))
        return found
    columns = [Column(w.say("rule"), "code"), Column(w.say("what")), Column(w.say("subject"), "code"),
               Column(w.say("measured")), Column(w.say("limit")), Column(w.say("opened")),
               Column(w.say("closed"))]  # fmt: skip
    rows: list[list[Cell]] = []
    for each in w.numbers.breaches:
        closed = each["closed_at"]
        rows.append([
            each["rule"].partition("_")[0], w.title_of(each["rule"]), pairs(each["subject"]),
            pairs(each["measures"]), pairs(each["bound"]), moment(each["at"]),
            w.say("still_open") if closed is None else moment(closed),
        ])  # fmt: skip
    found.tables.append(Table("breaches", "", columns, rows))
    return found


def decisions(w: Writer, *, precise: bool) -> Section:
    found = Section("decisions", w.say("s_decisions"))
    if not w.numbers.deeds:
        found.sentences.append(w.say("no_decisions"))
        return found
    found.sentences.append(w.say("decisions_note"))
    columns = [Column(w.say("action")), Column(w.say("count"), "count")]
    rows: list[list[Cell]] = [[w.value(each), n] for each, n in sorted(w.numbers.actions.items())]
    if rows:
        found.tables.append(Table("decisions", "", columns, rows))
    found.tables.append(deeds(w, named=precise))
    judged = [line for line in w.numbers.rules if line.precision is not None]
    if precise and judged:
        columns = [Column(w.say("rule"), "code"), Column(w.say("what")), Column(w.say("confirmed"), "count"),
                   Column(w.say("dismissed_short"), "count"), Column(w.say("precision"), "share")]  # fmt: skip
        listed: list[list[Cell]] = [
            [line.rule.partition("_")[0], w.title_of(line.rule), line.confirmed, line.dismissed, line.precision]
            for line in judged
        ]
        found.tables.append(Table("precision", w.say("precision"), columns, listed))
    return found


def deeds(w: Writer, *, named: bool) -> Table:
    """Each decision; `named`: by whom, else by which role."""
    columns = [Column(w.say("time"), "code"), Column(w.say("action")), Column(w.say("rule"), "code"),
               Column(w.say("subject")), Column(w.say("by")), Column(w.say("reason")),
               Column(w.say("about"), "code")]  # fmt: skip
    rows: list[list[Cell]] = []
    for each in w.numbers.deeds:
        action = w.value(each.action) + (f" {w.say('until', day=each.until)}" if each.until else "")
        by = f"{each.by} ({w.value(each.role)})" if named else w.value(each.role)
        rows.append(
            [moment(each.at), action, each.rule.partition("_")[0], each.subject or "–", by, each.why, each.about]
        )
    note = w.say("deeds_note", shown=f"{MOST_ROWS:,}", all=f"{len(rows):,}") if len(rows) > MOST_ROWS else ""
    return Table("deeds", w.say("deeds"), columns, rows, note)


def shadow(w: Writer) -> Section | None:
    if not w.numbers.shadow:
        return None
    columns = [Column(w.say("rule"), "code"), Column(w.say("what")), Column(w.say("violations"), "count")]
    rows: list[list[Cell]] = [[rule.partition("_")[0], w.title_of(rule), n] for rule, n in w.numbers.shadow]
    table = Table("shadow", "", columns, rows)
    return Section("shadow", w.say("s_shadow"), [w.say("m_shadow")], tables=[table])


def flags(w: Writer) -> Section:
    found, flags = Section("flags", w.say("s_flags")), w.numbers.flags
    columns = [Column(w.say("time"), "code"), Column(w.say("rule"), "code"), Column(w.say("send"), "code"),
               Column(w.say("signature")), Column(w.say("port"), "code"), Column(w.say("why"))]  # fmt: skip
    reason = f"reason_{w.asked.language}"
    rows: list[list[Cell]] = [
        [moment(each["at"]), each["rule"].partition("_")[0], each["send_id"], each["signature"] or "–", each["port"],
         each[reason]]
        for each in flags
    ]  # fmt: skip
    over = len(flags) > MOST_ROWS
    note = w.say("flags_note", shown=f"{MOST_ROWS:,}", all=f"{len(flags):,}") if over else ""
    found.tables.append(Table("flags", "", columns, rows, note))
    return found


def method(w: Writer) -> Section:
    words = ("m_violation", "m_watch", "m_private", "m_shadow")
    found = Section("method", w.say("s_method"), [w.say(word) for word in words])
    packs = {pack.id: pack for pack in law.load()}
    columns = [Column(w.say("law_pack"), "code"), Column(w.say("name")), Column("")]
    rows: list[list[Cell]] = []
    for name in w.numbers.packs:
        pack = packs.get(name)
        if pack is not None:
            told = pack.title_zh if w.asked.language == "zh" else pack.title_en
            rows.append([name, told, w.say("checked") if pack.checked else f"* {w.say('unchecked')}"])
    if rows:
        found.tables.append(Table("law", "", columns, rows))
    columns = [Column(w.say("version"), "code"), Column(w.say("rules_version"), "code"),
               Column(w.say("config_version"), "code"), Column(w.say("judged_from"), "code"),
               Column(w.say("judged_to"), "code")]  # fmt: skip
    listed: list[list[Cell]] = [
        [sendwatch, of_rules, config, moment(first), moment(last)]
        for sendwatch, of_rules, config, first, last in w.numbers.versions
    ]
    if listed:
        found.tables.append(Table("versions", "", columns, listed))
    return found
