"""The world that traffic is drawn from: the simulated carrier, whose lines are good or faulty, and its recipients.

Belongs here: who may send on what, who has agreed to what, and what follows where something is wrong on purpose. Not
here: the sends themselves (`traffic.py`). Nothing is found by judging: the simulator's own functions plant a fault and
say what must be flagged.

Recipients are numbers 0 … count-1. Every so-manieth is *odd*: it deals with one owner only, and its consent is not in
order. All others have agreed to hear from one to three owners.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from bench.texts import Writer
from sendwatch.simulate.carrier import Carrier
from sendwatch.simulate.customers import EXPLICIT, Recipients
from sendwatch.simulate.misfilings import misfile
from sendwatch.simulate.misworded import with_templates
from sendwatch.simulate.phrases import Phrases
from sendwatch.simulate.plans import LINES
from sendwatch.simulate.refusals import ALONE, ANYBODY, GROUPED, PLANS, PLATFORM, Case
from sendwatch.simulate.story import START_AT
from sendwatch.simulate.truth import DAY, HOUR, Course

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from sendwatch.simulate.carrier import Line

OPENS_AT = START_AT + 10 * HOUR  # Monday, ten in the morning: nothing is quiet, all is in force
MOST_A_DAY = 100  # what a consent allows at least; no traffic comes near it
CONSENT_SHARE, LINE_SHARE, TEXT_SHARE, NIGHT_SHARE = 0.5, 0.25, 0.2, 0.05  # of what is planted
COMMERCIAL_SHARE, OTP_SHARE = 0.4, 0.25  # of all sends
ZIPF = 1.1  # the exponent of owners' shares in the traffic
FLAWED = 0.85  # the part of sends to odd recipients that is flagged; the rest are traps
REPLIED = 20  # every so-manieth odd recipient has refused by a reply


class Wish(Struct, frozen=True):
    """What traffic is asked for; `flags` is the part of the sends that is to be flagged, more or less."""

    sends: int = 500_000
    recipients: int = 1_000_000
    partitions: int = 4
    flags: float = 0.02
    spread: Literal["zipf", "uniform"] = "zipf"
    owners: int = 12_000  # they file some 20,000 signatures
    per_second: int = 5_000
    seed: int = 1


class Odd(Struct, gc=False):
    """A recipient's one owner, with whom something is not in order, and the flags by class of send."""

    owner: int
    courses: dict[str, Course]
    acts: list[dict[str, Any]]
    reply: dict[str, Any] | None = None


