"""What was added up, as lines and as JSON: open breaches, top lists, what is budding, in both languages.

Belongs here: the order and the words. Not here: any number (`windows/`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch.correlation import id_of
from sendwatch.metric_table import MOST_TOP
from sendwatch.outgoing import breach_event
from sendwatch.windows import asked, vane
from sendwatch.windows.drift import drift
from sendwatch.windows.outbreaks import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sendwatch.windows.board import Board
    from sendwatch.windows.breach import Breach
    from sendwatch.windows.limits import Promotion
    from sendwatch.windows.lines import Subject
    from sendwatch.windows.top import Ranked

BY_ID = {rule.id: rule for rule in RULES}
UTC_PLUS_8 = timedelta(hours=8)
LENGTH = 10


def as_json(
    board: Board, covered: Callable[[Subject, int], bool | None], promotions: Sequence[Promotion], key: bytes = b""
) -> Any:
    """Everything, as plain values; `key` makes the ids under which dashboards show the same."""
    hours, now = board.hours, board.now
    answer = {
        "at": now,
        "open": [breach_event(breach) for breach in _in_order(board)],
        "offenders": {family: asked.offenders(board, family, "1d", LENGTH) for family in ("owner", "sp", "port")},
        "flagged": asked.flagged_lately(board, LENGTH),
        "complained_of": asked.offenders(board, "owner", "30d", LENGTH, by="complaints"),
        "complaints_by_type": {kind or "": count for kind, count in vane.by_industry(board).items()},
        "finance_share_of_sends": vane.share_of(board, "sends"),
        "finance_share_of_complaints": vane.share_of(board, "complaints"),
        "rising_complaints": vane.rising(hours["owner"], "complaints", now, promotions, per_send=True)[:LENGTH],
        "rising_sends": vane.rising(hours["owner"], "sends", now, promotions)[:LENGTH],
        "new_signatures": vane.new(hours["signature"], now)[:LENGTH],
        "new_ports": vane.new(hours["port"], now)[:LENGTH],
        "drift": drift(board, covered)[:LENGTH],
        "service_level": asked.service_level(board, LENGTH),
        "dashboard_ids": _dashboard_ids(board, key),
        "coverage": {window: asked.coverage(board, window) for window in ("1h", "1d", "30d")},
        "left_out": {
            **{name: table.left_out for name, table in board.tables().items() if table.left_out},
            "copies": board.copies_left_out + board.outbreaks.left_out,
            "reports_unmatched": board.unmatched,
        },
    }
    return msgspec.to_builtins(answer)


def as_lines(
    board: Board, covered: Callable[[Subject, int], bool | None], promotions: Sequence[Promotion], key: bytes = b""
) -> Iterator[str]:
    """The same for people, shortened."""
    yield f"as of {_time(board.now)}"
    breaches = _in_order(board)
    yield f"\nopen breaches 未关闭的超限事件: {len(breaches)}"
    for breach in breaches:
        yield f"  {_time(breach.opened_at)}  {breach.rule}  {_subject(breach)}"
        words = BY_ID[breach.rule].reason_of(breach.subject, breach.measures)
        yield f"      {words.en}"
        yield f"      {words.zh}"
        yield f"      breach 事件号 {breach.id}"
    yield from _listed("most flags in a day 一日内违规最多", asked.offenders(board, "owner", "1d", LENGTH), _sum)
    yield from _listed("most complaints in 30 days 30 日内投诉最多", _complained(board), _sum)
    flagged = [(each, key) for each in asked.flagged_lately(board, LENGTH)]
    yield from _listed("most flags in a day, as on dashboards 一日内违规最多（看板编号）", flagged, _ranked)
    rises = vane.rising(board.hours["owner"], "complaints", board.now, promotions, per_send=True)
    yield from _listed("complaints rising 投诉上升", rises[:LENGTH], _rise)
    sends = vane.rising(board.hours["owner"], "sends", board.now, promotions)
    yield from _listed("sends rising 发送量上升", sends[:LENGTH], _rise)
    yield from _listed("new signatures 新出现的签名", vane.new(board.hours["signature"], board.now)[:LENGTH], _new)
    yield from _listed("new ports 新出现的端口", vane.new(board.hours["port"], board.now)[:LENGTH], _new)
    yield from _listed("outside what is filed, or new 超出报备范围或新出现", drift(board, covered)[:LENGTH], _lane)
    yield from _listed("sent after a refusal 拒收后仍发送", asked.service_level(board, LENGTH), _level)
    coverage = asked.coverage(board, "1d")
    yield f"\ncoverage of a day 一日覆盖率: {'–' if coverage is None else f'{coverage:.2%}'}"


def _complained(board: Board) -> list[asked.Sum]:
    return asked.offenders(board, "owner", "30d", LENGTH, by="complaints")


def _in_order(board: Board) -> list[Breach]:
    return sorted(board.outbreaks.open.values(), key=lambda breach: (breach.opened_at, breach.rule, breach.id))


def _listed(title: str, items: Sequence[Any], line: Callable[[Any], str]) -> Iterator[str]:
    if items:
        yield f"\n{title}"
        yield from (f"  {line(item)}" for item in items)


def _named(subject: Sequence[str | None]) -> str:
    return " / ".join("–" if part is None else part for part in subject)


def _subject(breach: Breach) -> str:
    return "  ".join(f"{name} {'–' if value is None else value}" for name, value in breach.subject.items())


def _sum(one: asked.Sum) -> str:
    return f"{_named(one.subject)}: {one.sends} sends, {one.flagged} flags, {one.complaints} complaints"


def _ranked(one: tuple[Ranked, bytes]) -> str:
    ranked, key = one
    ids = " / ".join(id_of(key, part) or "–" for part in ranked.subject)
    return f"{_named(ranked.subject)}: {ranked.count} flags  [{ids}]"


def _dashboard_ids(board: Board, key: bytes) -> dict[str, str]:
    """The names behind the ids in the labels of open breaches and top lists."""
    told = [breach.subject.values() for breach in _in_order(board)]
    names = {part for values in told for part in values}
    names |= {part for ranked in asked.flagged_lately(board, MOST_TOP) for part in ranked.subject}
    return {id_of(key, name): name for name in sorted(names - {None}, key=str) if name}


def _rise(one: vane.Rise) -> str:
    promotion = f" ({one.promotion})" if one.promotion else ""
    return f"{_named(one.subject)}: {one.count} in an hour, {one.expected:g} expected{promotion}"


def _new(one: vane.New) -> str:
    return f"{_named(one.subject)}: since {_time(one.first_seen)}, {one.sends} sends"


def _lane(one: Any) -> str:
    lane = (one.signature, one.port, one.sp, one.type, one.province)
    return f"{_named(lane)}: {one.standing}, {one.sends} sends in a day, {one.before:g} a day before"


def _level(one: asked.ServiceLevel) -> str:
    told = f"{one.refusals} refusals, {one.after_opt_out} sends after one, {one.ignored} of them 48 h after a reply"
    return f"{'–' if one.owner is None else one.owner}: {told}"


def _time(at: int) -> str:
    return (datetime.fromtimestamp(at / 1000, UTC) + UTC_PLUS_8).strftime("%Y-%m-%d %H:%M")
