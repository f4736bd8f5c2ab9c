"""A given number and a given sentence, planted wherever a recipient and a text may stand, so that a test
can look for them in everything that comes out: in clean and flagged sends, in consents, in refused records.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sendwatch.simulate.customers import grant, withdrawal
from sendwatch.simulate.drafts import Draft, Prepared
from sendwatch.simulate.malformed import damages
from sendwatch.simulate.phrases import OTP, SERVICE, sign
from sendwatch.simulate.truth import C1, C5, DAY, G1, HOUR, MINUTE, UTC8, Message, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.carrier import Carrier, Line
    from sendwatch.simulate.customers import Act, Recipients


class Canary(NamedTuple):
    """What to plant: a recipient in the story's form, and a sentence that gives a text no class."""

    number: str
    text: str


def sightings(canary: Canary, world: Carrier, people: Recipients, unsigned: Line) -> list[Prepared]:
    """Sends to the canary around ten each morning: clean, flagged for consent, flagged for the signature."""
    random = Random(f"{world.seed}/canary")
    first = (world.start_at + UTC8) // DAY * DAY - UTC8 + 10 * HOUR
    mornings = [at for at in range(first, world.end_at, DAY) if at >= world.start_at]
    single = [number for number in world.traders if world.owners[number].group is None]
    never, left, came = random.sample(single, 3)
    name, long_ago = people.name(people.count), world.start_at - 30 * DAY
    gone: tuple[Act, ...] = (withdrawal(random, name, world.owners[left].id, long_ago),)
    given: tuple[Act, ...] = (grant(random, name, world.owners[came].id, long_ago),)
    made = []
    for at in mornings:
        made += [
            _offer("canary never asked", random, canary, world, people, never, at, {C1}, ()),
            _offer("canary withdrawn", random, canary, world, people, left, at + MINUTE, {C5}, gone),
            _offer("canary granted", random, canary, world, people, came, at + 2 * MINUTE, set(), given),
            _note("canary unsigned", random, canary, world, people, unsigned, at + HOUR, {G1}),
            _note("canary notice", random, canary, world, people, world.lines[0][0], at + 2 * HOUR, set()),
        ]
        gone = given = ()  # acts are written once
    return made


def _offer(
    name: str, random: Random, canary: Canary, world: Carrier, people: Recipients, owner: int, at: int,
    rules: set[str], acts: tuple[Act, ...],
) -> Prepared:  # fmt: skip
    klass = world.owners[owner].commercial[0]
    body = canary.text + world.phrases.body(klass, random)
    draft = Draft(at, people.count, world.lines[owner][0], klass, klass, body)
    return Prepared(name, draft, frozenset(rules), acts)


def _note(
    name: str,
    random: Random,
    canary: Canary,
    world: Carrier,
    people: Recipients,
    line: Line,
    at: int,
    rules: set[str],
) -> Prepared:
    body = world.phrases.body(SERVICE, random) + canary.text
    return Prepared(name, Draft(at, people.count, line, SERVICE, SERVICE, body), frozenset(rules))


def wreckage(canary: Canary, world: Carrier, people: Recipients) -> Iterator[Refusal]:
    """One refused record of every kind of damage, each with the number and the sentence in it."""
    random = Random(f"{world.seed}/canary/wreckage")
    key = canary.number.encode()
    line = world.lines[0][0]
    for kind, at in (("consents", world.start_at - 2 * HOUR), ("sends", world.start_at + HOUR)):
        for place, damage in enumerate(damages(kind, people.form, None)):
            if kind == "sends":
                text = sign(line.signature, canary.text + world.phrases.body(OTP, random), 0, titled=False)
                record = {
                    "id": f"canary-{place}", "recipient": canary.number, "sp": line.sp, "port": line.prefix,
                    "sent_at": at, "text": text,
                }  # fmt: skip
            else:
                record = withdrawal(random, canary.number, world.owners[0].id, at - DAY, note=canary.text)
            damaged = damage.make(record, key, at)
            yield Refusal(Message(kind, damaged.key, damaged.value, at + place), damage.reason)
