"""What a stage report is about: which time, whose, for whom, and what it is held against.

Belongs here: from what was asked to spans of time. Pure. Not here: the calendar (`policy.py`, `keeping.py`), counting
(`stage_tally.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sendwatch.days import DAY, iso_date, local_day
from sendwatch.keeping import Stage

if TYPE_CHECKING:
    from sendwatch.settings import Settings

Audience = Literal["all", "owner", "regulator"]
Role = Literal["this", "stage", "campaign", "before"]


class NoSuchStageError(Exception):
    """The calendar has no such campaign or stage; the message says which it has."""


class Span(Struct, frozen=True):
    """A time from `since` to before `until` (ms), and what it is: `role` among the others of a report."""

    role: Role
    name: str
    since: int
    until: int

    @property
    def days(self) -> list[str]:
        """Its days in UTC+8, as ISO dates."""
        return [iso_date(day) for day in range(local_day(self.since), local_day(self.until - 1) + 1)]


class Scope(Struct, frozen=True):
    """A report: of `spans[0]`, held against the others; of one owner, or of all (None)."""

    spans: tuple[Span, ...]
    owner: str | None = None
    audience: Audience = "all"

    @property
    def span(self) -> Span:
        """What it is of."""
        return self.spans[0]


def spans_of_range(since: int, until: int) -> tuple[Span, ...]:
    """A free range, held against the one of the same length before it."""
    return Span("this", "", since, until), Span("before", "", since - (until - since), since)


def spans_of_campaign(settings: Settings, campaign: str, stage: str | None, now: int) -> tuple[Span, ...]:
    """A campaign or a stage of it, the latest that had begun by `now` (ms), held against the last ones before it.

    Against the stage before it, of whatever campaign, and the last campaign that had ended. Raises NoSuchStageError.
    """
    campaigns = _campaigns(settings, now)
    stages = settings.reports.calendar(now)
    found = [each for each in campaigns if each.campaign == campaign and each.since <= now]
    if stage is not None:
        found = [each for each in stages if (each.campaign, each.name) == (campaign, stage) and each.since <= now]
    if not found:
        raise NoSuchStageError(_missing(settings, campaign, stage))
    this = found[-1]
    spans = [Span("this", _name(this), this.since, this.until)]
    around = (each.since for each in campaigns if each.campaign == campaign and each.since <= this.since < each.until)
    began = this.since if stage is None else min(this.since, next(around, this.since))
    before = [each for each in stages if each.until <= this.since]
    if stage is not None and before:
        last = max(before, key=lambda each: each.until)
        spans.append(Span("stage", _name(last), last.since, last.until))
    ended = [each for each in campaigns if each.until <= began]
    if ended:
        last = max(ended, key=lambda each: each.until)
        spans.append(Span("campaign", _name(last), last.since, last.until))
    return tuple(spans)


def _campaigns(settings: Settings, now: int) -> list[Stage]:
    """Every campaign as a stage of its own: of the promotions, or as long as its stages where it is none of these."""
    found = [Stage(each.name, "", each.since, each.until) for each in settings.breaches.calendar(now)]
    known = {each.campaign for each in found}
    whole: list[Stage] = []
    for each in settings.reports.calendar(now):
        if each.campaign in known:
            continue
        near = next((one for one in whole if one.campaign == each.campaign and each.since - one.until < 60 * DAY), None)
        if near is not None:
            whole.remove(near)
        since = near.since if near is not None else each.since
        whole.append(Stage(each.campaign, "", since, max(each.until, near.until if near is not None else 0)))
    return sorted([*found, *whole], key=lambda each: each.since)


def _name(stage: Stage) -> str:
    named = f"{stage.campaign} {stage.name}".strip()
    return f"{named} · {stage.title}" if stage.title else named


def _missing(settings: Settings, campaign: str, stage: str | None) -> str:
    names = sorted({each.rpartition(" ")[0] for each in settings.breaches.promotions})
    stages = [" ".join(each.split(" ")[:2]) for each in settings.reports.stages]
    wanted = campaign if stage is None else f"{campaign} {stage}"
    return (
        f"the calendar has no {wanted} that has begun: its campaigns are {', '.join(names)} (breaches.promotions), "
        f"its stages {', '.join(stages)} (reports.stages)"
    )
