"""Sends on the very millisecond at which an answer changes, each with the answer on its side of it.

Every edge has a recipient of its own. Consent edges are written with acts that exist for them alone,
registry edges with rows of their own and service texts, so that consent plays no part.
"""

from __future__ import annotations

from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from sendwatch.simulate.carrier import Line
from sendwatch.simulate.customers import Act, Recipients, grant, withdrawal
from sendwatch.simulate.drafts import Draft, Prepared
from sendwatch.simulate.phrases import SERVICE
from sendwatch.simulate.refusals import ORDER_74
from sendwatch.simulate.truth import B1, C1, C3, C5, DAY, G2, G3, G5, G8, HOUR, MINUTE, UTC8, quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sendwatch.simulate.carrier import Carrier


def edges(world: Carrier, recipients: Recipients) -> list[Prepared]:
    """All edges in order of time; rows they need are added to the carrier's."""
    random = Random(f"{world.seed}/edges")
    made = [
        *_consent_edges(random, world, recipients),
        *_registry_edges(random, world, recipients),
        *_hour_edges(random, world, recipients),
    ]
    return sorted(made, key=lambda edge: edge.draft.sent_at)


def _seconds(world: Carrier, offset: int) -> Iterator[int]:
    """Daytime instants a second apart, all within a day of the time when the facts arrive."""
    morning = world.start_at + HOUR
    while quiet(morning) or quiet(morning + 2 * HOUR):
        morning += HOUR
    return count(morning + offset, 1000)


def _letter(random: Random, world: Carrier, recipients: Recipients, sent_at: int) -> Draft:
    """A clean commercial send but for consent."""
    owner = random.choice(world.traders)
    klass = random.choice(world.owners[owner].commercial)
    body = world.phrases.body(klass, random)
    return Draft(sent_at, recipients.stranger(), world.lines[owner][0], klass, klass, body)


def _consent_edges(random: Random, world: Carrier, recipients: Recipients) -> Iterator[Prepared]:
    give: Callable[..., Act] = lambda name, owner, at, **facts: grant(random, name, owner, at, **facts)
    take: Callable[..., Act] = lambda name, owner, at: withdrawal(random, name, owner, at)
    proof: Callable[[int], Act] = lambda at: {"id": "proof", "sha256": "0" * 64, "captured_at": at}
    cases: list[tuple[str, set[str], Callable[[str, str, int], list[Act]]]] = [
        ("expires now", {C1}, lambda n, o, t: [give(n, o, t - DAY, expires_at=t)]),
        ("expires next", set(), lambda n, o, t: [give(n, o, t - DAY, expires_at=t + 1)]),
        ("granted now", set(), lambda n, o, t: [give(n, o, t)]),
        ("granted next", {C1}, lambda n, o, t: [give(n, o, t + 1)]),
        (
            "withdrawn just past the grace",
            {C5},
            lambda n, o, t: [give(n, o, t - DAY), take(n, o, t - MINUTE - 1)],
        ),
        ("withdrawn within the grace", set(), lambda n, o, t: [give(n, o, t - DAY), take(n, o, t - MINUTE)]),
        ("withdrawn now", set(), lambda n, o, t: [give(n, o, t - DAY), take(n, o, t)]),
        ("withdrawn next", set(), lambda n, o, t: [give(n, o, t - DAY), take(n, o, t + 1)]),
        ("granted after the withdrawal", set(), lambda n, o, t: [take(n, o, t - 1), give(n, o, t)]),
        ("proof captured now", set(), lambda n, o, t: [give(n, o, t - DAY, proof=proof(t))]),
        ("proof captured next", {C3}, lambda n, o, t: [give(n, o, t - DAY, proof=proof(t + 1))]),
    ]
    for (name, rules, build), at in zip(cases, _seconds(world, 0), strict=False):
        draft = _letter(random, world, recipients, at)
        acts = build(recipients.name(draft.recipient), world.owners[draft.line.owner].id, at)
        in_force = rules if at >= ORDER_74 else rules - {C3}
        yield Prepared(name, draft, frozenset(in_force), tuple(acts))


def _registry_edges(random: Random, world: Carrier, recipients: Recipients) -> Iterator[Prepared]:
    cases: list[tuple[str, set[str], dict[str, dict[str, Any]]]] = [
        ("filing ends now", {G3}, {"filing": {"valid_until": 0}}),
        ("filing ends next", set(), {"filing": {"valid_until": 1}}),
        ("filing begins now", set(), {"filing": {"valid_from": 0}}),
        ("filing begins next", {G2}, {"filing": {"valid_from": 1}}),
        ("port ends now", {G8}, {"port": {"valid_until": 0}}),
        ("port ends next", set(), {"port": {"valid_until": 1}}),
        ("port begins next", {G8}, {"port": {"valid_from": 1}}),
        ("letter ends now", {G5}, {"letter": {"valid_until": 0}}),
        ("letter ends next", set(), {"letter": {"valid_until": 1}}),
        ("letter begins next", {G5}, {"letter": {"valid_from": 1}}),
    ]
    for (name, rules, limits), at in zip(cases, _seconds(world, HOUR), strict=False):
        moved = {what: {field: at + ms for field, ms in fields.items()} for what, fields in limits.items()}
        line = _own_line(world, random.choice(world.traders), moved)
        body = world.phrases.body(SERVICE, random)
        yield Prepared(name, Draft(at, recipients.stranger(), line, SERVICE, SERVICE, body), frozenset(rules))


def _own_line(world: Carrier, number: int, limits: dict[str, dict[str, Any]]) -> Line:
    owner, holder = world.owners[number], world.fresh_sp()
    prefix = world.fresh_main(holder, **limits.get("port", {}))
    signature, sp = world.fresh_signature(owner.sector), holder
    if "letter" in limits:
        sp = world.fresh_sp()
        world.entrust(holder, sp, **limits["letter"])
    world.file(owner, signature, [SERVICE], [prefix], **limits.get("filing", {}))
    return Line(owner=number, signature=signature, prefix=prefix, sp=sp, classes=(SERVICE,))


def _hour_edges(random: Random, world: Carrier, recipients: Recipients) -> Iterator[Prepared]:
    """Quiet hours to the millisecond, and scheduled sends, whose hour is that of delivery."""
    day = (world.start_at + UTC8) // DAY * DAY - UTC8
    night = next(at for at in count(day + 22 * HOUR, DAY) if at > world.start_at)
    morning = next(at for at in count(day + 8 * HOUR, DAY) if at > world.start_at)
    cases: list[tuple[str, set[str], int, int | None]] = [
        ("at 21:59:59.999", set(), night - 1, None),
        ("at 22:00", {B1}, night, None),
        ("at 07:59:59.999", {B1}, morning - 1, None),
        ("at 08:00", set(), morning, None),
        ("sent by day for the night", {B1}, night - HOUR, night + HOUR),
        ("sent by night for the day", set(), night + 1000, night + 11 * HOUR),
        ("scheduled too far ahead, so sent at once", {B1}, night + 3000, night + 84 * HOUR),
        ("delivered before it was sent", {B1}, night + 4000, night - HOUR),
    ]
    for name, rules, sent_at, deliver_at in cases:
        draft = _letter(random, world, recipients, sent_at)
        draft.deliver_at = deliver_at
        act = grant(random, recipients.name(draft.recipient), world.owners[draft.line.owner].id, world.start_at - DAY)
        yield Prepared(name, draft, frozenset(rules), (act,))
