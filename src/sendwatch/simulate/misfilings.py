"""Lines on which nobody should send: each function files an owner's papers with one fault and says what
follows.

Every faulty line has a sub-port of its own and, unless the fault is the signature's absence, a signature of
its own, so it changes nothing for the clean lines. *Anchored* means that the owner's main signature is
validly filed for the sub-port too: then the owner is found by the third step of the contract, else it is
undecided, and the consent rules with it. Which types a line carries is the owner's, unless the fault shows
in commercial texts only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendwatch.simulate.carrier import CARRIERS, CLASSES, PROVINCES, YEAR, Carrier, Line, Owner
from sendwatch.simulate.truth import DAY, G1, G2, G3, G4, NONE, Course

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_USES: Final = ("otp", "service", "marketing")
Build = Callable[[Carrier, Owner], Line]


class Place(NamedTuple):
    """A fresh sub-port, who holds it, and a fresh signature of the owner."""

    prefix: str
    sp: str
    signature: str


def place_for(world: Carrier, owner: Owner) -> Place:
    prefix, sp = world.fresh_berth()
    return Place(prefix, sp, world.fresh_signature(owner.sector))


def anchor(world: Carrier, owner: Owner, place: Place) -> None:
    world.file(owner, owner.signature, ALL_USES, [place.prefix])


def line_for(owner: Owner, place: Place, *rules: str, **facts: Any) -> Line:
    values: dict[str, Any] = {
        "owner": owner.number, "signature": place.signature, "prefix": place.prefix, "sp": place.sp,
        "classes": CLASSES[owner.sector], "flags": Course(frozenset(rules)), "alone": False,
    }  # fmt: skip
    return Line(**(values | facts))


def unsigned(world: Carrier, owner: Owner) -> Line:
    """No signature on an anchored sub-port: G1."""
    place = place_for(world, owner)
    anchor(world, owner, place)
    return line_for(owner, place._replace(signature=""), G1)


def unsigned_nowhere(world: Carrier, owner: Owner) -> Line:
    """No signature, and nobody has filed the sub-port: G1, owner undecided."""
    return line_for(owner, place_for(world, owner)._replace(signature=""), G1, owned=False)


def unfiled(world: Carrier, owner: Owner) -> Line:
    """A signature that no filing knows, on an anchored sub-port: G2."""
    place = place_for(world, owner)
    anchor(world, owner, place)
    return line_for(owner, place, G2)


def unfiled_between(world: Carrier, owner: Owner) -> Line:
    """A signature that no filing knows, on a sub-port that two owners have filed: G2, owner undecided."""
    place = place_for(world, owner)
    anchor(world, owner, place)
    anchor(world, world.owners[owner.number - 1], place)
    return line_for(owner, place, G2, owned=False)


def rejected(world: Carrier, owner: Owner) -> Line:
    """The filing was rejected, the sub-port is anchored: G2."""
    place = place_for(world, owner)
    anchor(world, owner, place)
    world.file(owner, place.signature, ALL_USES, [place.prefix], status="rejected")
    return line_for(owner, place, G2)


def pending(world: Carrier, owner: Owner) -> Line:
    """The filing is not decided yet, the sub-port is anchored: G2 (where configuration grants no grace)."""
    place = place_for(world, owner)
    anchor(world, owner, place)
    world.file(owner, place.signature, ALL_USES, [place.prefix], status="pending")
    return line_for(owner, place, G2)


def premature(world: Carrier, owner: Owner) -> Line:
    """The filing begins in the middle of the week, the sub-port is anchored: G2 before, nothing from then
    on.
    """
    place = place_for(world, owner)
    anchor(world, owner, place)
    begins_at = (world.start_at + world.end_at) // 2
    world.file(owner, place.signature, ALL_USES, [place.prefix], valid_from=begins_at)
    return line_for(owner, place, flags=Course(frozenset({G2}), begins_at, NONE))


def erased(world: Carrier, owner: Owner) -> Line:
    """The filing was recorded in error and erased, and the owner has none other there: G2, owner undecided."""
    place = place_for(world, owner)
    world.erase("signatures", world.file(owner, place.signature, ALL_USES, [place.prefix]))
    return line_for(owner, place, G2, owned=False)


def lapsed(world: Carrier, owner: Owner) -> Line:
    """The filing has run out, the sub-port is anchored: G3."""
    place = place_for(world, owner)
    anchor(world, owner, place)
    past = {"valid_from": world.start_at - 2 * YEAR, "valid_until": world.start_at - 3 * DAY}
    world.file(owner, place.signature, ALL_USES, [place.prefix], **past)
    return line_for(owner, place, G3)


def revoked(world: Carrier, owner: Owner) -> Line:
    """The filing was written as approved, then as revoked since before the week, the sub-port is anchored:
    G3.
    """
    place = place_for(world, owner)
    anchor(world, owner, place)
    row_id = world.file(owner, place.signature, ALL_USES, [place.prefix])
    row = world.rows[-1].value or {}
    world.put("signatures", row | {"id": row_id, "status": "revoked", "valid_until": world.start_at - DAY})
    return line_for(owner, place, G3)


def lapsed_nowhere(world: Carrier, owner: Owner) -> Line:
    """The filing has run out, and nothing else is filed on the sub-port: G3, owner undecided."""
    place = place_for(world, owner)
    past = {"valid_from": world.start_at - 2 * YEAR, "valid_until": world.start_at - 40 * DAY}
    world.file(owner, place.signature, ALL_USES, [place.prefix], **past)
    return line_for(owner, place, G3, owned=False)


def lapsing(world: Carrier, owner: Owner) -> Line:
    """The filing runs out in the middle of the week, the sub-port is anchored: nothing before, G3 from then
    on.
    """
    place = place_for(world, owner)
    anchor(world, owner, place)
    ends_at = (world.start_at + world.end_at) // 2
    world.file(owner, place.signature, ALL_USES, [place.prefix], valid_until=ends_at)
    return line_for(owner, place, flags=Course(NONE, ends_at, frozenset({G3})))


def strayed(world: Carrier, owner: Owner) -> Line:
    """A filed signature on a sub-port that it isn't filed for (nor is any other): G4; the owner is the
    filing's.
    """
    place = place_for(world, owner)
    world.file(owner, place.signature, ALL_USES, [place.prefix])
    return line_for(owner, place._replace(prefix=f"{place.prefix[:8]}9{place.prefix[-3:]}"), G4)


def lent(world: Carrier, owner: Owner) -> Line:
    """Filed for another SP account only, sent by the port's holder: G4; the owner is the filing's."""
    place = place_for(world, owner)
    world.file(owner, place.signature, ALL_USES, [place.prefix], sps=[world.fresh_sp()])
    return line_for(owner, place, G4)


def other_carrier(world: Carrier, owner: Owner) -> Line:
    """Filed for one carrier, sent to the others: G4."""
    place = place_for(world, owner)
    world.file(owner, place.signature, ALL_USES, [place.prefix], carriers=list(CARRIERS[:1]))
    return line_for(owner, place, G4, carriers=CARRIERS[1:])


def other_province(world: Carrier, owner: Owner) -> Line:
    """Filed for some provinces, sent to others: G4."""
    place = place_for(world, owner)
    world.file(owner, place.signature, ALL_USES, [place.prefix], provinces=list(PROVINCES[:8]))
    return line_for(owner, place, G4, provinces=PROVINCES[8:])


def service_only(world: Carrier, owner: Owner) -> Line:
    """Filed for otp and service, used for marketing: G4."""
    place = place_for(world, owner)
    world.file(owner, place.signature, ["otp", "service"], [place.prefix])
    return line_for(owner, place, G4, classes=owner.commercial)


def split(world: Carrier, owner: Owner) -> Line:
    """One filing has the port, another the use, none both: G4."""
    place = place_for(world, owner)
    world.file(owner, place.signature, ["service"], [place.prefix])
    world.file(owner, place.signature, ["marketing"], [f"{place.prefix[:8]}9{place.prefix[-3:]}"])
    return line_for(owner, place, G4, classes=owner.commercial)


PLANS: Final[dict[str, tuple[Build, int]]] = {
    build.__name__: (build, weight)
    for build, weight in (
        (unsigned, 4), (unsigned_nowhere, 2), (unfiled, 4), (unfiled_between, 2), (rejected, 2), (pending, 1),
        (premature, 2), (erased, 1), (lapsed, 4), (revoked, 3), (lapsed_nowhere, 2), (lapsing, 2), (strayed, 3),
        (lent, 3), (other_carrier, 2), (other_province, 2), (service_only, 4), (split, 2),
    )
}  # fmt: skip


def misfile(world: Carrier, plans: dict[str, tuple[Build, int]]) -> dict[str, tuple[Line, ...]]:
    """Faulty lines of each kind, for about one owner in a hundred each (at least two)."""
    random = world.random
    traders: Sequence[int] = world.traders
    times = min(len(traders), max(2, len(world.owners) // 100))
    return {
        name: tuple(build(world, world.owners[number]) for number in random.sample(traders, times))
        for name, (build, _) in plans.items()
    }
