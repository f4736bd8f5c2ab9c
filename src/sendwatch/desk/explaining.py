"""Why a send was flagged, or why not, for the API: asked of the worker that owns its partition, else of the topics.

Belongs here: whom to ask, and the answer's shape. Not here: any answer (`engine/explain.py`, `worker/lookup.py`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch.desk import offline
from sendwatch.desk.say import ExplainedSend, Explanation, RuleAnswer
from sendwatch.desk.workers import CannotAskError
from sendwatch.outgoing import Law
from sendwatch.verdict import Outcome, Words
from sendwatch.wording import OUTCOMES, reason_words
from sendwatch.worker.evidence import line_of
from sendwatch.worker.lookup import Judged

if TYPE_CHECKING:
    from sendwatch.desk.say import By
    from sendwatch.desk.workers import Workers
    from sendwatch.engine.judging import Judging
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.settings import Settings

TOPICS_SECONDS = 60.0


class NoSuchSendError(Exception):
    """There is no record there; the message says where."""


async def explained(
    settings: Settings, judging: Judging, workers: Workers, past: LogReader, number: int, offset: int
) -> Explanation:
    """Every rule's answer about a send; raises NoSuchSendError, CannotExplainError, errors of Kafka."""
    topic = settings.topics.name("sends")
    record = await past.one(topic, number, offset)
    if record is None:
        raise NoSuchSendError(f"{topic}:{number} has no record at offset {offset}: it is not there yet, or was deleted")
    send = line_of(record)
    by: By = "worker"
    try:
        told = await workers.explained(Judged(number, offset, send.timestamp, send.key or b"", send.value or b""))
    except CannotAskError:
        by = "topics"
        async with asyncio.timeout(TOPICS_SECONDS):
            told = await offline.explained(past, settings, judging, number, send)
    return Explanation(f"{topic}:{number}:{offset}", by, told["text"], send_of(told["send"]), answers_of(told))


def send_of(told: dict[str, Any]) -> ExplainedSend:
    """What was decided of the send."""
    return msgspec.convert(msgspec.to_builtins(told), ExplainedSend)


def answers_of(told: dict[str, Any]) -> list[RuleAnswer]:
    """Every rule's answer, with words."""
    return [answer_of(each) for each in told["answers"]]


def answer_of(told: dict[str, Any]) -> RuleAnswer:
    """One rule's answer, with words."""
    reason, law = told["reason"] or "", told["law"]
    return RuleAnswer(
        rule=told["rule"],
        title=msgspec.convert(told["title"], Words),
        outcome=told["outcome"],
        outcome_words=OUTCOMES[Outcome(told["outcome"])],
        reason=reason,
        reason_words=reason_words(reason) if reason else None,
        evidence=told["evidence"],
        law=msgspec.convert(law, Law) if law is not None else None,
    )
