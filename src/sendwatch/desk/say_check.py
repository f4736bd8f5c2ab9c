"""What a check of a campaign answers.

Belongs here: shapes. Not here: filling them (`campaign.py`, `check.py`). Times are ms since 1970 UTC.
"""

# ruff: noqa: TC001 - msgspec reads the annotations

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from sendwatch.desk.say import By, ExplainedSend, RuleAnswer
from sendwatch.outgoing import Law
from sendwatch.verdict import Words

Outcome = Literal["flagged", "undecided", "clean", "unknown", "refused"]


class CheckSum(Struct, frozen=True):
    """Recipients by verdict."""

    flagged: int = 0
    undecided: int = 0
    clean: int = 0
    unknown: int = 0
    refused: int = 0


class CheckedRule(Struct, frozen=True):
    """One rule over all recipients; `undecided` by reason, `unknown`: those whose history nobody told."""

    rule: str
    title: Words
    severity: str
    flagged: int
    undecided: dict[str, int]
    unknown: int


class CheckFlag(Struct, frozen=True):
    """A rule that would flag the send."""

    rule: str
    title: Words
    severity: str
    shadow: bool
    reason: Words
    evidence: dict[str, object]
    law: Law


class CheckUndecided(Struct, frozen=True):
    """A rule that cannot say."""

    rule: str
    reason: str
    reason_words: Words


class Checked(Struct, frozen=True):
    """One recipient; `n` is the place in the request. A number never comes back: `recipient` is the token."""

    n: int
    recipient: str | None
    verdict: Outcome
    by: By | None
    flags: list[CheckFlag] = field(default_factory=list)
    undecided: list[CheckUndecided] = field(default_factory=list)
    why: str | None = None


class ConcernView(Struct, frozen=True):
    """A rule that the plan as a whole would (`sure`) or may break."""

    rule: str
    title: Words
    sure: bool
    evidence: dict[str, int | float | str | None]


class ReadinessView(Struct, frozen=True):
    """What is to be expected of so many sends; `room`: complaints before B3 opens."""

    owner: str | None
    expected_complaints: float
    room: int
    concerns: list[ConcernView]


class CheckAnswer(Struct, frozen=True):
    """What a campaign would break. `complete` False: of some recipients nobody who knows them answered."""

    at: int
    complete: bool
    asked: int
    by: dict[str, int]
    sum: CheckSum
    rules: list[CheckedRule]
    send: ExplainedSend
    answers: list[RuleAnswer]
    readiness: ReadinessView | None
    recipients: list[Checked]
    left_out: int
    notes: list[Words]
