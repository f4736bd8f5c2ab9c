"""A send in the making, and how it becomes a record: the fields in their order, oddities that mean nothing.

Nothing here plants a violation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sendwatch.simulate.carrier import CARRIERS, PROVINCES, Line, Template
from sendwatch.simulate.phrases import SERVICE, sign
from sendwatch.simulate.truth import HOUR

if TYPE_CHECKING:
    from random import Random

    from sendwatch.simulate.customers import Act, Recipients
    from sendwatch.simulate.phrases import Phrases

EXTENSIONS: Final = (
    "",
    "",
    "",
    "1",
    "01",
    "02",
    "88",
    "001",
    "1111",
)  # digits that a sender adds to its sub-port

_HOMES: Final = tuple((CARRIERS[place % 7 % 3], PROVINCES[place % 31]) for place in range(7 * 31))


class Draft(msgspec.Struct, gc=False):
    """A send in the making: `body` is the text without signature (None: the send has no text), `extra` what
    else the record holds, `flags` what follows from the text.
    """

    sent_at: int
    recipient: int
    line: Line
    klass: str
    declared: str
    body: str | None
    template: str | None = None
    deliver_at: int | None = None
    extra: dict[str, Any] = {}
    flags: frozenset[str] = frozenset()

    @property
    def at(self) -> int:
        return self.sent_at if self.deliver_at is None else self.deliver_at


class Slice(msgspec.Struct, frozen=True, gc=False):
    """One part of a long message: its number, when it is sent and when it arrives, in ms after the draft's time."""

    no: int
    after: int
    arrives: int


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A send at a time of its own; `flags` is all that it is flagged with, `acts` the consents written for
    it.

    `delay`: how long after it was sent it arrives, ms; None: at once. `once`: it is never sent twice. Of a long
    message `slices` has the parts that come, in no order, of `total`; `thin`: the first one holds no more than the
    beginning of the signature.
    """

    name: str
    draft: Draft
    flags: frozenset[str]
    acts: tuple[Act, ...] = ()
    delay: int | None = None
    once: bool = False
    slices: tuple[Slice, ...] = ()
    ref: int | str = 0
    total: int = 1
    thin: bool = False


class Templated(msgspec.Struct, frozen=True, gc=False):
    """A clean line with a template for each class, `old` ones that have run out, and the one link they
    allow.
    """

    line: Line
    old: dict[str, Template]


class Pen:
    """What a function of this module writes with."""

    def __init__(self, random: Random, phrases: Phrases, templated: Templated | None) -> None:
        self.random, self.phrases, self.templated = random, phrases, templated

    def template(self, draft: Draft) -> Template:
        assert self.templated is not None
        return self.templated.line.templates[draft.klass]


def record_of(draft: Draft, number: int, recipients: Recipients, phrases: Phrases, random: Random) -> dict[str, Any]:
    """The record of a draft; `number` makes its id."""
    line, draw = draft.line, random.random
    record: dict[str, Any] = {
        "id": f"{number % 16:02d}-{number:010d}",
        "recipient": recipients.name(draft.recipient),
        "sp": line.sp,
        "port": line.prefix + EXTENSIONS[int(draw() * len(EXTENSIONS))],
        "sent_at": draft.sent_at,
        "category": draft.declared,
    }
    body = draft.body
    if body is not None:
        while not line.signature and "】" in body:  # it would be read as a signature
            body = phrases.body(draft.klass, random)
        titled = draft.klass == SERVICE and draft.template is None
        record["text"] = sign(line.signature, body, line.owner * 0.618 % 1, titled=titled)  # each where it always does
    if draft.template is not None:
        record["template"] = draft.template
    if not line.open or draw() < 0.95:
        carrier, province = _HOMES[draft.recipient % len(_HOMES)]
        if not line.open:
            carrier = carrier if carrier in line.carriers else random.choice(line.carriers)
            province = province if province in line.provinces else random.choice(line.provinces)
        record["carrier"], record["province"] = carrier, province
    if draft.deliver_at is not None:
        record["deliver_at"] = draft.deliver_at
    return record | draft.extra if draft.extra else record


def cut(text: str, total: int, *, thin: bool) -> list[str]:
    """A text in that many pieces of about the same length; `thin`: the first has two characters."""
    first = text[:2] if thin else text[: len(text) // total]
    rest, many = text[len(first) :], total - 1
    size = -(-len(rest) // many)
    return [first, *(rest[place * size : (place + 1) * size] for place in range(many))]


def parts_of(record: dict[str, Any], prepared: Prepared) -> list[tuple[int, dict[str, Any]]]:
    """The records of a long message's parts, each with its number; `record` is the whole message's."""
    texts = cut(record["text"], prepared.total, thin=prepared.thin)
    return [
        (
            each.arrives,
            record
            | {
                "id": f"{record['id']}-{each.no}",
                "sent_at": record["sent_at"] + each.after,
                "text": texts[each.no - 1],
                "part": {"ref": prepared.ref, "no": each.no, "total": prepared.total},
            },
        )
        for each in prepared.slices
    ]


def nonsense(draft: Draft, random: Random) -> dict[str, Any]:
    """One optional field that means nothing, to be treated as absent."""
    at = draft.sent_at
    choices: list[dict[str, Any]] = [
        {"deliver_at": at - 1}, {"deliver_at": at + 72 * HOUR + 1}, {"deliver_at": "tomorrow"},
        {"part": {"ref": 1, "no": 3, "total": 2}}, {"part": "1/2"}, {"request": 5}, {"request": ""},
    ]  # fmt: skip
    if draft.template is None:
        choices.append({"template": ["T-000001"]})
    if draft.line.open:
        choices += [{"carrier": 7}, {"province": 11}, {"province": "4400"}]
    return random.choice(choices)


def retold(value: bytes, random: Random) -> bytes:
    """The same record as another JSON library would write it: same meaning, other bytes."""
    draw = random.randrange(5)
    if draw == 0:
        return (
            b'{"port":"0","trace":{"hop":[1,2,{"x":null}],"note":"\xe6\xb3\xa8"},' + value[1:]
        )  # a name twice: the last counts
    record = msgspec.json.decode(value)
    if draw == 1:
        return json.dumps(record).encode()
    if draw == 2:
        return json.dumps(record, ensure_ascii=False, indent=2).encode()
    if draw == 3:
        return msgspec.json.encode(dict(sorted(record.items(), reverse=True)))
    return msgspec.json.encode({**record, "request": None, "part": None, "fee": 0.045, "sp_name": "x" * 20})
