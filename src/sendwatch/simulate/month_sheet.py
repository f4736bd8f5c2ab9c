"""The sheet on which the cases of a month are written: ways to send of their own, sends, what comes back, consents.

Belongs here: records in order, in the shapes of the contract. Not here: what is planted and why (`month_cases.py`).

Every case has owners, ports, accounts and recipients that nothing else in the month has.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendwatch.simulate.carrier import uscc
from sendwatch.simulate.customers import grant
from sendwatch.simulate.malformed import encode
from sendwatch.simulate.phrases import COMMERCIAL, OTP, RETAIL
from sendwatch.simulate.truth import DAY, HOUR, MINUTE, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.customers import Act
    from sendwatch.simulate.world import World

USES: Final = ("otp", "service", "marketing")
SECOND: Final = 1000
ARRIVES: Final = 400  # ms after it was sent
FIRST_OWNER: Final = 90_000


class Way(NamedTuple):
    """Who sends under which name, from where."""

    owner: str
    signature: str
    port: str
    sp: str


class Sent(NamedTuple):
    """A send that was written."""

    id: str
    recipient: str
    way: Way
    at: int


class Planted(NamedTuple):
    """A breach that must open once more, and close where it `closes`.

    `subject` is as published, but for what a simulator cannot know: `recipient` is the number, `fingerprint` the text.
    """

    rule: str
    subject: dict[str, str]
    closes: bool


class Sheet:
    """What was written so far: `messages` in no order, `acts` that are on record before the month begins."""

    def __init__(self, world: World) -> None:
        """Write on top of a world that is built."""
        self._world = world
        self.carrier = world.carrier
        self.start_at = world.settings.start_at
        self.random = Random(f"{world.settings.seed}/month")
        self.messages: list[Message] = []
        self.acts: list[Act] = []
        self.planted: list[Planted] = []
        self.drifts: list[Way] = []
        self.honeypots: list[str] = []
        self._owners = FIRST_OWNER
        self._made = 0

    def at(self, day: int, hour: float = 10, minutes: float = 0) -> int:
        """A time of the month, ms: day 0 is the first, hours are UTC+8."""
        return self.start_at + int(day * DAY + hour * HOUR + minutes * MINUTE)

    def body(self, klass: str = RETAIL) -> str:
        """Any text of that class."""
        return self._world.phrases.body(klass, self.random)

    def stranger(self) -> str:
        """A recipient that nobody has written to."""
        recipients = self._world.recipients
        return recipients.name(recipients.stranger())

    def people(self, count: int, way: Way) -> list[str]:
        """Recipients who have consented to this owner's marketing."""
        some = [self.stranger() for _ in range(count)]
        self.acts += [grant(self.random, each, way.owner, self.start_at - 40 * DAY) for each in some]
        return some

    def consent_late(self, sent: Sent, after: int) -> None:
        """Write, so long after a send, that its recipient had consented before it."""
        act = grant(self.random, sent.recipient, sent.way.owner, self.start_at - 40 * DAY)
        self._write("consents", sent.recipient, act, sent.at + after)

    def way(self, prefix: str = "") -> Way:
        """An owner with a port and an account of its own, and a filing for all three; `prefix`: of its name."""
        carrier = self.carrier
        self._owners += 1
        signature = prefix + carrier.fresh_signature("retail")
        row = {"id": uscc(self._owners, self.random), "name": f"{signature}（虚构）有限公司"}
        sp = carrier.fresh_sp()
        way = Way(carrier.put("owners", row), signature, carrier.fresh_main(sp), sp)
        self.file(way)
        return way

    def moved(self, way: Way) -> Way:
        """The same name from another port of the same account, which is filed for nobody."""
        return way._replace(port=self.carrier.fresh_main(way.sp))

    def file(self, way: Way) -> None:
        """File the name of a way for its port."""
        row = {
            "id": self.carrier.fresh_id("F"), "signature": way.signature, "owner": way.owner, "uses": list(USES),
            "ports": [way.port], "valid_from": self.start_at - 300 * DAY,
        }  # fmt: skip
        self.carrier.put("signatures", row)

    def send(
        self, way: Way, at: int, recipient: str, klass: str = RETAIL, body: str | None = None, *, twice: bool = False
    ) -> Sent:
        """Write a send; `twice`: its record comes once more, unchanged."""
        self._made += 1
        send_id = f"m-{self._made:08d}"
        record = {
            "id": send_id, "recipient": recipient, "sp": way.sp, "port": way.port, "sent_at": at,
            "category": "marketing" if klass in COMMERCIAL else klass, "carrier": "CMCC", "province": "31",
            "text": f"【{way.signature}】{self.body(klass) if body is None else body}",
        }  # fmt: skip
        for times in range(1 + twice):
            self._write("sends", recipient, record, at + ARRIVES + times * MINUTE)
        return Sent(send_id, recipient, way, at)

    def report(self, sent: Sent, stat: str = "DELIVRD", after: int = 20 * SECOND) -> None:
        """Write what became of a send."""
        record = {"send_id": sent.id, "recipient": sent.recipient, "stat": stat, "done_at": sent.at + after}
        self._write("reports", sent.recipient, record, sent.at + after)

    def complain(self, sent: Sent, after: int = HOUR, *, named: bool = False) -> None:
        """Write a complaint about a send; `named`: by its signature, without its id."""
        at = sent.at + after
        self._made += 1
        record = {
            "id": f"x-{self._made:08d}", "recipient": sent.recipient, "channel": "12321", "port": sent.way.port,
            "received_at": at, **({"signature": sent.way.signature} if named else {"send_id": sent.id}),
        }  # fmt: skip
        self._write("complaints", sent.recipient, record, at)

    def complain_of_code(self, way: Way, at: int) -> None:
        """Write a complaint about a code that came long before the month; nothing is known of it but its text."""
        self._made += 1
        recipient = self.stranger()
        record = {
            "id": f"x-{self._made:08d}", "recipient": recipient, "channel": "12321", "port": way.port,
            "received_at": at, "signature": way.signature, "text": f"【{way.signature}】{self.body(OTP)}",
        }  # fmt: skip
        self._write("complaints", recipient, record, at)

    def plant(self, rule: str, *, closes: bool, **subject: str) -> None:
        """Note a breach that must open once more."""
        self.planted.append(Planted(rule, subject, closes))

    def consents(self) -> Iterator[Message]:
        """The acts that are on record, as they are written before the month begins."""
        for act in self.acts:
            yield Message("consents", act["recipient"].encode(), encode(act), self.start_at - HOUR)

    def _write(self, kind: str, recipient: str, record: dict[str, Any], at: int) -> None:
        self.messages.append(Message(kind, recipient.encode(), encode(record), at))
