"""What was counted, as it goes out: the summary, top lists, series, coverage, health.

Belongs here: shapes. Not here: filling them (`counted.py`). Times are ms since 1970 UTC; the clock of `at` and of all
windows is event time, that of `wall_at` and `judged_at` is the wall's.
"""

# ruff: noqa: TC001 - msgspec reads the annotations

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sendwatch.desk.say import BreachView, Brief, Disposition, Precision
from sendwatch.verdict import Words
from sendwatch.windows.vane import New, Rise

Window = Literal["10m", "1h", "1d", "30d"]
Behind = Literal["kafka", "registries", "published", "books"]
Family = Literal["all", "owner", "signature", "port", "sp", "carrier", "province", "type"]
Name = Literal["sends", "flagged", "undecided", "complaints"]


class Counts(Struct, frozen=True):
    """Counts over a window."""

    sends: int = 0
    flagged: int = 0
    undecided: int = 0
    complaints: int = 0


class Counted(Struct, frozen=True):
    """One subject's counts over a window; `name` where one is known."""

    subject: str | None
    name: Words | None
    sends: int
    flagged: int
    undecided: int
    complaints: int


class RuleCount(Struct, frozen=True):
    """A rule's net flags over the window, and over 30 days (whole hours)."""

    rule: str
    title: Words
    severity: str
    mode: str
    flags: int
    flags_30d: int


class Series(Struct, frozen=True):
    """Start of bucket and count; empty buckets are left out."""

    window: Window
    bucket_ms: int
    since: int
    until: int
    sends: list[tuple[int, int]]
    flagged: list[tuple[int, int]]
    undecided: list[tuple[int, int]]
    complaints: list[tuple[int, int]]


class Level(Struct, frozen=True):
    """How an owner heeded refusals in 30 days."""

    owner: str | None
    name: Words | None
    refusals: int
    after_opt_out: int
    ignored: int


class Optouts(Struct, frozen=True):
    """How refusals were heeded in 30 days: those by reply; sends after any refusal; those 48 h after a reply."""

    refusals: int
    after_opt_out: int
    ignored: int
    owners: list[Level]


class ComplaintDay(Struct, frozen=True):
    """Complaints and sends of a day (UTC+8)."""

    at: int
    complaints: int
    sends: int
    per_million: float


class Complained(Struct, frozen=True):
    """Complaints about an owner on a port in 30 days; `level` 1 is the limit of B3."""

    owner: str | None
    name: Words | None
    port: str
    complaints: int
    sends: int
    per_million: float
    lower_bound: float
    level: float


class PromotionView(Struct, frozen=True):
    """A time in which much more is sent."""

    name: str
    since: int
    until: int


class Complaints(Struct, frozen=True):
    """The trend against the limit."""

    per_million: float
    limit_per_million: float
    least: int
    bucket_ms: int
    days: list[ComplaintDay]
    worst: list[Complained]
    by_type: dict[str, int]
    promotions: list[PromotionView]


class Vane(Struct, frozen=True):
    """What is budding."""

    rising_complaints: list[Rise]
    rising_sends: list[Rise]
    new_signatures: list[New]
    new_ports: list[New]


class Breached(Struct, frozen=True):
    """Open breaches, and how many by rule."""

    open: list[BreachView]
    by_rule: dict[str, int]


class Disposed(Struct, frozen=True):
    """Dispositions that hold, by action, and the latest."""

    by_action: dict[str, int]
    latest: list[Disposition]


class Rates(Struct, frozen=True):
    """Per second of wall clock, over the last ten."""

    sends: float = 0.0
    facts: float = 0.0
    flags: float = 0.0


class WorkerView(Struct, frozen=True):
    """A worker, as it answers."""

    address: str
    name: str
    partitions: list[int]
    ready: bool


class Corrections(Struct, frozen=True):
    """Among the flags at hand: raised by a late fact, cleared."""

    raised_late: int = 0
    cleared: int = 0


class Health(Struct, frozen=True):
    """How the pipeline does. `lag`: sends that are not judged yet; `ledger_lag`: records that are not added up yet.
    `behind`: what has not caught up since the process began.
    """

    ready: bool
    partitions: int
    lag: int
    ledger_lag: int
    judged_at: int | None
    event_at: int | None
    corrections: Corrections
    flags_kept: int
    flags_read: bool
    workers: list[WorkerView]
    left_out: dict[str, int]
    behind: list[Behind] = []


class Summary(Struct, frozen=True):
    """What the page needs in one call. `counting` False: another process adds up, and there are no counts here."""

    at: int
    wall_at: int
    version: str
    window: Window
    counting: bool
    rates: Rates
    totals: dict[str, Counts]
    coverage: dict[str, float | None]
    rules: list[RuleCount]
    carriers: list[Counted]
    provinces: list[Counted]
    types: list[Counted]
    top: dict[str, list[Counted]]
    series: Series
    live: Series
    breaches: Breached
    optouts: Optouts
    complaints: Complaints
    vane: Vane
    latest: list[Brief]
    dispositions: Disposed
    precision: list[Precision]
    health: Health


class Pulse(Struct, frozen=True):
    """What is pushed each second."""

    at: int
    wall_at: int
    counting: bool
    rates: Rates
    totals: dict[str, Counts]
    coverage: dict[str, float | None]
    health: Health
    open_breaches: dict[str, int]
    flags_by_rule_1d: dict[str, int]


class Hello(Struct, frozen=True):
    """The first event of a stream."""

    version: str
    at: int
    wall_at: int
    open: bool
    counting: bool


class Some(Struct, frozen=True):
    """Flags that are pushed; `left_out`: how many more there were."""

    flags: list[Brief]
    left_out: int


class TopList(Struct, frozen=True):
    """The subjects of a family with the most."""

    at: int
    window: Window
    family: Family
    by: Name
    subjects: list[Counted]


class OneSeries(Struct, frozen=True):
    """One count of one subject over a window."""

    at: int
    family: Family
    subject: str | None
    window: Window
    bucket_ms: int
    since: int
    until: int
    name: Name
    points: list[tuple[int, int]]


class Covered(Struct, frozen=True):
    """The share of a subject's sends that every rule decided."""

    subject: str | None
    name: Words | None
    sends: int
    undecided: int
    coverage: float | None


class Coverage(Struct, frozen=True):
    """Coverage of all, and by subject, the least covered first."""

    at: int
    window: Window
    all: float | None
    subjects: list[Covered]
