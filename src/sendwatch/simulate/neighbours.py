"""Sends that only their neighbours make unlawful: too many in a day or an hour, consent asked for again.

Every case has a recipient of its own, with good consent, and all of its sends are here, so what counts is in sight.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from sendwatch.simulate.customers import grant
from sendwatch.simulate.drafts import Draft, Prepared
from sendwatch.simulate.truth import B2, C4, C7, DAY, HOUR, MINUTE, UTC8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sendwatch.simulate.carrier import Carrier
    from sendwatch.simulate.customers import Recipients

Times = list[tuple[int, set[str]]]  # when, in ms after nine in the morning, and the flags

ASKING: Final = (
    "您是否同意接收我们的优惠短信？同意请回复Y，每月不超过4条，不回复视为拒绝。 回T退订",
    "诚邀您同意接收我们的活动短信，同意请回复Y，每周至多1条，不回复视为拒绝。 退订回T",
    "如同意接收我们的营销短信请回复1，有效期一年，不回复即为不同意。拒收请回复R",
)


def too_many_a_day() -> Times:
    """Two a day were agreed to: C4 from the third of a day on, and the next day begins anew."""
    return [(0, set()), (2 * HOUR, set()), (4 * HOUR, {C4}), (6 * HOUR, {C4}), (DAY, set())]


def too_many_an_hour() -> Times:
    """Every ten minutes: B2 from the fifth on; after an hour the first no longer counts, but five others do."""
    flagged = [(minutes * MINUTE, {B2} if minutes >= 40 else set()) for minutes in range(0, 70, 10)]
    return [*flagged, (4 * HOUR, set())]


def just_few_enough() -> Times:
    """The fifth comes an hour after the first, to the millisecond: nothing."""
    return [(minutes * MINUTE, set()) for minutes in (0, 15, 30, 45, 60)]


def asked_again() -> Times:
    """Asked for consent again after a day, and after 72 hours to the millisecond: C7."""
    return [(0, set()), (DAY, {C7}), (4 * DAY, {C7})]


def asked_much_later() -> Times:
    """Asked again a millisecond after the 72 hours: nothing."""
    return [(0, set()), (3 * DAY + 1, set())]


_CASES: Final[tuple[tuple[Callable[[], Times], dict[str, Any]], ...]] = (
    (too_many_a_day, {"max_per_day": 2}),
    (too_many_an_hour, {}),
    (just_few_enough, {}),
    (asked_again, {}),
    (asked_much_later, {}),
)


def neighbours(world: Carrier, recipients: Recipients, times: int) -> Iterator[Prepared]:
    """Each case that many times, from the first or a later morning of the week on."""
    random = Random(f"{world.seed}/neighbours")
    nine = (world.start_at + UTC8) // DAY * DAY - UTC8 + 9 * HOUR
    for case, terms in _CASES:
        plan = case()
        mornings = [
            at for at in range(nine, world.end_at, DAY) if at >= world.start_at and at + plan[-1][0] < world.end_at
        ]
        for _ in range(times if mornings else 0):
            first = random.choice(mornings) + random.randrange(MINUTE)
            yield from _sends(random, world, recipients, case.__name__, plan, first, terms)


def _sends(
    random: Random, world: Carrier, recipients: Recipients, name: str, plan: Times, first: int, terms: dict[str, Any]
) -> Iterator[Prepared]:
    number = random.choice([number for number in world.traders if world.lines[number][0].coarse])
    owner, line, index = world.owners[number], world.lines[number][0], recipients.stranger()
    acts = [grant(random, recipients.name(index), owner.id, world.start_at - 60 * DAY, **terms)]
    klass = random.choice(owner.commercial)
    for after, rules in plan:
        body, declared = world.phrases.body(klass, random), klass
        if name.startswith("asked"):  # `marketing` or a kind of it; filing and consent cover either
            body, declared = random.choice(ASKING), "marketing"
        draft = Draft(first + after, index, line, klass, declared, body)
        yield Prepared(name, draft, frozenset(rules), tuple(acts))
        acts = []
