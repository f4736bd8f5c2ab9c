"""Consent acts in time order of effect, and the one as-of lookup over them.

Belongs here: what an act is once it is folded, which acts count for a send, which of them is the latest.
Not here: where acts come from (`dossier.py`), what follows from them (`rules/`).

    in force at t  =  the latest act with  effective_at <= t,  its owner or *,  a type that covers
                      the send's, and  arrived <= t + window

The order in which acts were recorded never matters; only their own times, and ids at one instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERY_OWNER = "*"
EXPLICIT = frozenset({"opt_in_form", "sms_reply", "written", "voice", "mo_request"})
NOT_EXPLICIT = frozenset({"pre_ticked", "registration", "silence", "terms_bundle"})


class Act(Struct, frozen=True, array_like=True, gc=False):
    """One consent act, as it is kept: by a record of `sms.consents`, or by a refusal reply.

    `offset` is the record's in its own topic, `arrived` and the other times are ms since 1970 UTC.
    """

    id: str
    offset: int
    arrived: int
    effective_at: int
    owner: str
    grant: bool
    types: tuple[str, ...] = ("marketing",)
    method: str | None = None
    expires_at: int | None = None
    max_per_day: int | None = None
    proof: str | None = None
    captured_at: int | None = None
    by_reply: bool = False


def covers(types: Iterable[str], kind: str) -> bool:
    """Whether one of the dotted types is `kind` or above it: `marketing` covers `marketing.finance`."""
    for each in types:  # noqa: SIM110 - no generator is made for each act of each commercial send
        if kind == each or (kind.startswith(each) and kind[len(each)] == "."):
            return True
    return False


def counts(act: Act, owner: str, kind: str, t: int, window: int) -> bool:
    """Whether an act counts for a send at `t` and speaks for (`owner`, `kind`)."""
    return (
        act.effective_at <= t
        and (act.owner == owner or act.owner == EVERY_OWNER)  # noqa: PLR1714 - no tuple is made for each act
        and act.arrived <= t + window
        and covers(act.types, kind)
    )


def counting(acts: Iterable[Act], owner: str, kind: str, t: int, window: int) -> list[Act]:
    """The acts that count for a send at `t` and speak for (`owner`, `kind`)."""
    return [act for act in acts if counts(act, owner, kind, t, window)]


def latest(acts: Iterable[Act], owner: str, kind: str, t: int, window: int) -> Act | None:
    """The act that speaks for (`owner`, `kind`) at `t`; at one instant a withdrawal beats a grant.

    Of two grants at one instant the greater id counts.
    """
    best: Act | None = None
    for act in acts:
        if counts(act, owner, kind, t, window) and (best is None or _order(act) > _order(best)):
            best = act
    return best


def _order(act: Act) -> tuple[int, bool, str]:
    return (act.effective_at, not act.grant, act.id)


def explicit(method: str | None) -> bool | None:
    """Whether consent by this method is express; None where the method is not known."""
    if method in EXPLICIT:
        return True
    if method in NOT_EXPLICIT:
        return False
    return None
