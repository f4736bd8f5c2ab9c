"""What a carrier may set about judging: times, hours, limits, how each rule is run, and who is exempt.

Belongs here: the sections `[judging]` and `[rules.…]` of the configuration, as typed values with their
defaults, their meaning, and what cannot be true of them together. Not here: reading them (`config.py`),
what a rule does with them (`rules/`). Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from sendwatch.verdict import Mode, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

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
