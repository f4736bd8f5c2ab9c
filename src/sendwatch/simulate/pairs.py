"""Finds a recipient and an owner for every planted refusal, and has its acts written.

Which fault a pair has is in refusals.py; here is who it befalls, such that pairs don't touch each other.
"""

from __future__ import annotations

from math import gcd
from random import Random
from typing import TYPE_CHECKING

from sendwatch.simulate.refusals import ALONE, ANYBODY, GROUPED, PLANS, PLATFORM, Case, Pair
from sendwatch.simulate.truth import Course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.simulate.carrier import Carrier, Owner
    from sendwatch.simulate.customers import Act, Customers, Recipients


def refuse(
    carrier: Carrier, customers: Customers, recipients: Recipients, wanted: int, faulty: Sequence[int]
) -> tuple[dict[str, list[Pair]], list[Act]]:
    """About `wanted` pairs, at least three of each kind while there are recipients enough, and their acts.
    Some are with the owners of `faulty` lines, so that faults meet.
    """
    random = Random(f"{carrier.seed}/refusals")
    places = Places(random, carrier, customers, recipients, faulty)
    pairs: dict[str, list[Pair]] = {}
    acts: list[Act] = []
    total = sum(weight for _, _, weight in PLANS.values())
    for name, (build, who, weight) in PLANS.items():
        made = pairs.setdefault(name, [])
        for _ in range(max(3, wanted * weight // total)):
            place = places.find(who)
            if place is None:
                break
            index, owner = place
            case = Case(random, carrier, recipients.name(index), owner)
            courses = build(case)
            if isinstance(courses, Course):
                courses = dict.fromkeys(owner.commercial, courses)
            made.append(Pair(index, owner.number, courses))
            acts += case.acts
    return pairs, acts


class Places:
    """Hands out recipients, each once, with owners of the wanted sort that they have no dealings with."""

    def __init__(
        self,
        random: Random,
        carrier: Carrier,
        customers: Customers,
        recipients: Recipients,
        faulty: Sequence[int],
    ) -> None:
        self.random, self.customers, self.recipients = random, customers, recipients
        self.carrier = carrier
        traders = [carrier.owners[number] for number in carrier.traders]
        self.owners = {
            ANYBODY: traders, ALONE: traders,
            PLATFORM: [owner for owner in traders if owner.sector == PLATFORM],
            GROUPED: [owner for owner in traders if carrier.kin(owner) is not None],
        }  # fmt: skip
        self.faulty = [carrier.owners[number] for number in faulty]
        stride = max(1, int(customers.count * 0.618))
        while gcd(stride, customers.count) != 1:
            stride += 1
        self.walk = iter(range(0, stride * customers.count, stride))  # modulo count: everybody once, in no order

    def find(self, who: str) -> tuple[int, Owner] | None:
        owners = self.owners[who]
        if who in {ALONE, GROUPED}:
            return self.recipients.stranger(), self.random.choice(owners)
        for step in self.walk:
            index = step % self.customers.count
            mixed = who == ANYBODY and self.faulty and self.random.random() < 0.15
            owner = self.random.choice(self.faulty if mixed else owners)
            known = [self.carrier.owners[number] for number in self.customers.of(index)]
            if all(other is not owner and (not owner.group or other.group != owner.group) for other in known):
                return index, owner
        return None
