"""Sends that are only planned, judged as if they were sent: by the live judge, against a recipient's dossier.

Belongs here: from planned sends and a dossier to findings; the shapes in which desk and worker speak of them. Not here:
who is asked and how (`lookup.py`, `desk/`). Pure: the dossier that is handed in is changed, so hand in a copy.

A planned send is judged with all that is known now, and counts for the planned ones of the same recipient after it, as
sent ones would. Nothing is emitted, and nothing is kept of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from sendwatch import dossier as dossiers
from sendwatch.engine.memory import Memory, joined
from sendwatch.events import Rejected, Send
from sendwatch.facts import add_recipient, kept_of
from sendwatch.judge import judge
from sendwatch.outgoing import FlaggedSend, Law, Reason, law_of, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sendwatch.dossier import Dossier
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.memory import Known
    from sendwatch.facts import Facts
    from sendwatch.verdict import Verdict

MOST = 500


class Planned(Struct, frozen=True, array_like=True):
    """One planned send: `n` is the asker's own number of it, `text` the place in the list of texts."""

    n: int
    recipient: str
    text: int
    carrier: str | None
    province: str | None
    at: int


class Lookup(Struct, frozen=True):
    """What a worker is asked: planned sends of one partition, and what they have in common."""

    partition: int
    sp: str
    port: str
    category: str | None
    template: str | None
    texts: list[str | None]
    sends: Annotated[list[Planned], Meta(max_length=MOST)]


class FoundFlag(Struct, frozen=True):
    """A rule that would flag it."""

    rule: str
    severity: str
    shadow: bool
    law: Law
    reason: Reason
    evidence: dict[str, object]


class Found(Struct, frozen=True):
    """What the rules say of one planned send; `undecided`: reasons by rule. `refused`: it could not be sent so."""

    n: int
    flags: list[FoundFlag] = []
    undecided: dict[str, str] = {}
    refused: str | None = None


class Answered(Struct, frozen=True):
    """What a worker answers; `version` of its rules and configuration."""

    found: list[Found]
    rules: str
    config: str


def read_all(judging: Judging, asked: Iterable[Lookup], mark: str) -> tuple[list[tuple[int, Send]], list[Found]]:
    """The planned sends of these questions, by number, and those that could not be sent so."""
    sends, refused = list[tuple[int, Send]](), list[Found]()
    for ask in asked:
        for planned in ask.sends:
            read = read_planned(judging, ask, planned, mark)
            if isinstance(read, Rejected):
                refused.append(Found(planned.n, refused=read.reason))
            else:
                sends.append((planned.n, read))
    return sends, refused


def read_planned(judging: Judging, ask: Lookup, planned: Planned, mark: str) -> Send | Rejected:
    """A planned send as a record would give it, read as records are; `mark` keeps its id apart from real ones."""
    named = {
        "id": f"{mark}/{planned.n}",
        "recipient": planned.recipient,
        "sp": ask.sp,
        "port": ask.port,
        "sent_at": planned.at,
        "text": ask.texts[planned.text],
        "category": ask.category,
        "template": ask.template,
        "carrier": planned.carrier,
        "province": planned.province,
    }
    value = msgspec.json.encode({name: each for name, each in named.items() if each is not None})
    read = judging.readers["sends"](planned.recipient.encode(), value, planned.at, Counter())
    return read if isinstance(read, Send | Rejected) else Rejected("no_value", "")


def judge_planned(judging: Judging, memory: Memory, dossier: Dossier, sends: Iterable[tuple[int, Send]]) -> list[Found]:
    """What the rules say of these sends of one recipient, by number.

    `memory`: one for all planned sends of a question, apart from the live one.
    """
    added: list[tuple[int, Send, Known, Facts]] = []
    for number, send in sends:
        known = memory.of(send)
        facts = known.facts_of(send)
        dossiers.put_kept(dossier, kept_of(facts, send.request, -1, send.at, b""))
        added.append((number, send, known, facts))
    return [_judge_one(judging, dossier, *each) for each in added]


def of_send_alone(memory: Memory, send: Send) -> tuple[Facts, Verdict]:
    """What is known of a send, and what the rules that need no dossier say."""
    known = memory.of(send)
    facts = known.facts_of(send)
    return facts, joined(known.verdict, judge(facts, known.by_clock))


def _judge_one(judging: Judging, dossier: Dossier, number: int, send: Send, known: Known, facts: Facts) -> Found:
    kept = dossier.find(send.id)
    assert kept is not None
    verdict = joined(known.verdict, judge(facts, known.by_clock))
    whole = add_recipient(facts, kept, dossier, judging.registry)
    return found_of(judging, number, send, whole, joined(verdict, judge(whole, known.in_force.of_recipient)))


def found_of(judging: Judging, number: int, send: Send, facts: Facts, verdict: Verdict) -> Found:
    """A verdict as it is told."""
    told = FlaggedSend(
        id="", recipient=judging.pseudonyms.token(send.recipient), sp=facts.sp, port=facts.port, carrier=facts.carrier,
        province=facts.province, signature=facts.signature, owner=facts.owner, type=facts.type,
        type_source=facts.type_source, at=facts.at,
    )  # fmt: skip
    flags = [
        FoundFlag(
            flag.rule.id, flag.severity.value, flag.shadow, law_of(flag), reason_of(flag, told), dict(flag.evidence)
        )
        for flag in verdict.flags
    ]
    return Found(number, flags, {rule: each.reason for rule, each in verdict.undecided.items()})


def memory_of(judging: Judging) -> Memory:
    """A memory for one question: what is planned leaves no trace in the live one."""
    return Memory(judging.registry, judging.parameters, judging.rulebook)


def by_recipient(sends: Sequence[tuple[int, Send]]) -> dict[str, list[tuple[int, Send]]]:
    """Planned sends by recipient, in their order."""
    found: dict[str, list[tuple[int, Send]]] = {}
    for number, send in sends:
        found.setdefault(send.recipient, []).append((number, send))
    return found
