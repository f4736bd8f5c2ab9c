"""Replies of recipients, and the sends that only a reply makes unlawful, or lawful.

Every case has a recipient of its own and one owner, on a port that only this owner has filed, and all of
its sends are here. Replies of the week go out among the sends, those before it with the facts.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendwatch.simulate.customers import grant
from sendwatch.simulate.drafts import Draft, Prepared
from sendwatch.simulate.malformed import encode
from sendwatch.simulate.truth import C1, C5, C9, DAY, HOUR, MINUTE, UTC8, Message

if TYPE_CHECKING:
    from sendwatch.simulate.carrier import Carrier
    from sendwatch.simulate.customers import Act, Recipients


class Case(NamedTuple):
    """Times are in ms from the week's first ten in the morning. A send is when, its flags, and which reply
    it says it was asked for by; a reply is when, and its text; a grant is when.
    """

    name: str
    sends: tuple[tuple[int, set[str], int | None], ...]
    replies: tuple[tuple[int, str], ...]
    grants: tuple[int, ...] = (-60 * DAY,)


_TWO_DAYS: Final = 2 * DAY
CASES: Final = (
    # A whole word is a refusal from any port that the owner has filed, answered send or not.
    Case("refused long before", ((0, {C5, C9}, None),), ((-5 * DAY, "退订"),)),
    Case("refused the day before", ((0, {C5}, None), (DAY, {C5, C9}, None)), ((-DAY, "ＴＤＺＤ "),)),
    Case("refused 48 hours ago", ((0, {C5, C9}, None),), ((-_TWO_DAYS, "拒收"),)),
    Case("refused a millisecond less ago", ((0, {C5}, None),), ((1 - _TWO_DAYS, "unsubscribe"),)),
    Case("refused and came back", ((0, set(), None),), ((-20 * DAY, "退订"),), (-60 * DAY, -10 * DAY)),
    # A short word is one only where it answers a commercial send from that very port.
    Case("a short word to nobody", ((0, set(), None),), ((-5 * DAY, "T"),)),
    Case(
        "a short word in answer",
        ((0, set(), None), (5 * HOUR, {C5}, None), (3 * DAY, {C5, C9}, None)),
        ((20 * MINUTE, "td"),),
    ),
    Case("no refusal at all", ((0, set(), None), (5 * HOUR, set(), None)), ((20 * MINUTE, "好的谢谢"),)),
    # What was asked for needs no consent, for a day.
    Case("asked for", ((0, set(), 0), (HOUR, {C1}, None)), ((-HOUR, "我要优惠券"),), ()),
    Case("asked for 24 hours ago", ((0, set(), 0),), ((-DAY, "我要优惠券"),), ()),
    Case("asked for longer ago", ((0, {C1}, 0),), ((-DAY - 1, "我要优惠券"),), ()),
    Case("a refusal asks for nothing", ((0, {C5}, 0),), ((-HOUR, "退订"),), ()),
    Case("asked for by no reply", ((0, {C1}, 7),), (), ()),
)


def replied(world: Carrier, recipients: Recipients, times: int) -> tuple[list[Prepared], list[Message]]:
    """Each case that many times: the sends, and the replies in no order."""
    random = Random(f"{world.seed}/replies")
    ten = (world.start_at + UTC8) // DAY * DAY - UTC8 + 10 * HOUR
    ten += DAY if ten < world.start_at else 0
    prepared: list[Prepared] = []
    messages: list[Message] = []
    owners = [number for number in world.traders if world.lines[number][0].alone]
    for case in CASES:
        for _ in range(times):
            sends, answers = _play(random, world, recipients, case, random.choice(owners), ten + random.randrange(HOUR))
            prepared += sends
            messages += answers
    return prepared, messages


def _play(
    random: Random, world: Carrier, recipients: Recipients, case: Case, owner: int, at: int
) -> tuple[list[Prepared], list[Message]]:
    index, line, who = recipients.stranger(), world.lines[owner][0], world.owners[owner]
    name = recipients.name(index)
    ids = [f"mo-{random.getrandbits(48):012x}" for _ in range(8)]
    answers = []
    for (after, text), reply_id in zip(case.replies, ids, strict=False):
        sent_at = at + after
        record = {"id": reply_id, "recipient": name, "port": line.prefix, "text": text, "received_at": sent_at}
        answers.append(Message("replies", name.encode(), encode(record), sent_at + 800))
    acts: tuple[Act, ...] = tuple(grant(random, name, who.id, at + after) for after in case.grants)
    sends = []
    for after, rules, asked in case.sends:
        klass = random.choice(who.commercial)
        extra: dict[str, Any] = {"port": line.prefix} | ({} if asked is None else {"request": ids[asked]})
        draft = Draft(at + after, index, line, klass, klass, world.phrases.body(klass, random), extra=extra)
        if draft.sent_at < world.end_at:
            sends.append(Prepared(case.name, draft, frozenset(rules), acts))
            acts = ()
    return sends, answers
