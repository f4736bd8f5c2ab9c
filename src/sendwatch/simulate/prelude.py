"""What is written before the week begins: the registries first, then the consents, and wreckage among both.

Facts that are recorded late are left out: they come among the sends (late.py).
"""

from __future__ import annotations

from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sendwatch.simulate.customers import grant, withdrawal
from sendwatch.simulate.late import Late
from sendwatch.simulate.malformed import Deck, damages, encode
from sendwatch.simulate.truth import DAY, HOUR, Message, Truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.customers import Act
    from sendwatch.simulate.world import World

REGISTRIES: Final = ("owners", "ports", "signatures", "letters", "templates")
RECORDED: Final = 0.1  # part of the records that say when they were recorded, shortly before they were written
_ROWS_FROM: Final = 2 * DAY  # before the week; consents follow, late enough to be less than a day ahead of any act
_CONSENTS_FROM: Final = 20 * HOUR
_CONSENTS_TO: Final = 2 * HOUR


def facts(world: World, truth: Truth) -> Iterator[Message]:
    yield from _rows(world, truth)
    yield from _consents(world, truth)
    late = Late(world.settings)
    early = [reply for reply in world.replies if reply.timestamp < world.settings.start_at]
    yield from sorted(
        (reply for reply in early if not late.has(reply_of(reply)["id"])), key=lambda reply: reply.timestamp
    )
    for refusal in world.wreckage:
        if refusal.message.kind != "sends":
            truth.refuse(*refusal)
            yield refusal.message


def every_act(world: World) -> Iterator[Act]:
    """Every consent act of the story."""
    prepared = chain.from_iterable(prepared.acts for prepared in world.prepared)
    return chain(world.customers.acts(world.recipients), world.acts, prepared)


def reply_of(message: Message) -> Act:
    """The record that a reply's message holds."""
    record: Act = msgspec.json.decode(message.value or b"{}")
    return record


def _rows(world: World, truth: Truth) -> Iterator[Message]:
    """Every row in the order in which it was decided, then damaged copies, which must leave the rows as
    they were.
    """
    random = Random(f"{world.settings.seed}/rows")
    at = world.settings.start_at - _ROWS_FROM
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in REGISTRIES}
    for row in world.carrier.rows:
        at += 10
        value = row.value
        if value is not None:
            by_kind[row.kind].append(value)
            if random.random() < RECORDED:
                value = value | {"recorded_at": at - int(random.random() * HOUR)}
        yield Message(row.kind, row.id.encode(), None if value is None else encode(value), at)
    if not world.settings.malformed:
        return
    for kind, rows in by_kind.items():
        for damage in damages(kind, "token", None):
            at += 10
            sound = random.choice(rows)
            damaged = damage.make(sound, sound["id"].encode(), at)
            message = Message(kind, damaged.key, damaged.value, at)
            truth.refuse(message, damage.reason)
            yield message


def _consents(world: World, truth: Truth) -> Iterator[Message]:
    settings, random = world.settings, Random(f"{world.settings.seed}/written")
    late = Late(settings)
    bad = Deck(random, damages("consents", settings.recipient_form, settings.partitions))
    from_at, to_at = settings.start_at - _CONSENTS_FROM, settings.start_at - _CONSENTS_TO
    step = (to_at - from_at) / (world.customers.size * 1.2 + len(world.acts) + 100)
    old = settings.start_at - 2 * DAY
    owed, draw, place = 0.0, random.random, float(from_at)
    for act in every_act(world):
        if late.has(act["id"]):
            continue
        place = min(place + step, to_at)
        at = int(place)
        if act["effective_at"] < old and draw() < RECORDED:
            act["recorded_at"] = at - int(draw() * HOUR)
        message = Message("consents", act["recipient"].encode(), encode(act), at)
        truth.counts["consents"] += 1
        yield message
        if draw() < settings.repeats:
            yield message
        owed += settings.malformed
        while owed >= 1:
            owed -= 1
            yield _damaged_consent(world, bad, at, random, truth)


def _damaged_consent(world: World, bad: Deck, at: int, random: Random, truth: Truth) -> Message:
    """What would change an answer if it were taken: a withdrawal from a good owner, a grant to a bad one."""
    earlier = world.settings.start_at - 2 * DAY
    if random.random() < 0.5:
        index = random.randrange(world.recipients.count)
        owner = world.carrier.owners[world.customers.of(index)[0]]
        act = withdrawal(random, world.recipients.name(index), owner.id, earlier)
    else:
        pair = random.choice(world.pairs["never_asked"])
        owner = world.carrier.owners[pair.owner]
        act = grant(random, world.recipients.name(pair.recipient), owner.id, earlier)
    damage = bad.deal()
    damaged = damage.make(act, act["recipient"].encode(), at)
    message = Message("consents", damaged.key, damaged.value, at, damaged.partition)
    truth.refuse(message, damage.reason)
    return message
