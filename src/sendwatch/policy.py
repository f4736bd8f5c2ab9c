"""What a carrier may set about judging: times, hours, limits, how each rule is run, and who is exempt.

Belongs here: the sections `[judging]`, `[breaches]` and `[rules.…]` of the configuration, as typed values with
their defaults, their meaning, and what cannot be true of them together. Not here: reading them (`config.py`),
what a rule does with them (`rules/`). Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from sendwatch.days import stretch_of_days, years_around
from sendwatch.verdict import Mode, Severity
from sendwatch.windows.limits import HOUR, Limits, Promotion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Table = Literal["consents", "replies", "signatures", "ports", "letters", "templates", "owners"]
Hour = Annotated[int, Meta(ge=0, le=23)]
Days = Annotated[int, Meta(ge=-1, le=36_500)]
Fault = tuple[str, str]
"""A key of the section, and a sentence that says what is wrong with its value."""

utc_plus_8 = timedelta(hours=8)


class Judging(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers and lists that the contract leaves to the carrier. Hours and days are UTC+8."""

    window_hours: Annotated[
        int,
        Meta(
            ge=1,
            le=720,
            description="The correction window: a fact still counts when it arrives this long after the "
            "send's time. Longer corrects more, and keeps sends longer on disk.",
        ),
    ] = 72
    grace_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=604_800,
            description="How long after a refusal a commercial send is not yet held against its sender "
            "(C5). The law gives none; a minute covers clocks that differ and messages "
            "already on their way.",
        ),
    ] = 60
    quiet_from: Annotated[
        Hour,
        Meta(description="First hour of the night in which nothing commercial is sent (B1): common practice, no law."),
    ] = 22
    quiet_until: Annotated[
        Hour,
        Meta(description="First hour of the day after it. The same as quiet_from: there is no such night."),
    ] = 8
    hourly_limit: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Commercial sends of one owner to one recipient in an hour before B2 flags.",
        ),
    ] = 4
    pending_grace: Annotated[
        bool,
        Meta(
            description="Whether a signature whose filing is still pending passes G2. Carriers let "
            "signatures that were in use before filing was required go on meanwhile."
        ),
    ] = False
    holidays: Annotated[
        tuple[date, ...],
        Meta(
            description="Working days that are holidays, for the 3 working days in the evidence of C5: [2026-10-01, …]."
        ),
    ] = ()
    consent_requests: Annotated[
        tuple[str, ...],
        Meta(
            description="Regular expressions of texts that ask for consent (C7), beside the built-in "
            "ones: senders that ask in a wording of their own."
        ),
    ] = ()
    unconnected: Annotated[
        tuple[Table, ...],
        Meta(
            description="Tables that this installation does not have: consents, replies, signatures, "
            "ports, letters, templates, owners. Rules that need one of them answer undecided, "
            "never compliant."
        ),
    ] = ()

    @property
    def holiday_days(self) -> frozenset[str]:
        """The holidays as ISO dates."""
        return frozenset(day.isoformat() for day in self.holidays)

    def faults(self) -> Iterator[Fault]:
        """Patterns that are not regular expressions."""
        for number, pattern in enumerate(self.consent_requests):
            try:
                re.compile(pattern)
            except re.error as error:
                yield f"consent_requests.{number}", f"not a regular expression: {error}"


