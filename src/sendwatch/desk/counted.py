"""What the aggregator has counted, as the answers of the API tell it.

Belongs here: asking the board, and naming what it says. Not here: counting (`windows/`), flags, breaches and what
people decided (`page_of.py`). Every function takes the board as it stands and looks at nothing else.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sendwatch.desk.say_counts import (
    Complained,
    ComplaintDay,
    Complaints,
    Counted,
    Counts,
    Coverage,
    Covered,
    Level,
    OneSeries,
    Optouts,
    PromotionView,
    RuleCount,
    Series,
    TopList,
    Vane,
)
from sendwatch.windows import asked, vane
from sendwatch.windows.b3_complaint_rate import MILLION
from sendwatch.windows.board import WINDOWS
from sendwatch.windows.limits import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.desk.named import Named
    from sendwatch.desk.say_counts import Family, Name, Window
    from sendwatch.windows.board import Board
    from sendwatch.windows.limits import Promotion
    from sendwatch.windows.lines import Subject

UTC_PLUS_8 = 8 * HOUR
MONTH_HOURS = 720
LENGTH = 10
TOPS: tuple[Family, ...] = ("owner", "signature", "port", "sp")


def totals(board: Board) -> dict[str, Counts]:
    """Counts of all sends by window; the minutes of short windows know no complaints."""
    windows: tuple[Window, ...] = ("10m", "1h", "1d", "30d")
    return {window: _counts(asked.total(board, "all", (), window)) for window in windows}


def coverage(board: Board) -> dict[str, float | None]:
    """The share of sends that every rule decided, by window."""
    return {window: asked.coverage(board, window) for window in ("10m", "1h", "1d", "30d")}


def rules(board: Board, names: Named, window: Window) -> list[RuleCount]:
    """Net flags by rule, over the whole clock hours of a window; as the catalogue has them."""
    lately, month = by_rule(board, hours_of(window)), by_rule(board, MONTH_HOURS)
    return [
        RuleCount(rule.id, rule.title, rule.severity, rule.mode, lately[rule.id], month[rule.id])
        for rule in names.rules.values()
        if not rule.windowed
    ]


def by_rule(board: Board, hours: int) -> Counter[str]:
    """Net flags by rule over so many clock hours."""
    found = Counter[str]()
    for subject in board.rules.rows:
        found[subject[0] or ""] += board.rules.sum(subject, "flags", board.now, hours)
    return found


def hours_of(window: Window) -> int:
    """How many clock hours a window is, at least one."""
    width, buckets = WINDOWS[window]
    return max(1, width * buckets // HOUR)


def every(board: Board, names: Named, family: Family, window: Window) -> list[Counted]:
    """All subjects of a small family that sent anything, most sends first."""
    table, _ = asked.table_of(board, family, window)
    sums = (asked.total(board, family, subject, window) for subject in list(table.rows))
    some = sorted((each for each in sums if each.sends), key=lambda each: (-each.sends, repr(each.subject)))
    return [_counted(each, names, family) for each in some]


def top(board: Board, names: Named, family: Family, by: Name, window: Window, length: int) -> TopList:
    """The subjects of a family with the most."""
    found = asked.offenders(board, family, window, length, by)
    return TopList(board.now, window, family, by, [_counted(each, names, family) for each in found])


def series(board: Board, window: Window, family: Family = "all", subject: Subject = ()) -> Series:
    """All four counts over a window."""
    lines = [
        asked.series(board, family, subject, name, window) for name in ("sends", "flagged", "undecided", "complaints")
    ]
    since, until, width = _span(board, window)
    return Series(window, width, since, until, *lines)


def one_series(board: Board, family: Family, subject: str | None, name: Name, window: Window) -> OneSeries:
    """One count of one subject over a window."""
    key: Subject = () if family == "all" else (subject,)
    since, until, width = _span(board, window)
    points = asked.series(board, family, key, name, window)
    return OneSeries(board.now, family, subject, window, width, since, until, name, points)


def covered(board: Board, names: Named, family: Family, window: Window) -> Coverage:
    """Coverage of every subject of a family, the least covered first."""
    found = [
        Covered(each.subject, each.name, each.sends, each.undecided, _share(each.undecided, each.sends))
        for each in every(board, names, family, window)
    ]
    found.sort(key=lambda each: (each.coverage if each.coverage is not None else 1.0, -each.sends))
    return Coverage(board.now, window, asked.coverage(board, window), found)


def optouts(board: Board, names: Named) -> Optouts:
    """How refusals were heeded in 30 days. A share is told by reports only: they know which refusal a send ignored."""
    flags = by_rule(board, MONTH_HOURS)
    refusals = board.hours["all"].sum((), "refusals", board.now, MONTH_HOURS)
    after, ignored = flags[asked.AFTER_OPT_OUT], flags[asked.IGNORED]
    levels = [
        Level(each.owner, names.owner(each.owner), each.refusals, each.after_opt_out, each.ignored)
        for each in asked.service_level(board, LENGTH)
    ]
    return Optouts(refusals, after, ignored, levels)


def complaints(board: Board, names: Named, promotions: Sequence[Promotion]) -> Complaints:
    """The trend of complaints against the limit, and who is nearest to it."""
    whole = asked.total(board, "all", (), "30d")
    near = [
        PromotionView(each.name, each.since, each.until)
        for each in promotions
        if each.until > board.now - 30 * DAY and each.since < board.now + 30 * DAY
    ]
    limits = board.limits
    return Complaints(
        per_million=_per_million(whole.complaints, whole.sends),
        limit_per_million=limits.complaints_per_million,
        least=limits.complaints,
        bucket_ms=DAY,
        days=_days(board),
        worst=_worst(board, names),
        by_type={kind or "": count for kind, count in vane.by_industry(board).items()},
        promotions=near,
    )


def budding(board: Board, promotions: Sequence[Promotion]) -> Vane:
    """The weather vane (风向标)."""
    hours, now = board.hours, board.now
    return Vane(
        vane.rising(hours["owner"], "complaints", now, promotions, per_send=True)[:LENGTH],
        vane.rising(hours["owner"], "sends", now, promotions)[:LENGTH],
        vane.new(hours["signature"], now)[:LENGTH],
        vane.new(hours["port"], now)[:LENGTH],
    )


def left_out(board: Board) -> dict[str, int]:
    """What there was no room to count by itself, by table."""
    return {name: table.left_out for name, table in board.tables().items() if table.left_out}


def _days(board: Board) -> list[ComplaintDay]:
    """By day of UTC+8, whole hours added up."""
    sums: dict[int, list[int]] = {}
    for number, name in enumerate(("complaints", "sends")):
        for at, count in asked.series(board, "all", (), name, "30d"):
            day = (at + UTC_PLUS_8) // DAY * DAY - UTC_PLUS_8
            sums.setdefault(day, [0, 0])[number] += count
    return [ComplaintDay(day, found, sends, _per_million(found, sends)) for day, (found, sends) in sorted(sums.items())]


def _worst(board: Board, names: Named) -> list[Complained]:
    """The (owner, port) nearest to the limit of B3, or beyond it."""
    measured = [(pair, board.measure_pair(pair)) for pair in board.pairs_complained_of()]
    measured.sort(key=lambda each: (-each[1].level, repr(each[0])))
    worst = []
    for (owner, port), measure in measured[:LENGTH]:
        found, sends = int(measure.measures["complaints"]), int(measure.measures["sends"])
        if not found:
            continue
        bound = float(measure.measures["lower_bound_per_million"])
        rate, level = _per_million(found, sends), round(measure.level, 4)
        worst.append(Complained(owner, names.owner(owner), port or "", found, sends, rate, bound, level))
    return worst


def _span(board: Board, window: Window) -> tuple[int, int, int]:
    """First moment, last moment (excluded) and width of the buckets of a window."""
    width, buckets = WINDOWS[window]
    last = board.now // width
    return (last - buckets + 1) * width, (last + 1) * width, width


def _counted(each: asked.Sum, names: Named, family: Family) -> Counted:
    subject = each.subject[0] if each.subject else None
    name = names.of(family, subject)
    return Counted(subject, name, each.sends, each.flagged, each.undecided, each.complaints)


def _counts(each: asked.Sum) -> Counts:
    return Counts(each.sends, each.flagged, each.undecided, each.complaints)


def _share(undecided: int, sends: int) -> float | None:
    return 1 - undecided / sends if sends else None


def _per_million(found: int, sends: int) -> float:
    return round(found / max(sends, 1) * MILLION, 4) if found else 0.0
