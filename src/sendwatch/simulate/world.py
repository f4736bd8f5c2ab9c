"""The world in which a story happens, built once from its settings: carrier, customers, everything planted
in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sendwatch.simulate import canary, misfilings, misworded, refusals
from sendwatch.simulate.carrier import Carrier
from sendwatch.simulate.customers import Customers, Recipients
from sendwatch.simulate.edges import edges
from sendwatch.simulate.latecomers import Latecomers
from sendwatch.simulate.longs import longs
from sendwatch.simulate.neighbours import neighbours
from sendwatch.simulate.pairs import refuse
from sendwatch.simulate.phrases import Phrases
from sendwatch.simulate.plans import LINES, share_of
from sendwatch.simulate.replies import replied
from sendwatch.simulate.truth import DAY, Message, Refusal

if TYPE_CHECKING:
    from sendwatch.simulate.carrier import Line

FEWEST_OWNERS = 60  # below that some kind of owner, as a platform in a group, may not exist
FEWEST_RECIPIENTS = 500


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a story is made from; see `Story`, which documents them."""

    seed: int | str
    sends: int
    recipients: int
    owners: int
    start_at: int
    days: int
    violations: float
    malformed: float
    repeats: float
    recipient_form: str
    partitions: int | None
    neighbours: bool
    replies: bool
    long_messages: bool
    late: float
    canary: canary.Canary | None

    @property
    def end_at(self) -> int:
        return self.start_at + self.days * DAY


class World:
    """Built in a fixed order: what comes later may look at what came before, never the other way round."""

    def __init__(self, settings: Settings) -> None:
        self.settings = s = settings
        self.end_at = s.end_at
        self.phrases = Phrases(s.seed)
        self.carrier = world = Carrier(s.seed, s.owners, s.start_at, self.end_at, self.phrases)
        self.faulty = misfilings.misfile(world, LINES)
        few = world.random.sample(world.traders, min(len(world.traders), max(4, s.owners // 50)))
        self.templated = [misworded.with_templates(world, world.owners[number]) for number in few]
        self.faulty_of: dict[int, list[Line]] = {}
        for line in (line for lines in self.faulty.values() for line in lines):
            if line.owned:
                self.faulty_of.setdefault(line.owner, []).append(line)

        planted = s.violations * s.sends
        hosts = sorted({*self.faulty_of, *(templated.line.owner for templated in self.templated)})
        each = 12 + int(planted * (share_of(LINES) + share_of(misworded.PLANS)) / len(hosts))
        named = s.canary.number if s.canary else None
        self.recipients = Recipients(s.seed, s.recipient_form, s.recipients, named)
        self.customers = Customers(world, s.recipients, dict.fromkeys(hosts, min(each, s.recipients // 4)))
        wanted = int(planted * share_of(refusals.PLANS) / 3)  # each is used a few times
        self.pairs, self.acts = refuse(world, self.customers, self.recipients, wanted, sorted(self.faulty_of))

        self.prepared = edges(world, self.recipients)
        times = max(2, int(planted / 500))
        self.replies: list[Message] = []
        if s.neighbours:
            self.prepared += neighbours(world, self.recipients, times)
        if s.replies:
            prepared, self.replies = replied(world, self.recipients, times)
            self.prepared += prepared
        if s.long_messages:
            self.prepared += longs(world, self.recipients, times)
        self.latecomers: list[Message] = []
        if s.late:
            latecomers = Latecomers(world, self.recipients, times)
            self.prepared += latecomers.prepared
            self.latecomers = latecomers.messages
        self.wreckage: list[Refusal] = []
        if s.canary is not None:
            unsigned = self.faulty["unsigned"][0]
            self.prepared += canary.sightings(s.canary, world, self.recipients, unsigned)
            self.wreckage = list(canary.wreckage(s.canary, world, self.recipients))
        self.prepared.sort(key=lambda prepared: prepared.draft.sent_at)
