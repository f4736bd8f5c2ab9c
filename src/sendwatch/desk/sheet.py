"""A campaign as a table: rows of a CSV file as campaigns, and several answers as one.

Belongs here: reading rows, numbering them, putting answers together. Not here: asking (`check.py`), files and terminals
(`cli/desk.py`). Pure.
"""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sendwatch.days import instant
from sendwatch.desk.ask import Campaign, PlannedRecipient, PlannedSend
from sendwatch.desk.say_check import CheckSum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sendwatch.desk.ask import Details
    from sendwatch.desk.say_check import CheckAnswer, CheckedRule

COLUMNS = {
    "recipient": ("recipient", "number", "号码", "手机号", "接收方"),
    "text": ("text", "短信内容", "内容"),
    "sp": ("sp", "账号", "发送账号"),
    "port": ("port", "端口", "码号", "源号码"),
    "signature": ("signature", "签名"),
    "category": ("category", "类型"),
    "template": ("template", "模板"),
    "carrier": ("carrier", "运营商"),
    "province": ("province", "省份"),
    "planned_at": ("planned_at", "time", "计划时间"),
}
OWN = ("text", "carrier", "province", "planned_at")
AT_ONCE = 2000


class BadSheetError(Exception):
    """The file is not as it should be; the message names the line and holds nothing of it."""


class Piece(Struct, frozen=True):
    """A campaign of so many rows; `rows`: the line of the file of each of its recipients."""

    campaign: Campaign
    rows: list[int]


def pieces(lines: Iterable[str], common: Mapping[str, Any], details: Details) -> Iterator[Piece]:
    """The campaigns of a CSV file with a head line; `common`: what holds where a row says nothing.

    Rows that differ in SP, port, signature, category or template are campaigns of their own. Rows of one recipient stay
    together. Raises BadSheetError.
    """
    groups: dict[str, list[tuple[int, PlannedRecipient, PlannedSend]]] = {}
    for number, row in _rows(lines):
        own = {name: row.pop(name) for name in OWN if name in row}
        recipient = row.pop("recipient", None)
        if recipient is None:
            raise BadSheetError(f"line {number}: no recipient")
        given = {name: value for name, value in {**common, **row}.items() if value is not None}
        try:
            send = msgspec.convert(given, PlannedSend)
            planned = msgspec.convert({"recipient": recipient, **own}, PlannedRecipient)
        except msgspec.ValidationError as error:
            raise BadSheetError(f"line {number}: {error}") from None
        groups.setdefault(repr(send), []).append((number, planned, send))
    for group in groups.values():
        group.sort(key=lambda each: (each[1].recipient, each[0]))
        for start in range(0, len(group), AT_ONCE):
            some = group[start : start + AT_ONCE]
            yield Piece(Campaign(some[0][2], [each[1] for each in some], details), [each[0] for each in some])


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(lines)
    try:
        head = [_column(name) for name in next(reader, [])]
        if "recipient" not in head:
            raise BadSheetError(f"line 1: no column {' or '.join(COLUMNS['recipient'])}")
        for cells in reader:
            row: dict[str, Any] = {n: c.strip() for n, c in zip(head, cells, strict=False) if n and c.strip()}
            if "planned_at" in row:
                row["planned_at"] = moment(row["planned_at"], reader.line_num)
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise BadSheetError(f"line {reader.line_num}: {error}") from None


def moment(text: str, line: int) -> int:
    """A time (ms) as it is written: ms, or ISO (UTC+8 where it names no zone)."""
    try:
        return int(text) if text.isdigit() else instant(text)
    except ValueError:
        raise BadSheetError(f"line {line}: {text!r} is no time") from None


def _column(name: str) -> str | None:
    wanted = name.strip().lower()
    return next((column for column, names in COLUMNS.items() if wanted in names), None)


def merged(answers: Sequence[CheckAnswer]) -> CheckAnswer:
    """Several answers as one: the first, with everything that can be added up; at least one."""
    verdicts, by = Counter[str](), Counter[str]()
    rules: dict[str, CheckedRule] = {}
    for answer in answers:
        verdicts.update(msgspec.structs.asdict(answer.sum))
        by.update(answer.by)
        for rule in answer.rules:
            known = rules.get(rule.rule)
            rules[rule.rule] = rule if known is None else _added(known, rule)
    return replace(
        answers[0],
        complete=all(answer.complete for answer in answers),
        asked=sum(answer.asked for answer in answers),
        by=dict(by),
        sum=CheckSum(**verdicts),
        rules=sorted(rules.values(), key=lambda each: (-each.flagged, each.rule)),
        recipients=sorted((each for answer in answers for each in answer.recipients), key=lambda each: each.n),
        left_out=sum(answer.left_out for answer in answers),
        notes=list({note.en: note for answer in answers for note in answer.notes}.values()),
    )


def _added(one: CheckedRule, other: CheckedRule) -> CheckedRule:
    undecided = dict(Counter(one.undecided) + Counter(other.undecided))
    return replace(one, flagged=one.flagged + other.flagged, undecided=undecided, unknown=one.unknown + other.unknown)


def renumbered(answer: CheckAnswer, rows: Sequence[int]) -> CheckAnswer:
    """The answer with the lines of the file for numbers."""
    return replace(answer, recipients=[replace(each, n=rows[each.n]) for each in answer.recipients])
