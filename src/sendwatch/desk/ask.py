"""What comes in: the parameters of every path, and the bodies of those that are posted.

Belongs here: shapes and bounds. Not here: who may ask (`gate.py`), answering (`reading.py`, `acting.py`).
"""

# ruff: noqa: TC001 - msgspec reads the annotations

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sendwatch.desk.say import About, Action, Subject
from sendwatch.desk.say_counts import Family, Name, Window

Short = Annotated[str, Meta(min_length=1, max_length=128)]
Filter = tuple[Short, ...]
Moment = Annotated[int, Meta(ge=0)]
Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]
Cursor = Annotated[str, Meta(pattern=r"^\d{1,18}$", description="`next` of the page before.")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="The last day, ISO, UTC+8.")]
Details = Literal["flagged", "all", "none"]
Text = Annotated[str, Meta(max_length=10_000)]


class Nothing(Struct, frozen=True):
    """No parameters."""


class Windowed(Struct, frozen=True):
    """Over which window."""

    window: Window = "1d"


class OfFlag(Struct, frozen=True):
    """Which flag."""

    flag_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]


class SomeFlags(Struct, frozen=True):
    """Which flags. Filters may be repeated: one of the values. A rule by its id or its beginning, a port by its."""

    rule: Filter = ()
    severity: Filter = ()
    owner: Filter = ()
    sp: Filter = ()
    port: Filter = ()
    carrier: Filter = ()
    province: Filter = ()
    signature: Filter = ()
    status: Literal["raised", "cleared", "all"] = "raised"
    disposed: Literal["any", "none", "confirm", "dismiss", "except", "suspend", "appeal"] = "any"
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class OfSend(Struct, frozen=True):
    """Which send: that of a flag, or the record at TOPIC:PARTITION:OFFSET."""

    flag: Short | None = None
    source: Annotated[str, Meta(pattern=r"^\S{1,249}:\d{1,5}:\d{1,18}$")] | None = None


class SomeBreaches(Struct, frozen=True):
    """Which breaches."""

    status: Literal["open", "closed", "all"] = "all"
    rule: Filter = ()
    limit: Limit = 100


class Ranking(Struct, frozen=True):
    """Which top list."""

    family: Family = "owner"
    by: Name = "flagged"
    window: Window = "1d"
    length: Limit = 20


class Line(Struct, frozen=True):
    """Which series."""

    family: Family = "all"
    subject: Short | None = None
    name: Name = "sends"
    window: Window = "1d"


class Share(Struct, frozen=True):
    """Coverage of what."""

    family: Family = "carrier"
    window: Window = "1d"


class SomeDispositions(Struct, frozen=True):
    """Which dispositions; `about`: the id of a flag or breach."""

    about: Short | None = None
    action: Action | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class Recent(Struct, frozen=True):
    """How many, the latest first."""

    limit: Limit = 100


class Login(Struct, frozen=True):
    """A token, for a cookie."""

    token: Short


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person decides. `subject`: whom it concerns; those of the flag's send where not given."""

    about: About
    action: Action
    why: Annotated[str, Meta(min_length=3, max_length=2000)]
    until: Day | None = None
    subject: Subject | None = None


class PlannedSend(Struct, frozen=True, forbid_unknown_fields=True):
    """What all recipients are to get. `signature`: put before a text that has none."""

    sp: Short
    port: Short
    text: Text | None = None
    signature: Short | None = None
    category: Short | None = None
    template: Short | None = None
    carrier: Short | None = None
    province: Short | None = None
    planned_at: Moment | None = None


class PlannedRecipient(Struct, frozen=True, forbid_unknown_fields=True):
    """A recipient, and what is particular to it."""

    recipient: Short
    text: Text | None = None
    carrier: Short | None = None
    province: Short | None = None
    planned_at: Moment | None = None


class Campaign(Struct, frozen=True, forbid_unknown_fields=True):
    """One send or many, before they are sent. `details`: which recipients are told one by one."""

    send: PlannedSend
    recipients: list[Short | PlannedRecipient] = []
    details: Details = "flagged"
