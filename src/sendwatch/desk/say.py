"""The answers of the API, as they go out: JSON by msgspec, and the OpenAPI document by the same types.

Belongs here: shapes that several answers share, flags, breaches, dispositions, explanations. Not here: filling
them; what is counted (`say_counts.py`), checks (`say_check.py`). Times are ms since 1970 UTC.
"""

# ruff: noqa: TC001 - msgspec reads the annotations

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sendwatch.outgoing import Because, Law
from sendwatch.verdict import Words

Role = Literal["viewer", "analyst", "admin"]
Action = Literal["confirm", "dismiss", "except", "suspend", "appeal"]
By = Literal["worker", "desk", "topics"]


class Problem(Struct, frozen=True, kw_only=True):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Me(Struct, frozen=True):
    """Who asks. `role` null: log in. `open`: there are no tokens, and this machine is trusted."""

    name: str
    role: Role | None
    open: bool
    expires_at: int | None = None


class About(Struct, frozen=True):
    """What a disposition is about."""

    kind: Literal["flag", "breach"]
    id: str


class Subject(Struct, frozen=True):
    """Whom a disposition concerns."""

    owner: str | None = None
    signature: str | None = None
    port: str | None = None
    sp: str | None = None


class Disposition(Struct, frozen=True):
    """What a person decided about a flag or a breach: the value of `sms.dispositions`. The last of a key holds.

    `until`: the last day (ISO, UTC+8). `by`: the token's name. A suspension is a recommendation, never a block.
    """

    disposition_id: str
    about: About
    action: Action
    rule: str
    subject: Subject
    until: str | None
    by: str
    role: Role
    why: str
    made_at: int


class DispositionPage(Struct, frozen=True):
    """Dispositions, newest first. `next`: the cursor of what follows."""

    dispositions: list[Disposition]
    total: int
    next: str | None


class FlagSend(Struct, frozen=True):
    """The send of a flag; its recipient is in the whole flag only."""

    id: str
    sp: str
    port: str
    carrier: str | None
    province: str | None
    signature: str | None
    owner: str | None
    type: str | None
    at: int


class Brief(Struct, frozen=True):
    """A flag as a list shows it. `late`: a later fact raised or cleared it; `seq` orders changes."""

    flag_id: str
    seq: int
    status: str
    shadow: bool
    rule: str
    title: Words
    severity: str
    law: Law
    reason: Words
    send: FlagSend
    owner_name: str | None
    source: str
    late: bool
    revision: int
    judged_at: int
    disposition: Disposition | None


class WholeFlag(Brief, frozen=True):
    """A flag with its evidence: who looks at it is logged. `archived`: it is no longer at hand, and told as the archive
    has it, which hides recipients.
    """

    recipient: str | None
    evidence: dict[str, object]
    because: Because | None
    type_source: str | None
    version: dict[str, str]
    epoch: int
    history: list[Disposition]
    archived: bool = False


class FlagPage(Struct, frozen=True):
    """Net flags, newest change first. `total`: of those at hand that fit; nothing older than `since` is at hand."""

    flags: list[Brief]
    total: int
    next: str | None
    kept: int
    since: int | None


class BreachView(Struct, frozen=True):
    """A breach, with its words. `names`: of what its subject names, where known."""

    breach_id: str
    status: str
    rule: str
    title: Words
    severity: str
    subject: dict[str, str | None]
    names: dict[str, str]
    window: dict[str, int]
    measures: dict[str, int | float | str]
    limit: dict[str, int | float]
    reason: Words
    opened_at: int
    closed_at: int | None
    disposition: Disposition | None


class BreachPage(Struct, frozen=True):
    """Breaches, newest first."""

    breaches: list[BreachView]
    total: int


class RuleView(Struct, frozen=True):
    """A rule of the catalogue; `windowed`: about many sends together. `law`: clause by pack."""

    id: str
    title: Words
    severity: str
    mode: str
    commercial_only: bool
    law: dict[str, str]
    windowed: bool


class Precision(Struct, frozen=True):
    """How often people agreed with a rule; `low` and `high`: 95 % (Wilson); null: nobody has said."""

    rule: str
    title: Words
    confirmed: int
    dismissed: int
    precision: float | None
    low: float | None
    high: float | None


class PrecisionTable(Struct, frozen=True):
    """Precision by rule, of the flags that people have disposed of."""

    rules: list[Precision]
    note: Words


class ExceptionView(Struct, frozen=True):
    """A sender whom a person excepted from a rule; `flags`: of those at hand, the ones that it covers."""

    rule: str
    owner: str | None
    signature: str | None
    until: str
    why: str
    by: str
    made_at: int
    disposition_id: str
    expired: bool
    flags: int


class ExceptionTable(Struct, frozen=True):
    """Exceptions, and the lines of `sendwatch.toml` that make the judge spare these senders."""

    exceptions: list[ExceptionView]
    toml: str


class ExplainedSend(Struct, frozen=True):
    """What was decided of a send before the rules were asked."""

    id: str
    at: int
    sp: str
    port: str
    signature: str | None
    type: str | None
    type_source: str | None
    owner: str | None
    owner_reason: str
    signs: list[str]


class RuleAnswer(Struct, frozen=True):
    """One rule's answer; `outcome` as `sendwatch explain` has it, or `recipient`: it turns on who receives it."""

    rule: str
    title: Words
    outcome: str
    outcome_words: Words
    reason: str
    reason_words: Words | None
    evidence: dict[str, object] | None
    law: Law | None


class Explanation(Struct, frozen=True):
    """Every rule's answer about one send; `text` is what `sendwatch explain` prints."""

    source: str
    by: By
    text: str
    send: ExplainedSend
    answers: list[RuleAnswer]


class Look(Struct, frozen=True):
    """Somebody looked at evidence, or asked about recipients."""

    at: int
    name: str
    role: str
    what: Literal["flag", "explain", "check"]
    flag_id: str | None = None
    source: str | None = None


class Looks(Struct, frozen=True):
    """The latest looks, newest first; the log has them all."""

    looks: list[Look]
