"""Ports from which nobody should send: let on without authority, of another purpose, or not allotted at
all.

As in misfilings.py, each function makes one fault on a sub-port and a signature of its own and says what
follows.
"""

from __future__ import annotations

from typing import Final

from sendwatch.simulate.carrier import CARRIERS, PROVINCES, YEAR, Carrier, Line, Owner
from sendwatch.simulate.misfilings import ALL_USES, Build, Place, line_for, place_for
from sendwatch.simulate.truth import DAY, G2, G5, G6, G8


def _sublet(world: Carrier, owner: Owner) -> tuple[Place, str]:
    """A signature filed for whoever sends it on the sub-port, an SP account that doesn't hold it, and the
    holder.
    """
    place = place_for(world, owner)
    world.file(owner, place.signature, ALL_USES, [place.prefix])
    return place._replace(sp=world.fresh_sp()), place.sp


def sublet(world: Carrier, owner: Owner) -> Line:
    """Another SP than the holder, no letter: G5."""
    place, _ = _sublet(world, owner)
    return line_for(owner, place, G5)


def sublet_on_old_letter(world: Carrier, owner: Owner) -> Line:
    """The letter has run out: G5."""
    place, holder = _sublet(world, owner)
    world.entrust(holder, place.sp, valid_from=world.start_at - 2 * YEAR, valid_until=world.start_at - DAY)
    return line_for(owner, place, G5)


def sublet_for_another(world: Carrier, owner: Owner) -> Line:
    """The letter is for another signature: G5."""
    place, holder = _sublet(world, owner)
    world.entrust(holder, place.sp, signatures=[owner.signature])
    return line_for(owner, place, G5)


def sublet_elsewhere(world: Carrier, owner: Owner) -> Line:
    """The letter is for another port: G5."""
    place, holder = _sublet(world, owner)
    world.entrust(holder, place.sp, ports=[f"{place.prefix[:8]}9"])
    return line_for(owner, place, G5)


def sublet_twice(world: Carrier, owner: Owner) -> Line:
    """The holder entrusts a middleman, who passes the port on without a letter: G5."""
    place, holder = _sublet(world, owner)
    world.entrust(holder, world.fresh_sp())
    return line_for(owner, place, G5)


def service_port(world: Carrier, owner: Owner) -> Line:
    """Marketing from a sub-port allotted for service, within a mixed port: G6."""
    place = place_for(world, owner)
    world.allot(place.prefix, place.sp, purpose="service")
    world.file(owner, place.signature, ALL_USES, [place.prefix])
    return line_for(owner, place, G6, classes=owner.commercial)


def mixed_within_service(world: Carrier, owner: Owner) -> Line:
    """Marketing from a mixed sub-port within a service port: nothing, the longer prefix counts."""
    holder = world.fresh_sp()
    main = world.fresh_main(holder, purpose="service")
    world.allot(f"{main}01", holder, purpose="mixed")
    place = Place(f"{main}01", holder, world.fresh_signature(owner.sector))
    world.file(owner, place.signature, ALL_USES, [place.prefix])
    return line_for(owner, place, classes=owner.commercial)


def _elsewhere(world: Carrier, owner: Owner, main: str, sp: str) -> Place:
    place = Place(main, sp, world.fresh_signature(owner.sector))
    world.file(owner, place.signature, ALL_USES, [place.prefix])
    return place


def unallotted(world: Carrier, owner: Owner) -> Line:
    """A filed signature on a port that is allotted to nobody: G8."""
    main = f"1069{world.random.randrange(1000):04d}{owner.number:05d}"
    return line_for(owner, _elsewhere(world, owner, main, world.fresh_sp()), G8)


def port_lapsed(world: Carrier, owner: Owner) -> Line:
    """The allotment has run out: G8."""
    sp = world.fresh_sp()
    main = world.fresh_main(sp, valid_until=world.start_at - DAY)
    return line_for(owner, _elsewhere(world, owner, main, sp), G8)


def port_erased(world: Carrier, owner: Owner) -> Line:
    """The allotment was recorded in error: G8."""
    sp = world.fresh_sp()
    main = world.fresh_main(sp)
    world.erase("ports", world.rows[-1].id)
    return line_for(owner, _elsewhere(world, owner, main, sp), G8)


def port_too_long(world: Carrier, owner: Owner) -> Line:
    """22 digits and more, on a port that is allotted: G8."""
    place = place_for(world, owner)
    world.file(owner, place.signature, ALL_USES, [place.prefix])
    return line_for(owner, place._replace(prefix=f"{place.prefix}{owner.number:010d}"), G8)


def port_of_province(world: Carrier, owner: Owner) -> Line:
    """A port of some provinces, used in others: G8."""
    sp = world.fresh_sp()
    main = world.fresh_main(sp, provinces=list(PROVINCES[:4]))
    return line_for(owner, _elsewhere(world, owner, main, sp), G8, provinces=PROVINCES[4:])


def port_of_carrier(world: Carrier, owner: Owner) -> Line:
    """A port of one carrier, used for the others: G8."""
    sp = world.fresh_sp()
    main = world.fresh_main(sp, carriers=list(CARRIERS[:1]))
    return line_for(owner, _elsewhere(world, owner, main, sp), G8, carriers=CARRIERS[1:])


def rogue(world: Carrier, owner: Owner) -> Line:
    """An unfiled signature on an unallotted port: G2 and G8, owner undecided."""
    place = Place(f"1068{world.random.randrange(1000):04d}{owner.number:05d}", world.fresh_sp(), "")
    return line_for(owner, place._replace(signature=world.fresh_signature(owner.sector)), G2, G8, owned=False)


def unfiled_sublet(world: Carrier, owner: Owner) -> Line:
    """An unfiled signature on another's sub-port, which nobody has filed: G2 and G5, owner undecided."""
    place = place_for(world, owner)
    return line_for(owner, place._replace(sp=world.fresh_sp()), G2, G5, owned=False)


PLANS: Final[dict[str, tuple[Build, int]]] = {
    build.__name__: (build, weight)
    for build, weight in (
        (sublet, 4), (sublet_on_old_letter, 3), (sublet_for_another, 2), (sublet_elsewhere, 2), (sublet_twice, 2),
        (service_port, 4), (mixed_within_service, 1), (unallotted, 3), (port_lapsed, 2), (port_erased, 1),
        (port_too_long, 2), (port_of_province, 2), (port_of_carrier, 2), (rogue, 2), (unfiled_sublet, 2),
    )
}  # fmt: skip
