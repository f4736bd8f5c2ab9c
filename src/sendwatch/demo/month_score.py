"""How a month ended: breaches against those planted, sums against a count from the topics alone.

Belongs here: holding one against the other. Not here: the count (`recount.py`), how it is shown (`month_show.py`).

The sums are those that the aggregator itself had stored when it stopped, killed or not on the way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.aggregator.breaches import add_up, folding_of
from sendwatch.audit.terms import terms_of
from sendwatch.days import HOUR
from sendwatch.demo.recount import everything, recount, sums_of
from sendwatch.engine.limits import limits_of
from sendwatch.engine.store import RocksShared, RocksStore
from sendwatch.outgoing import read_breach
from sendwatch.text.links import fingerprint
from sendwatch.windows.board import HOURS_KEPT, LANE_HOURS, Board
from sendwatch.windows.drift import by_filings, drift

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sendwatch.demo.recount import Sum
    from sendwatch.demo.stage import Stage
    from sendwatch.outgoing import BreachEvent
    from sendwatch.settings import Settings
    from sendwatch.simulate.month import Month
    from sendwatch.simulate.month_sheet import Planted

About = tuple[str, tuple[tuple[str, str | None], ...]]
"""A rule, and the fields of its subject by name."""
CACHE_MB = 16
EXAMPLES = 10


class Ran(Struct, frozen=True):
    """What ran, and for how long; `killed` are names of processes."""

    workers: int
    killed: list[str]
    seconds: float
    judged: int


class MonthScore(Struct, frozen=True):
    """How it compares. By rule: `planted`, `opened`, `closed`. In words: `missed` and the three after it.

    `drifts_missed`: planted ways of sending that nobody would see. `sums`: how many were counted anew, `totals` what
    they amount to, `differing` how many the aggregator has otherwise; `unfolded`: ledger records it did not get to.
    """

    ran: Ran
    planted: dict[str, int]
    opened: dict[str, int]
    closed: dict[str, int]
    missed: list[str]
    extra: list[str]
    not_closed: list[str]
    closed_too_often: list[str]
    drifts: int
    drifts_missed: list[str]
    sums: int
    totals: dict[str, int]
    differing: int
    examples: list[str]
    unfolded: int

    @property
    def good(self) -> bool:
        """Whether exactly the planted breaches opened and closed, and every sum is right."""
        wrong = (self.missed, self.extra, self.not_closed, self.closed_too_often, self.drifts_missed)
        return not any(wrong) and not self.differing and not self.unfolded and bool(self.sums)


async def score_of(month: Month, stage: Stage, store: Path, ran: Ran) -> MonthScore:
    """Hold a month that is over against the truth; `store`: where the aggregator, now stopped, kept its sums."""
    settings = stage.settings
    opened, closed = counted(read_breach(record.value) for record in await everything(settings, "breaches"))
    due = Counter(published(each, settings) for each in month.planted)
    due_closed = Counter(published(each, settings) for each in month.planted if each.closes)
    drifts, drifts_missed = await _drifts(month, settings)
    kept, positions, hour = _merged(settings, store)
    written = await everything(settings, "ledger")
    merged, expected = _lately(hour, kept), _lately(hour, await recount(settings, month.honeypots))
    differing = sorted((key for key in merged | expected if merged[key] != expected[key]), key=repr)
    return MonthScore(
        ran=ran,
        planted=_by_rule(due),
        opened=_by_rule(opened),
        closed=_by_rule(closed),
        missed=_in_words(due - opened),
        extra=_in_words(opened - due),
        not_closed=_in_words(due_closed - closed),
        closed_too_often=_in_words(closed - due_closed),
        drifts=drifts,
        drifts_missed=drifts_missed,
        sums=len(expected),
        totals=_totals(expected),
        differing=len(differing),
        examples=[f"{key}: {merged[key]}, not {expected[key]}" for key in differing[:EXAMPLES]],
        unfolded=sum(record.offset >= positions.get(record.partition, 0) for record in written),
    )


def published(planted: Planted, settings: Settings) -> About:
    """A planted breach under the names that are published."""
    subject: dict[str, str | None] = dict(planted.subject)
    if "recipient" in subject:
        subject["recipient"] = terms_of(settings).pseudonyms.token(planted.subject["recipient"])
    if "fingerprint" in subject:
        subject["fingerprint"] = fingerprint(planted.subject["fingerprint"])
    return planted.rule, tuple(sorted(subject.items()))


def counted(events: Iterable[BreachEvent]) -> tuple[Counter[About], Counter[About]]:
    """How often each subject's breaches opened, and closed: the last record of an id is what holds."""
    opened: Counter[About] = Counter()
    closed: Counter[About] = Counter()
    for event in {event.breach_id: event for event in events}.values():
        about = (event.rule, tuple(sorted(event.subject.items())))
        opened[about] += 1
        if event.status == "closed":
            closed[about] += 1
    return opened, closed


async def _drifts(month: Month, settings: Settings) -> tuple[int, list[str]]:
    """How many ways of sending are told to lie outside the filings, and which of the planted ones are not told."""
    added = await add_up(settings)
    lanes = [lane for lane in drift(added.board, by_filings(added.registry)) if lane.standing == "outside"]
    told = {(lane.signature, lane.port, lane.sp) for lane in lanes}
    missed = [way for way in month.drifts if (way.signature, way.port, way.sp) not in told]
    return len(lanes), [f"{way.signature} {way.port} {way.sp}" for way in missed]


def _merged(settings: Settings, path: Path) -> tuple[Counter[Sum], dict[int, int], int]:
    """What is stored there, up to which offset of each ledger partition, and the hour of the latest of it."""
    store = RocksStore(path, RocksShared(CACHE_MB, CACHE_MB))
    try:
        folding = folding_of(settings)(Board(limits_of(settings)), store)
        board, positions = folding.board, {number: place.next for number, place in folding.places.items()}
        return sums_of(board), positions, board.now // HOUR
    finally:
        store.close()


def _lately(now: int, sums: Counter[Sum]) -> Counter[Sum]:
    """Those of the hours that are kept and told apart, at this hour."""
    reach = {"lanes": LANE_HOURS}
    return Counter({key: count for key, count in sums.items() if key[-1] > now - reach.get(key[0], HOURS_KEPT)})


def _by_rule(abouts: Counter[About]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (rule, _), count in abouts.items():
        counts[rule] += count
    return dict(sorted(counts.items()))


def _in_words(abouts: Counter[About]) -> list[str]:
    """One line a subject, and how often where that is more than once."""
    lines = []
    for (rule, subject), count in sorted(abouts.items(), key=repr):
        fields = " ".join(f"{name} {value}" for name, value in subject)
        lines.append(f"{rule} {fields}" + (f" ({count} times)" if count > 1 else ""))
    return lines


def _totals(sums: Counter[Sum]) -> dict[str, int]:
    """What was counted over everything, by what it is."""
    totals: Counter[str] = Counter()
    for (table, _, what, _), count in sums.items():
        if table in {"h.all", "harvest"}:
            totals[what] += count
    return dict(sorted(totals.items()))