class Town:
    """Everything but the sends. The same wish gives the same town."""

    def __init__(self, wish: Wish) -> None:
        """Takes some seconds: thousands of owners file their papers."""
        self.wish = wish
        self.phrases = Phrases(wish.seed)
        self.carrier = carrier = Carrier(wish.seed, wish.owners, START_AT, START_AT + 7 * DAY, self.phrases)
        self.faulty_of: dict[int, list[Line]] = {}
        for line in (line for lines in misfile(carrier, LINES).values() for line in lines):
            self.faulty_of.setdefault(line.owner, []).append(line)
        some = carrier.random.sample(carrier.traders, max(4, wish.owners // 50))
        self.templated = {number: with_templates(carrier, carrier.owners[number]) for number in some}
        self.writer = Writer(wish.seed, self.phrases)
        self.recipients = Recipients(wish.seed, "number", wish.recipients)
        part_odd = wish.flags * CONSENT_SHARE / COMMERCIAL_SHARE / FLAWED
        self.every = max(2, round(1 / part_odd)) if part_odd else 2**62
        self._settle()
        self._choose()

    def is_odd(self, index: int) -> bool:
        """Whether that recipient is one of the odd ones."""
        return index % self.every == self.every // 2

    def _settle(self) -> None:
        """Give every recipient its owners: `owners[index, :count[index]]`."""
        draw = np.random.default_rng([self.wish.seed, 1])
        traders = np.array(self.carrier.traders, dtype=np.int32)
        size = (self.wish.recipients, 3)
        self.owners = traders[ranks(draw.random(size, dtype=np.float32), len(traders))]
        self.count = 1 + np.searchsorted([0.70, 0.92], draw.random(len(self.owners))).astype(np.int8)

    def _choose(self) -> None:
        carrier = self.carrier
        traders = [carrier.owners[number] for number in carrier.traders]
        self._owners = {
            ANYBODY: traders, ALONE: traders,
            PLATFORM: [owner for owner in traders if owner.sector == PLATFORM],
            GROUPED: [owner for owner in traders if carrier.kin(owner) is not None],
        }  # fmt: skip
        self._plans = [plan for plan in PLANS.values() for _ in range(plan[2])]
        filings = [row.value for row in carrier.rows if row.kind == "signatures" and row.value is not None]
        approved = {(row["owner"], row["ports"][0]) for row in filings if row.get("status", "approved") == "approved"}
        self._answerable = [owner for owner in traders if (owner.id, carrier.lines[owner.number][0].prefix) in approved]

    def odd(self, index: int) -> Odd:
        """What is not in order with that recipient."""
        random = Random(f"{self.wish.seed}/odd/{index}")
        name = self.recipients.name(index)
        if index // self.every % REPLIED == 0:
            return self._refused_by_reply(random, name)
        build, who, _ = random.choice(self._plans)
        owner = random.choice(self._owners[who])
        case = Case(random, self.carrier, name, owner)
        courses = build(case)
        if isinstance(courses, Course):
            courses = dict.fromkeys(owner.commercial, courses)
        return Odd(owner.number, courses, case.acts)

    def _refused_by_reply(self, random: Random, name: str) -> Odd:
        """A reply, three days and more ago, that refuses whatever was sent from that port: C5 and C9."""
        owner = random.choice(self._answerable)
        case = Case(random, self.carrier, name, owner)
        case.granted()
        line = self.carrier.lines[owner.number][0]
        received_at = START_AT - (3 + int(random.random() * 20)) * DAY
        reply = {"id": f"m{random.getrandbits(56):014x}", "recipient": name, "port": f"{line.prefix}01",
                 "text": random.choice(("退订", "拒收", "TDZD", " stop ")), "received_at": received_at}  # fmt: skip
        flags = Course(frozenset({"C5_AFTER_OPT_OUT", "C9_OPT_OUT_IGNORED"}))
        return Odd(owner.number, dict.fromkeys(owner.commercial, flags), case.acts, reply)


def ranks(drawn: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int32]:
    """Ranks below `count` by Zipf's law: of 12,000 owners the first 100 have six tenths of the traffic."""
    bend = 1 - ZIPF
    found = (1 + drawn.astype(np.float64) * ((count + 1) ** bend - 1)) ** (1 / bend) - 1
    rank: npt.NDArray[np.int32] = np.clip(found, 0, count - 1).astype(np.int32)
    return rank


class Consents:
    """Writes what recipients have agreed to, as the values of records."""

    def __init__(self, town: Town, share: int) -> None:
        """`share`: which part of the recipients this one is for; it only seeds what does not matter."""
        self._town = town
        self._random = Random(f"{town.wish.seed}/consents/{share}")
        self._digests = [f"{self._random.getrandbits(256):064x}".encode() for _ in range(8192)]
        self._ids = [owner.id.encode() for owner in town.carrier.owners]
        self._types = [msgspec.json.encode(owner.commercial) for owner in town.carrier.owners]

    def of(self, index: int, name: bytes) -> Iterator[bytes]:
        """The acts of a recipient with whom all is in order."""
        town, draw = self._town, self._random.random
        for owner in town.owners[index, : town.count[index]].tolist():
            age = int((2 + draw() * 500) * DAY)
            chance = draw()
            if chance < 0.03:
                yield self._withdrawal(name, owner, age + 9 * DAY)
            elif chance < 0.05:
                yield self._grant(name, owner, age + 3 * HOUR, b"registration", b"")
            more = b""
            if draw() > 0.7:
                more = b',"types":' + self._types[owner]
            if chance > 0.9:
                more += b',"expires_at":%d' % (START_AT + 30 * DAY + age)
            elif chance < 0.1:
                more += b',"max_per_day":%d' % (MOST_A_DAY + int(chance * 100))
            yield self._grant(name, owner, age, EXPLICIT[int(draw() * len(EXPLICIT))].encode(), more)
            if chance > 0.98:  # takes back what nobody had granted: covers no type that is sent
                yield self._withdrawal(name, owner, age // 2, b',"types":["marketing.events"]')

    def _grant(self, name: bytes, owner: int, age: int, method: bytes, more: bytes) -> bytes:
        at, bits = START_AT - age, self._random.getrandbits(56)
        return (
            b'{"id":"c%014x","recipient":"%b","owner":"%b","action":"grant","effective_at":%d,"method":"%b",'
            b'"proof":{"id":"proof-%012x","sha256":"%b","captured_at":%d}%b}'
        ) % (
            bits, name, self._ids[owner], at, method, bits >> 8, self._digests[bits & 8191], at - (bits & 0xFFFFF), more
        )  # fmt: skip

    def _withdrawal(self, name: bytes, owner: int, age: int, more: bytes = b"") -> bytes:
        return b'{"id":"w%014x","recipient":"%b","owner":"%b","action":"withdraw","effective_at":%d%b}' % (
            self._random.getrandbits(56), name, self._ids[owner], START_AT - age, more
        )  # fmt: skip
