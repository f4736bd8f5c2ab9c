"""Answers to those who look: each handler takes a call and gives an answer, as `routes.py` lists them.

Belongs here: putting an answer together from what is at hand and what is counted. Not here: HTTP (`routes.py`,
`gate.py`), deciding and checking (`acting.py`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from msgspec import Struct

from sendwatch import __version__
from sendwatch.desk import counted
from sendwatch.desk.archived import flag_of
from sendwatch.desk.dispositions import as_toml, day_of
from sendwatch.desk.explaining import NoSuchSendError, explained
from sendwatch.desk.flags import Wanted
from sendwatch.desk.gate import RefusedError
from sendwatch.desk.health import wall
from sendwatch.desk.say import (
    BreachPage,
    DispositionPage,
    ExceptionTable,
    Explanation,
    FlagPage,
    Look,
    Looks,
    Me,
    PrecisionTable,
    RuleView,
    WholeFlag,
)
from sendwatch.desk.say_counts import (
    Breached,
    Complaints,
    Counts,
    Coverage,
    Disposed,
    OneSeries,
    Optouts,
    Series,
    Summary,
    TopList,
    Vane,
)
from sendwatch.engine.explain import CannotExplainError
from sendwatch.verdict import Words

if TYPE_CHECKING:
    from sendwatch.desk.access import Who
    from sendwatch.desk.ask import (
        Line,
        OfFlag,
        OfSend,
        Ranking,
        Recent,
        Share,
        SomeBreaches,
        SomeDispositions,
        SomeFlags,
        Windowed,
    )
    from sendwatch.desk.say_counts import Window
    from sendwatch.desk.server import Desk
    from sendwatch.windows.board import Board

log = logging.getLogger("sendwatch.desk")

LATEST, LATEST_DISPOSITIONS = 20, 5
PRECISION_WORDS = Words(
    "of the flags and breaches that people have judged; low and high: the 95 % interval (Wilson)",
    "仅统计已人工处置者；low 与 high 为 95% 区间（Wilson）",
)


class Call(Struct, frozen=True):
    """One request that was let in: who asks, the parameters, the body."""

    desk: Desk
    who: Who
    ask: Any
    body: Any = None


async def me(call: Call) -> Me:
    """Who asks."""
    who = call.who
    return Me(who.name, who.role, who.open, who.expires_at)


async def flags(call: Call) -> FlagPage:
    """Net flags."""
    ask: SomeFlags = call.ask
    hand = call.desk.at_hand
    filters = (ask.rule, ask.severity, ask.owner, ask.sp, ask.port, ask.carrier, ask.province, ask.signature)
    wanted = Wanted(*filters, ask.status, ask.disposed, ask.since, ask.until)
    before = int(ask.cursor) if ask.cursor else None
    page, total, following = hand.flags.page(wanted, ask.limit, before, hand.dispositions.action_of)
    cursor = str(following) if following is not None else None
    return FlagPage([hand.brief(each) for each in page], total, cursor, hand.flags.most, hand.flags.oldest_at())


async def flag(call: Call) -> WholeFlag:
    """One flag with its evidence."""
    ask: OfFlag = call.ask
    held, archived = await flag_of(call.desk, ask.flag_id)
    note_look(call, Look(wall(), call.who.name, str(call.who.role), "flag", ask.flag_id))
    return call.desk.at_hand.whole(held, archived=archived)


async def explain(call: Call) -> Explanation:
    """Every rule's answer about one send."""
    ask: OfSend = call.ask
    desk = call.desk
    if (ask.flag is None) == (ask.source is None):
        raise RefusedError(400, "Name either a flag or a source.")
    if ask.flag is not None:
        held, _ = await flag_of(desk, ask.flag)
        topic, number, offset = held.event.source.topic, held.event.source.partition, held.event.source.offset
    else:
        topic, number_, offset_ = str(ask.source).rsplit(":", 2)
        number, offset = int(number_), int(offset_)
    if topic != desk.settings.topics.name("sends") or number >= desk.settings.topics.partitions:
        raise RefusedError(404, f"Sends are in {desk.settings.topics.name('sends')}.")
    source = f"{topic}:{number}:{offset}"
    note_look(call, Look(wall(), call.who.name, str(call.who.role), "explain", ask.flag, source))
    if desk.following is None:
        raise RefusedError(503, "Not connected to Kafka yet.", {"Retry-After": "5"})
    judging, past = desk.aggregator.judging, desk.following.past
    try:
        return await explained(desk.settings, judging, desk.workers, past, number, offset)
    except NoSuchSendError as error:
        raise RefusedError(404, str(error)) from None
    except CannotExplainError as error:
        raise RefusedError(422, f"{error}.") from None
    except (KafkaError, TimeoutError) as error:
        raise RefusedError(503, f"Kafka does not answer in time: {type(error).__name__}.") from error


def note_look(call: Call, look: Look) -> None:
    """Note in the log, and for administrators, that somebody looked; no number, no text."""
    call.desk.at_hand.looks.append(look)
    log.info(
        "evidence looked at",
        extra={
            "who": look.name, "role": look.role, "what": look.what, "flag_id": look.flag_id, "source": look.source,
        },
    )  # fmt: skip


async def breaches(call: Call) -> BreachPage:
    """Breaches."""
    ask: SomeBreaches = call.ask
    found = call.desk.at_hand.some_breaches(ask.status, ask.rule)
    return BreachPage(found[: ask.limit], len(found))