class Breaches(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When many sends together break a limit (B3 to B6), and who counts them. Hours are clock hours."""

    aggregate: Annotated[
        bool,
        Meta(
            description="Whether this process also stands ready to add up what all workers have judged. Of those that "
            "do, their group chooses one, and it does so for all. It costs part of a core: where many thousands are "
            "sent a second, run `sendwatch aggregate` beside the workers instead. It needs READ on the ledger and "
            "WRITE on the topic of breaches."
        ),
    ] = False
    rollups: Annotated[
        bool,
        Meta(
            description="Whether to add up rollups of the ledger, not the ledger itself: where one process is too "
            "small for it, any number of `sendwatch rollup` sum up some partitions each. The same for all processes. "
            "Without any `sendwatch rollup`, no breach is then told. When this changes, 30 days are added up anew."
        ),
    ] = False
    rollup_seconds: Annotated[
        float,
        Meta(
            ge=0.1,
            le=600,
            description="How often a `sendwatch rollup` hands on what it has: breaches come so much later. Longer "
            "is less to do for whoever adds up.",
        ),
    ] = 10.0
    complaints_per_million: Annotated[
        float,
        Meta(
            ge=0.001,
            le=1000,
            description="B3: complaints per million sends of an owner on a port in 30 days, as the exact 95 % lower "
            "bound.",
        ),
    ] = 0.25
    carrier_limits: Annotated[
        tuple[str, ...],
        Meta(
            description="What the alert on a whole carrier's complaints is held against, where it is not "
            'complaints_per_million: a carrier, and complaints per million sends in a day, as in "CMCC 0.5". It opens '
            "no breach."
        ),
    ] = ()
    complaints_least: Annotated[
        int, Meta(ge=1, le=1000, description="B3: fewer complaints than this prove nothing.")
    ] = 5
    few_sends: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000_000,
            description="B3: below this many sends in 10 days, that many complaints in those are enough.",
        ),
    ] = 100_000
    honeypots: Annotated[
        str | None,
        Meta(
            description="B4: a file of recipients that nobody can know but by guessing, one a line, as they stand in "
            "the sends. Keep it as you keep keys."
        ),
    ] = None
    reported_least: Annotated[
        int, Meta(ge=1, le=1_000_000, description="B4: fewer status reports than this in an hour prove nothing.")
    ] = 20
    undelivered_share: Annotated[
        float, Meta(ge=0.01, le=0.99, description="B4: more than this share of them not delivered.")
    ] = 0.5
    copies_least: Annotated[
        int, Meta(ge=2, le=64, description="B5: one text under this many signatures or ports in an hour.")
    ] = 5
    blocking_statuses: Annotated[
        tuple[str, ...], Meta(description="B6: what a status report says of a recipient who is blocked.")
    ] = ("MBBLACK", "BLACK", "REJECTD")
    blocked_least: Annotated[
        int, Meta(ge=1, le=100, description="B6: this many codes or service messages in a row, none delivered between.")
    ] = 2
    close_below: Annotated[
        float, Meta(ge=0.1, le=1, description="A breach closes below this part of its limit: less flaps less.")
    ] = 0.8
    hold_hours: Annotated[int, Meta(ge=1, le=720, description="And only when it has stayed there for so long.")] = 1
    promotions: Annotated[
        tuple[str, ...],
        Meta(
            description="Times of the year in which much more is sent than usual: a name, the first and the last day "
            "(UTC+8). A rise is told with the promotion that it lies in."
        ),
    ] = ("618 06-01..06-20", "双11 10-20..11-13", "双12 12-01..12-14", "年货节 01-01..02-10")

    def faults(self) -> Iterator[Fault]:
        """Promotions that are not a name and two days."""
        for number, promotion in enumerate(self.promotions):
            if not all(_promotion(promotion, year) for year in (2027, 2028)):
                yield f"promotions.{number}", 'expected a name and two days, as in "618 06-01..06-20"'
        for number, limit in enumerate(self.carrier_limits):
            if not carrier_limit.fullmatch(limit):
                yield f"carrier_limits.{number}", 'expected a carrier and a number above 0, as in "CMCC 0.5"'

    def limits_by_carrier(self) -> dict[str, float]:
        """Complaints per million sends in a day, of the carriers that have a limit of their own."""
        named = (each.rpartition(" ") for each in self.carrier_limits)
        return {carrier: float(limit) for carrier, _, limit in named}

    def calendar(self, around: int) -> tuple[Promotion, ...]:
        """The promotions of the year that `around` (ms) lies in, and of those beside it."""
        found = (_promotion(each, year) for year in years_around(around) for each in self.promotions)
        return tuple(each for each in found if each is not None)

    def limits(self, honeypots: Iterable[str] = ()) -> Limits:
        """The same in the units that the rules compute in."""
        return Limits(
            complaints=self.complaints_least,
            complaints_per_million=self.complaints_per_million,
            few_sends=self.few_sends,
            reported=self.reported_least,
            undelivered_share=self.undelivered_share,
            copies=self.copies_least,
            blocking=frozenset(self.blocking_statuses),
            blocked=self.blocked_least,
            close_below=self.close_below,
            hold=self.hold_hours * HOUR,
            honeypots=frozenset(honeypots),
        )


carrier_limit = re.compile(r"\S+ (?=[\d.]*[1-9])\d+(\.\d+)?")
promotion_form = re.compile(r"(\S+) (\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")


def _promotion(written: str, year: int) -> Promotion | None:
    """A promotion as it is written, in the year of its first day; None where it is not one."""
    found = promotion_form.fullmatch(written)
    if found is None:
        return None
    name, *days = found.groups()
    between = stretch_of_days(year, *days)
    return Promotion(name, *between) if between is not None else None


class Exemption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sender whom a rule spares for a while. Spared flags are counted as suppressed."""

    reason: Annotated[
        str,
        Meta(min_length=3, description="Why, in words that an auditor accepts: who agreed to it, and where."),
    ]
    until: Annotated[date, Meta(description="The last day on which it holds (UTC+8). Every exemption ends.")]
    owner: Annotated[str | None, Meta(description="The content owner (USCC) that is spared.")] = None
    signature: Annotated[str | None, Meta(description="The signature that is spared, without brackets.")] = None

    @property
    def ends_at(self) -> int:
        """The first millisecond (since 1970 UTC) of the day after its last."""
        midnight = datetime(self.until.year, self.until.month, self.until.day, tzinfo=UTC)
        return int((midnight + timedelta(days=1) - utc_plus_8).timestamp() * 1000)

    def faults(self) -> Iterator[Fault]:
        """An exemption of nobody in particular would be the rule switched off."""
        if not self.owner and not self.signature:
            yield "", "names neither an owner nor a signature: to spare everybody, set the rule's mode to off"


class RuleSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one rule is run. Its numbers are in [judging], since several rules share them."""

    mode: Annotated[
        Mode,
        Meta(
            description="on: judged and alerted. shadow: judged, published with shadow = true, nobody is "
            "called. off: not judged. Start a new rule in shadow."
        ),
    ] = Mode.ON
    severity: Annotated[
        Severity | None,
        Meta(description="low, medium, high or critical, instead of the catalogue's severity."),
    ] = None
    exceptions: Annotated[
        tuple[Exemption, ...], Meta(description="Senders that the rule spares, each for a while.")
    ] = ()


AS_CATALOGUED = RuleSettings()
