"""Answers to those who decide, check a campaign, or log in: each handler takes a call, as `routes.py` lists them.

Belongs here: what a decision needs, and making it. Not here: what follows from it (`dispositions.py`), the check itself
(`check.py`).
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from sendwatch.desk.archived import flag_of
from sendwatch.desk.check import CannotCheckError, Checker
from sendwatch.desk.dispositions import day_of
from sendwatch.desk.gate import RefusedError
from sendwatch.desk.health import wall
from sendwatch.desk.reading import note_look
from sendwatch.desk.say import Disposition, Look, Subject
from sendwatch.logs import Guard

if TYPE_CHECKING:
    from sendwatch.desk.ask import Campaign, Decision
    from sendwatch.desk.reading import Call
    from sendwatch.desk.say_check import CheckAnswer
    from sendwatch.desk.server import Desk

GUARD = Guard()
"""What people write of a case may hold the number of somebody whom they called; topics and reports hold none."""
COST_OF_CHECK = 1 / 500


async def decide(call: Call) -> Disposition:
    """Make a disposition; it is in Kafka when this returns."""
    wish: Decision = call.body
    desk, who = call.desk, call.who
    if wish.action == "suspend" and not (who.may("admin") or who.open):
        raise RefusedError(403, "Recommending a suspension needs the role admin.")
    rule, subject = await _about(desk, wish)
    made = Disposition(
        disposition_id=secrets.token_hex(16),
        about=wish.about,
        action=wish.action,
        rule=rule,
        subject=wish.subject or subject,
        until=_until(wish),
        by=who.name,
        role=who.role or "viewer",
        why=GUARD.clean(wish.why.strip()),
        made_at=wall(),
    )
    if desk.following is None:
        raise RefusedError(503, "Not connected to Kafka yet.", {"Retry-After": "5"})
    try:
        await desk.following.publish(made)
    except KafkaError as error:
        raise RefusedError(503, f"Kafka did not take it: {type(error).__name__}. It may have; look again.") from error
    return made


async def _about(desk: Desk, wish: Decision) -> tuple[str, Subject]:
    """The rule of what a decision is about, and whom it concerns."""
    if wish.about.kind == "breach":
        breach = desk.at_hand.breaches.get(wish.about.id)
        if breach is None:
            raise RefusedError(404, f"No breach {wish.about.id}.")
        named = breach.subject
        return breach.rule, Subject(*(named.get(each) for each in ("owner", "signature", "port", "sp")))
    held, _ = await flag_of(desk, wish.about.id)
    send = held.event.send
    if wish.action == "except":
        return held.event.rule, Subject(owner=send.owner, signature=send.signature)
    return held.event.rule, Subject(send.owner, send.signature, send.port, send.sp)


def _until(wish: Decision) -> str | None:
    if wish.until is None:
        if wish.action == "except":
            raise RefusedError(422, "An exception needs its last day: `until`. Every exception ends.")
        return None
    try:
        last = date.fromisoformat(wish.until)
    except ValueError:
        raise RefusedError(422, f"{wish.until} is no day.") from None
    if last < day_of(wall()):
        raise RefusedError(422, f"{wish.until} is over.")
    if wish.action == "except" and wish.subject is not None and not (wish.subject.owner or wish.subject.signature):
        raise RefusedError(422, "An exception names an owner or a signature.")
    return wish.until


async def check(call: Call) -> CheckAnswer:
    """What a campaign would break."""
    campaign: Campaign = call.body
    desk, most = call.desk, call.desk.settings.desk.check_most
    if len(campaign.recipients) > most:
        raise RefusedError(413, f"At most {most} recipients at once; ask in pieces.")
    if not desk.aggregator.informed:
        raise RefusedError(503, "The registries are still being read: nothing seems filed yet.", {"Retry-After": "5"})
    note_look(call, Look(wall(), call.who.name, str(call.who.role), "check"))
    past = desk.following.past if desk.following is not None else None
    checker = Checker(desk.settings, desk.aggregator.judging, desk.names, desk.workers, past, desk.board)
    try:
        return await checker.check(campaign)
    except CannotCheckError as error:
        raise RefusedError(422, str(error)) from None
