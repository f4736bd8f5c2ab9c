"""Asking about a campaign before it is sent: the workers that own its recipients, else the topics, else the send alone.

Belongs here: whom to ask, in which order. Not here: what is asked, and what it amounts to (`campaign.py`), the judge.
Nothing is emitted, nothing is stored; of recipients only tokens come back.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from msgspec import Struct, field
from msgspec.structs import replace

from sendwatch.desk import offline
from sendwatch.desk.campaign import Tally, questions
from sendwatch.desk.explaining import answer_of, send_of
from sendwatch.desk.health import wall
from sendwatch.desk.say_check import CheckAnswer, ConcernView, ReadinessView
from sendwatch.desk.workers import CannotAskError
from sendwatch.engine.explain import Explained
from sendwatch.engine.planned import Found, found_of, memory_of, of_send_alone, read_planned
from sendwatch.events import Rejected
from sendwatch.judge import answers
from sendwatch.report.explanation import as_json
from sendwatch.verdict import Outcome, Words
from sendwatch.windows.readiness import Plan, ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.desk.ask import Campaign
    from sendwatch.desk.named import Named
    from sendwatch.desk.say import RuleAnswer
    from sendwatch.desk.workers import Workers
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.memory import Memory
    from sendwatch.engine.planned import Lookup
    from sendwatch.events import Send
    from sendwatch.facts import Facts
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.settings import Settings
    from sendwatch.windows.board import Board

AT_ONCE = 4
RECORDS_MOST, TOPICS_SECONDS = 200_000, 60.0
NOBODY = {"number": "13000000000", "token": "0" * 32}
TURNS_ON_RECIPIENT = frozenset({Outcome.CLEAN, Outcome.FLAGGED, Outcome.SUPPRESSED})
RECIPIENT = "recipient"
RECIPIENT_WORDS = Words("turns on who receives it", "取决于接收方")


class CannotCheckError(Exception):
    """The send could not be sent so, whoever received it; the message says why."""


class Checker(Struct, frozen=True):
    """What a campaign is checked with. `workers` None: nobody runs; `past` None: the topics are not read.

    `most`: how many records of the topics may be looked through for one partition; None: any number.
    """

    settings: Settings
    judging: Judging
    names: Named
    workers: Workers | None = None
    past: LogReader | None = None
    board: Board | None = None
    most: int | None = RECORDS_MOST
    progress: Callable[[int], None] = lambda _: None
    now: int = field(default_factory=wall)

    async def check(self, campaign: Campaign) -> CheckAnswer:
        """What a campaign would break; raises CannotCheckError."""
        judging = self.judging
        asked = questions(campaign, judging.partitions, self.now, NOBODY[judging.pseudonyms.form])
        probe = read_planned(judging, asked.probe, asked.probe.sends[0], "planned")
        if isinstance(probe, Rejected):
            raise CannotCheckError(f"It would be refused: {probe.reason}, {probe.detail}.")
        tally = Tally(self.names, judging.pseudonyms.token, asked.recipients, campaign.details)
        at_once = asyncio.Semaphore(AT_ONCE)
        shares = groupby(asked.lookups, key=lambda each: each.partition)
        await asyncio.gather(*(self._ask(list(some), tally, at_once) for _, some in shares))
        tally.told.sort(key=lambda each: each.n)
        facts, _ = of_send_alone(memory_of(judging), probe)
        send, alone = self._alone(facts)
        return CheckAnswer(
            at=probe.at,
            complete=tally.complete,
            asked=len(asked.recipients),
            by=dict(tally.by),
            sum=tally.sum,
            rules=tally.rules(self._of_recipient(probe.at)),
            send=send,
            answers=alone,
            readiness=self._readiness(facts, len(asked.recipients)),
            recipients=tally.told,
            left_out=tally.left_out,
            notes=tally.inform(),
        )

    async def _ask(self, lookups: list[Lookup], tally: Tally, at_once: asyncio.Semaphore) -> None:
        """About one partition: the worker, else the topics, else the send alone; why it was not the first is told."""
        async with at_once:
            left, why = await self._ask_worker(lookups, tally)
            if left and self.past is not None:
                try:
                    async with asyncio.timeout(TOPICS_SECONDS if self.most is not None else None):
                        found = await offline.planned(self.past, self.settings, self.judging, left, self.most)
                except (offline.TooMuchError, KafkaError, TimeoutError) as error:
                    why = f"{why}; {type(error).__name__.removesuffix('Error')}"
                else:
                    tally.add(found, "topics")
                    self.progress(len(found))
                    return
            for lookup in left:
                tally.add(self._of_sends(lookup), "desk", why)
                self.progress(len(lookup.sends))

    async def _ask_worker(self, lookups: list[Lookup], tally: Tally) -> tuple[list[Lookup], str]:
        """What the worker left unanswered, and why."""
        if self.workers is None:
            return lookups, "no_worker"
        for number, lookup in enumerate(lookups):
            try:
                found = (await self.workers.planned(lookup)).found
            except CannotAskError as error:
                return lookups[number:], str(error)
            tally.add(found, "worker")
            self.progress(len(found))
        return [], ""

    def _of_sends(self, lookup: Lookup) -> list[Found]:
        """What can be said without any recipient's history."""
        memory, found = memory_of(self.judging), []
        for planned in lookup.sends:
            read = read_planned(self.judging, lookup, planned, "planned")
            if isinstance(read, Rejected):
                found.append(_refused(planned.n, read))
            else:
                found.append(self._of_send(memory, planned.n, read))
        return found

    def _of_send(self, memory: Memory, number: int, send: Send) -> Found:
        facts, verdict = of_send_alone(memory, send)
        return found_of(self.judging, number, send, facts, verdict)

    def _alone(self, facts: Facts) -> tuple[Any, list[RuleAnswer]]:
        """What is decided of the send, and every rule's answer; those that turn on the recipient say so."""
        told = as_json(Explained(facts, answers(facts, self.judging.rulebook)))
        of_recipient, shown = self._of_recipient(facts.at), []
        for each in told["answers"]:
            if each["rule"] in of_recipient and Outcome(each["outcome"]) in TURNS_ON_RECIPIENT:
                each |= {"outcome": Outcome.UNDECIDED.value, "reason": "", "evidence": None, "law": None}
                shown.append(_turning(answer_of(each)))
            else:
                shown.append(answer_of(each))
        return send_of(told["send"]), shown

    def _of_recipient(self, at: int) -> frozenset[str]:
        return frozenset(each.rule.id for each in self.judging.rulebook.in_force(at).of_recipient)

    def _readiness(self, facts: Facts, sends: int) -> ReadinessView | None:
        kind = facts.type or facts.declared
        if self.board is None or facts.signature is None or kind is None or not sends:
            return None
        parameters = self.judging.parameters
        plan = Plan(facts.signature, facts.port, facts.sp, kind, sends, facts.at, facts.carrier, facts.province)
        found = ready(plan, self.board, self.judging.registry, (parameters.quiet_from, parameters.quiet_until))
        concerns = [
            ConcernView(each.rule, self.names.title(each.rule), each.sure, each.evidence) for each in found.concerns
        ]
        return ReadinessView(found.owner, found.expected_complaints, found.room, concerns)


def _turning(answer: RuleAnswer) -> RuleAnswer:
    return replace(answer, outcome=RECIPIENT, outcome_words=RECIPIENT_WORDS)


def _refused(number: int, rejected: Rejected) -> Found:
    return Found(number, refused=rejected.reason)