async def rules(call: Call) -> list[RuleView]:
    """The catalogue."""
    return list(call.desk.names.rules.values())


async def precision(call: Call) -> PrecisionTable:
    """How often people agreed with each rule."""
    titles = {rule.id: rule.title for rule in call.desk.names.rules.values()}
    return PrecisionTable(call.desk.at_hand.dispositions.precision(titles), PRECISION_WORDS)


async def exceptions(call: Call) -> ExceptionTable:
    """Whom people excepted."""
    found = call.desk.at_hand.exceptions(day_of(wall()))
    return ExceptionTable(found, as_toml(found))


async def dispositions(call: Call) -> DispositionPage:
    """What people decided."""
    ask: SomeDispositions = call.ask
    skip = int(ask.cursor) if ask.cursor else 0
    page, total, following = call.desk.at_hand.dispositions.page(ask.about, ask.action, ask.limit, skip)
    return DispositionPage(page, total, str(following) if following is not None else None)


async def looks(call: Call) -> Looks:
    """Who looked at evidence."""
    ask: Recent = call.ask
    return Looks(list(call.desk.at_hand.looks)[::-1][: ask.limit])


# -- what is counted --------------------------------------------------------------------------------------------


async def top(call: Call) -> TopList:
    """The subjects of a family with the most."""
    ask: Ranking = call.ask
    board, names = _board(call), call.desk.names
    key = f"top {ask.family} {ask.by} {ask.window} {ask.length}"
    return call.desk.kept(key, lambda: counted.top(board, names, ask.family, ask.by, ask.window, ask.length))


async def series(call: Call) -> OneSeries:
    """One count of one subject."""
    ask: Line = call.ask
    if (ask.family == "all") != (ask.subject is None):
        raise RefusedError(400, "A subject is needed for every family but all, and none for that.")
    return counted.one_series(_board(call), ask.family, ask.subject, ask.name, ask.window)


async def coverage(call: Call) -> Coverage:
    """What share of sends every rule decided."""
    ask: Share = call.ask
    board, names = _board(call), call.desk.names
    key = f"coverage {ask.family} {ask.window}"
    return call.desk.kept(key, lambda: counted.covered(board, names, ask.family, ask.window))


def _board(call: Call) -> Board:
    board = call.desk.board
    if board is None:
        raise RefusedError(503, "Another process adds up, or this one is only starting.", {"Retry-After": "5"})
    return board


async def summary(call: Call) -> Summary:
    """What the page needs in one call."""
    ask: Windowed = call.ask
    return call.desk.kept(f"summary {ask.window}", lambda: _summary(call.desk, ask.window))


def _summary(desk: Desk, window: Window) -> Summary:
    hand, board = desk.at_hand, desk.board
    latest = [hand.brief(each) for each, _ in zip(_raised(desk), range(LATEST), strict=False)]
    disposed = Disposed(hand.dispositions.by_action(), list(hand.dispositions.latest)[: -LATEST_DISPOSITIONS - 1 : -1])
    open_breaches = hand.some_breaches("open")
    by_rule = {rule.id: 0 for rule in desk.names.rules.values() if rule.windowed}
    for each in open_breaches:
        by_rule[each.rule] = by_rule.get(each.rule, 0) + 1
    return Summary(
        at=desk.now,
        wall_at=wall(),
        version=__version__,
        window=window,
        counting=board is not None,
        rates=desk.positions.rates(),
        **(_counts(desk, board, window) if board is not None else _no_counts(window)),
        breaches=Breached(open_breaches, by_rule),
        latest=latest,
        dispositions=disposed,
        precision=hand.dispositions.precision({rule.id: rule.title for rule in desk.names.rules.values()}),
        health=desk.health(),
    )


def _raised(desk: Desk) -> Any:
    return (each for each in desk.at_hand.flags.newest() if each.raised)


def _counts(desk: Desk, board: Board, window: Window) -> dict[str, Any]:
    names = desk.names
    promotions = desk.settings.breaches.calendar(board.now)
    return {
        "totals": counted.totals(board),
        "coverage": counted.coverage(board),
        "rules": counted.rules(board, names, window),
        "carriers": counted.every(board, names, "carrier", window),
        "provinces": counted.every(board, names, "province", window),
        "types": counted.every(board, names, "type", window),
        "top": {
            family: counted.top(board, names, family, "flagged", window, counted.LENGTH).subjects
            for family in counted.TOPS
        },
        "series": counted.series(board, window),
        "live": counted.series(board, "1h"),
        "optouts": counted.optouts(board, names),
        "complaints": counted.complaints(board, names, promotions),
        "vane": counted.budding(board, promotions),
    }


def _no_counts(window: Window) -> dict[str, Any]:
    windows = ("10m", "1h", "1d", "30d")
    return {
        "totals": {each: Counts() for each in windows},
        "coverage": dict.fromkeys(windows),
        "rules": [],
        "carriers": [],
        "provinces": [],
        "types": [],
        "top": {family: [] for family in counted.TOPS},
        "series": Series(window, 0, 0, 0, [], [], [], []),
        "live": Series("1h", 0, 0, 0, [], [], [], []),
        "optouts": Optouts(0, 0, 0, []),
        "complaints": Complaints(0.0, 0.0, 0, 0, [], [], {}, []),
        "vane": Vane([], [], [], []),
    }
