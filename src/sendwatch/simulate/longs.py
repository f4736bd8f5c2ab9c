"""Long messages: parts in order and out of it, sent twice, lost for ever, or come when all was said.

Every case has a recipient of its own, and a port that only its owner has filed, so that the owner is known whatever
the text still tells. The truth is about the message, under the id of its lowest part that came.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendwatch.simulate.customers import grant
from sendwatch.simulate.drafts import Draft, Prepared, Slice
from sendwatch.simulate.truth import C1, C8, DAY, HOUR, MINUTE, UTC8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.carrier import Carrier
    from sendwatch.simulate.customers import Recipients

SECOND: Final = 1000


class Case(NamedTuple):
    """`slices`: the parts that come, each with its number, when it was sent, and when it arrives (ms after the first).

    `thin`: the first part ends within the signature. Whoever is not `granted` consent is flagged with C1.
    """

    name: str
    total: int
    slices: tuple[tuple[int, int, int], ...]
    rules: frozenset[str] = frozenset()
    granted: bool = True
    refusable: bool = True
    thin: bool = False


CASES: Final = (
    Case("long, in order", 3, ((1, 0, 200), (2, 300, 500), (3, 600, 900))),
    Case("long, the other way round", 3, ((3, 600, 700), (2, 300, 1400), (1, 0, 2100))),
    Case("long, signature cut through", 2, ((2, 100, 200), (1, 0, 900)), thin=True),
    Case("long, without refusal", 2, ((2, 100, 200), (1, 0, 900)), frozenset({C8}), refusable=False),
    Case("long, never granted", 2, ((1, 0, 200), (2, 100, 700)), frozenset({C1}), granted=False),
    Case("long, a part twice", 2, ((1, 0, 200), (1, 0, 1200), (2, 100, 2000))),
    Case("long, the last millisecond", 2, ((1, 0, 200), (2, 10 * MINUTE - 1, 10 * MINUTE + 300))),
    # Of a text that is not all there nobody can say whether it lets one refuse; who consented is known all the same.
    Case("long, the last part lost", 3, ((1, 0, 200), (2, 300, 700)), refusable=False),
    Case("long, the first part lost", 2, ((2, 0, 200),), frozenset({C1}), granted=False, refusable=False),
    # Said of what was there, and taken back when the rest had come: the message has the lowest part's id, and its text.
    Case("long, the first part late", 2, ((2, 100, 200), (1, 0, 5 * HOUR)), frozenset({C1}), granted=False),
    Case("long, the last part late", 2, ((1, 0, 200), (2, 100, 9 * HOUR)), frozenset({C8}), refusable=False),
)


def longs(world: Carrier, recipients: Recipients, times: int) -> Iterator[Prepared]:
    """Each case that many times, on some day of the week between nine and ten in the morning."""
    random = Random(f"{world.seed}/longs")
    nine = (world.start_at + UTC8) // DAY * DAY - UTC8 + 9 * HOUR
    mornings = [at for at in range(nine, world.end_at - 11 * HOUR, DAY) if at >= world.start_at]
    owners = [number for number in world.traders if world.lines[number][0].alone]
    for case in CASES:
        for _ in range(times if mornings else 0):
            yield _play(random, world, recipients, case, random.choice(owners), random.choice(mornings))


def _play(random: Random, world: Carrier, recipients: Recipients, case: Case, owner: int, morning: int) -> Prepared:
    index, line, who = recipients.stranger(), world.lines[owner][0], world.owners[owner]
    klass, at = random.choice(who.commercial), morning + random.randrange(HOUR)
    texts = world.phrases
    body = texts.body(klass, random) if case.refusable else texts.without_refusal(klass, random)
    ref: Any = random.choice((random.randrange(256), f"{random.randrange(1 << 16):04x}"))
    acts = (grant(random, recipients.name(index), who.id, world.start_at - 30 * DAY),) if case.granted else ()
    draft = Draft(at, index, line, klass, klass, body, extra={"port": line.prefix})
    slices = tuple(Slice(no, after, arrives) for no, after, arrives in case.slices)
    return Prepared(case.name, draft, case.rules, acts, slices=slices, ref=ref, total=case.total, thin=case.thin)
