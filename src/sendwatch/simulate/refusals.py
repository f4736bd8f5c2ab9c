"""Pairs of recipient and owner whose consent is not in order: each function writes the acts of one pair
with one fault and says what a commercial send to it is flagged with, from when. The traps among them are
flagged with nothing.

A pair's recipient has no other faulty pair, and its good ones are with owners of other groups, so pairs
don't touch. Pairs of *strangers* have a recipient of their own, because their acts reach beyond one owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from sendwatch.simulate.customers import IMPLICIT, Act, grant, withdrawal
from sendwatch.simulate.phrases import FINANCE, RETAIL
from sendwatch.simulate.truth import C1, C2, C3, C5, C6, CLEAN, DAY, NONE, Course

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sendwatch.simulate.carrier import Carrier, Owner

ORDER_74: Final = 1_777_564_800_000  # 2026-05-01 00:00 UTC+8, from when proof must be held (C3)


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A recipient, an owner, and the flags of commercial sends between them by class."""

    recipient: int
    owner: int
    courses: dict[str, Course]


class Case:
    """What a function of this module writes on: the pair, its owner's brand group, and the acts so far."""

    def __init__(self, random: Random, carrier: Carrier, recipient: str, owner: Owner) -> None:
        self.random, self.recipient, self.owner = random, recipient, owner
        self.start_at, self.end_at = carrier.start_at, carrier.end_at
        self.middle = (carrier.start_at + carrier.end_at) // 2
        self.kin = carrier.kin(owner) or owner
        self.outsider = carrier.owners[(owner.number + len(carrier.owners) // 2) % len(carrier.owners)]
        self.acts: list[Act] = []

    def granted(self, days: int = 100, owner: str | None = None, **facts: Any) -> Act:
        act = grant(self.random, self.recipient, owner or self.owner.id, self.start_at - days * DAY, **facts)
        self.acts.append(act)
        return act

    def withdrew(self, days: int = 20, owner: str | None = None, **facts: Any) -> Act:
        act = withdrawal(self.random, self.recipient, owner or self.owner.id, self.start_at - days * DAY, **facts)
        self.acts.append(act)
        return act


Courses = Course | dict[str, Course]


def _always(*rules: str) -> Course:
    return Course(frozenset(rules))


def never_asked(_case: Case) -> Courses:
    """No act at all: C1."""
    return _always(C1)


def expired(case: Case) -> Courses:
    """The grant expired before the week: C1."""
    case.granted(expires_at=case.start_at - 2 * DAY)
    return _always(C1)


def expiring(case: Case) -> Courses:
    """The grant expires in the middle of the week: nothing before, C1 from then on."""
    case.granted(expires_at=case.middle)
    return Course(NONE, case.middle, frozenset({C1}))


def replaced_by_expired(case: Case) -> Courses:
    """The latest grant expired; an older one without end no longer counts: C1."""
    case.granted(200)
    case.granted(90, expires_at=case.start_at - 3 * DAY)
    return _always(C1)


def one_kind_only(case: Case) -> Courses:
    """Consent to retail marketing doesn't cover consumer finance: C1 for those sends, nothing for retail."""
    case.granted(types=[RETAIL])
    return {RETAIL: CLEAN, FINANCE: _always(C1)}


def another_owner(case: Case) -> Courses:
    """A stranger dealt with, and left, an owner outside the group: C1."""
    case.granted(80, owner=case.outsider.id)
    case.withdrew(30, owner=case.outsider.id)
    return _always(C1)


def implicit(case: Case) -> Courses:
    """A method that is not explicit, as a ticked box: C2, and C3 doesn't ask."""
    case.granted(method=case.random.choice(IMPLICIT))
    return _always(C2)


def implicit_later(case: Case) -> Courses:
    """An explicit grant, then one by registration, without proof: the latest counts, C2."""
    case.granted(200)
    case.granted(50, method="registration", proof=None)
    return _always(C2)


def implicit_by_id(case: Case) -> Courses:
    """Two grants at one instant: the greater id counts, which is the implicit one: C2."""
    first = case.granted()
    case.granted(id=f"{first['id']}z", method="pre_ticked")
    return _always(C2)


def explicit_by_id(case: Case) -> Courses:
    """Two grants at one instant: the greater id counts, which is the explicit one: nothing."""
    first = case.granted(method="silence", proof=None)
    case.granted(id=f"{first['id']}z")
    return CLEAN


def unknown_method(case: Case) -> Courses:
    """A method of no known kind, or none: C2 and C3 are undecided, so nothing is flagged."""
    case.granted(method=case.random.choice(("fax", None)), proof=None)
    return CLEAN


def unproven(case: Case) -> Courses:
    """Explicit consent without proof: C3 under Order 74."""
    case.granted(proof=None)
    return _proof_missing()


def proven_later(case: Case) -> Courses:
    """The proof was captured in the middle of the week: C3 before, nothing from then on."""
    act = case.granted()
    act["proof"] = act["proof"] | {"captured_at": case.middle}
    return _proof_missing(case.middle)


def withdrawn(case: Case) -> Courses:
    """Consent withdrawn before the week: C5."""
    case.granted()
    case.withdrew(case.random.randint(1, 40))
    return _always(C5)


def withdrawn_oddly(case: Case) -> Courses:
    """As `withdrawn`, but with nonsense in optional fields, which changes nothing: C5."""
    case.granted()
    case.withdrew(types=7, method=["?"], expires_at="soon")
    return _always(C5)


def withdrawn_never_granted(case: Case) -> Courses:
    """A refusal where nothing had been granted: C5, not C1."""
    case.withdrew()
    return _always(C5)


def withdrawn_at_once(case: Case) -> Courses:
    """Grant and withdrawal at one instant: the withdrawal beats the grant, C5."""
    act = case.granted()
    case.withdrew(100, id=f"a{act['id']}")
    return _always(C5)


def withdrawn_id_again(case: Case) -> Courses:
    """A later record with the withdrawal's id, now a grant, is the same fact and doesn't count: C5."""
    act = case.withdrew()
    case.granted(1, id=act["id"])
    return _always(C5)


def withdrawn_finance(case: Case) -> Courses:
    """Consumer finance withdrawn, retail kept: C5 for finance, nothing for retail."""
    case.granted()
    case.withdrew(types=[FINANCE])
    return {RETAIL: CLEAN, FINANCE: _always(C5)}


def regretted(case: Case) -> Courses:
    """Withdrawn, then granted again before the week: nothing."""
    case.granted(200)
    case.withdrew(100)
    case.granted(10)
    return CLEAN


def withdrawn_from_all(case: Case) -> Courses:
    """A stranger's withdrawal from every owner (`*`) after a grant to this one: C5."""
    case.granted()
    case.withdrew(owner="*")
    return _always(C5)


def granted_to_all(case: Case) -> Courses:
    """A stranger's grant to every owner (`*`) after a withdrawal from this one: nothing."""
    case.withdrew(90)
    case.granted(50, owner="*")
    return CLEAN


def renamed(case: Case) -> Courses:
    """A stranger left one brand of the group and is written to by another that it never dealt with: C1 and
    C6.
    """
    case.granted(90, owner=case.kin.id)
    case.withdrew(owner=case.kin.id)
    return _always(C1, C6)


def renamed_after_expiry(case: Case) -> Courses:
    """As `renamed`, but consent to the writing brand existed and expired: C1 and C6."""
    case.granted(expires_at=case.start_at - 5 * DAY)
    case.withdrew(owner=case.kin.id)
    return _always(C1, C6)


def kin_forgiven(case: Case) -> Courses:
    """A stranger left one brand of the group and came back to it, and never dealt with the other: C1 alone."""
    case.withdrew(90, owner=case.kin.id)
    case.granted(10, owner=case.kin.id)
    return _always(C1)


def _proof_missing(until: int | None = None) -> Course:
    """C3 where Order 74 is in force: from 2026-05-01, and up to `until`."""
    if until is None:
        return Course(NONE, ORDER_74, frozenset({C3}))
    return Course(frozenset({C3}), until, NONE) if until > ORDER_74 else CLEAN


ANYBODY: Final = "anybody"
PLATFORM: Final = "platform"  # the owner sends retail and finance marketing
ALONE: Final = "alone"  # the recipient is a stranger
GROUPED: Final = "grouped"  # the recipient is a stranger, and the owner has kin

PLANS: Final[dict[str, tuple[Callable[[Case], Courses], str, int]]] = {
    build.__name__: (build, who, weight)
    for build, who, weight in (
        (never_asked, ANYBODY, 14), (expired, ANYBODY, 6), (expiring, ANYBODY, 3), (replaced_by_expired, ANYBODY, 2),
        (one_kind_only, PLATFORM, 3), (another_owner, ALONE, 2), (implicit, ANYBODY, 10),
        (implicit_later, ANYBODY, 2), (implicit_by_id, ANYBODY, 1), (explicit_by_id, ANYBODY, 1),
        (unknown_method, ANYBODY, 2), (unproven, ANYBODY, 6), (proven_later, ANYBODY, 2), (withdrawn, ANYBODY, 12),
        (withdrawn_oddly, ANYBODY, 1), (withdrawn_never_granted, ANYBODY, 2), (withdrawn_at_once, ANYBODY, 1),
        (withdrawn_id_again, ANYBODY, 1), (withdrawn_finance, PLATFORM, 3), (regretted, ANYBODY, 2),
        (withdrawn_from_all, ALONE, 2), (granted_to_all, ALONE, 1), (renamed, GROUPED, 5),
        (renamed_after_expiry, GROUPED, 2), (kin_forgiven, GROUPED, 1),
    )
}  # fmt: skip
