"""A month with planted breaches: the same from the same seed, and exactly those open when it is added up."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest

import engine_builders
from engine_builders import Desk, Event, a_judging
from sendwatch.demo.month import lately
from sendwatch.demo.month_score import counted, published
from sendwatch.events import REGISTRIES, Filing
from sendwatch.outgoing import breach_event
from sendwatch.reader import Reader
from sendwatch.simulate.month import DAYS, LIMITS, START_AT, Month
from sendwatch.simulate.truth import DAY
from sendwatch.windows.alikes import Alikes
from sendwatch.windows.board import Board
from sendwatch.windows.drift import by_filings, drift
from sendwatch.windows.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.simulate import Message

BACKGROUND = 1500


def a_month(seed: int = 1) -> Month:
    """A small background, and every case."""
    return Month(seed, BACKGROUND, recipients=600, owners=60, partitions=1)


def limits_of(month: Month) -> Limits:
    """Those that the demo sets."""
    return Limits(
        complaints_per_million=float(LIMITS["breaches.complaints_per_million"]),
        few_sends=int(LIMITS["breaches.few_sends"]),
        honeypots=frozenset(month.honeypots),
    )


def events(messages: Iterable[Message]) -> list[Event]:
    """Messages as a desk takes them."""
    return [Event(each.kind, each.timestamp, each.key, each.value) for each in messages]


def names_in(rows: Iterable[Event]) -> Alikes:
    """The filed names of these rows."""
    alikes, read = Alikes(), Reader("signatures", recipient_form="number")
    for row in rows:
        filing = read(row.key, row.value, row.timestamp, Counter()) if row.kind == "signatures" else None
        if isinstance(filing, Filing):
            alikes.put(filing.id, filing)
    return alikes


@pytest.mark.parametrize(("seed", "at_once"), [(1, 150), (2, 700)])
def test_exactly_what_is_planted_opens_and_closes(monkeypatch: pytest.MonkeyPatch, seed: int, at_once: int) -> None:
    """However much is judged at once; the background, and what comes close to a limit, opens nothing."""
    monkeypatch.setattr(engine_builders, "NOW", START_AT + 60 * DAY)
    month = a_month(seed)
    facts, sends = events(month.facts()), events(month.sends())
    rows = [each for each in (*facts, *sends) if each.kind in REGISTRIES]
    desk = Desk(msgspec.structs.replace(a_judging(rows), limits=limits_of(month)))
    desk.write(*(each for each in facts if each.kind not in REGISTRIES)).work()
    board = Board(limits_of(month), names_in(rows).imitated)
    told, folded = [], 0
    batches = [sends[first : first + at_once] for first in range(0, len(sends), at_once)]
    for batch in (*batches, *(events(each) for each in month.epilogue())):
        desk.write(*(each for each in batch if each.kind not in REGISTRIES)).work()
        for record in desk.ledger[folded:]:
            board.fold(record)
            told += [breach_event(breach) for breach in board.settle()]
        folded = len(desk.ledger)
    opened, closed = counted(told)
    settings = engine_builders.SETTINGS
    assert opened == Counter(published(each, settings) for each in month.planted)
    assert closed == Counter(published(each, settings) for each in month.planted if each.closes)
    outside = [lane for lane in drift(board, by_filings(desk.judging.registry)) if lane.standing == "outside"]
    (way,) = month.drifts
    assert (outside[0].signature, outside[0].port) == (way.signature, way.port)
    assert outside[0].growth > 2
    assert len(month.planted) == 12


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Each time that it is iterated, too; another seed gives others."""
    month = a_month()
    first = [*month.facts(), *month.sends()]
    assert first == [*month.facts(), *month.sends()]
    again = a_month()
    assert first == [*again.facts(), *again.sends()]
    assert [list(each) for each in month.epilogue()] == [list(each) for each in again.epilogue()]
    assert first != [*a_month(2).facts(), *a_month(2).sends()]


def test_a_month_is_told_in_the_order_of_time() -> None:
    """All of it lies in its thirty days, but for the facts before."""
    sent = [each.timestamp for each in a_month().sends()]
    out_of_order = sum(later < before for before, later in pairwise(sent))
    assert out_of_order < 5
    assert START_AT <= min(sent) < max(sent) < START_AT + DAYS * DAY


def test_a_month_has_passed_whenever_it_is_told() -> None:
    """618's, where that is over; else it begins on an earlier Monday: what is in the future would not be counted."""
    assert lately(START_AT + 400 * DAY) == START_AT
    for days in (0, 5, 30):
        now = START_AT + days * DAY
        assert lately(now) + DAYS * DAY < now
        assert lately(now) > now - (DAYS + 9) * DAY
        assert (START_AT - lately(now)) % (7 * DAY) == 0
