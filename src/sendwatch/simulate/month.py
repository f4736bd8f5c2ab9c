"""A month of a small carrier, with breaches planted in it, and which of them must open and close.

Belongs here: the month as messages, the usual background included. Not here: the cases (`month_cases.py`), what single
sends are flagged with (`story.py`).

The background is a story's traffic with its own violations, of which reports and a few complaints come back: it must
open nothing. The month is 618's: a time that has passed, since nothing is counted that is said to be in the future.
"""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush, merge
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from sendwatch.simulate.malformed import encode
from sendwatch.simulate.month_cases import CASES
from sendwatch.simulate.month_sheet import Sheet
from sendwatch.simulate.phrases import OTP
from sendwatch.simulate.story import Story
from sendwatch.simulate.truth import DAY, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sendwatch.simulate.month_sheet import Planted, Way

START_AT: Final = 1_779_638_400_000  # 2026-05-25 00:00 UTC+8, a Monday
DAYS: Final = 30
LAST_DAY: Final = DAYS - 1  # nothing but the epilogue
LIMITS: Final = {"breaches.complaints_per_million": "1000", "breaches.few_sends": "300"}
"""A carrier with a few thousandths of the usual traffic: so much higher is the rate that is proved by as many
complaints, and so much lower the number of sends from which on a rate is asked for."""

COMPLAINS: Final = 0.01
MOST_COMPLAINTS: Final = 3  # about one port, of the background
LAST_WORD: Final = DAY  # before the end: a complaint is taken in when sends after it have been read
UNDELIVERED: Final = 0.03


class Seen(msgspec.Struct):
    """What the background's answers are made from."""

    id: str
    recipient: str
    port: str
    sent_at: int
    category: str = ""


read = msgspec.json.Decoder(Seen).decode


class Month:
    """The same settings give the same messages. `sends`: of the background; the cases add some 7,700."""

    def __init__(
        self,
        seed: int = 1,
        sends: int = 6000,
        *,
        recipients: int = 1500,
        owners: int = 150,
        start_at: int = START_AT,
        partitions: int = 4,
    ) -> None:
        """Build the carrier, and write every case on top of it."""
        self.story = Story(
            seed, sends, recipients, owners, start_at, LAST_DAY, malformed=0.0, repeats=0.0, partitions=partitions,
            neighbours=True, replies=True,
        )  # fmt: skip
        self._seed = seed
        self._sheet = Sheet(self.story.world)
        for case in CASES:
            case(self._sheet)
        self._last = self._sheet.way()

    @property
    def planted(self) -> list[Planted]:
        """The breaches that must open, each as often as it stands here, and no others."""
        return self._sheet.planted

    @property
    def drifts(self) -> list[Way]:
        """Ways of sending that must be told as drifting at the end of the month."""
        return self._sheet.drifts

    @property
    def honeypots(self) -> list[str]:
        """The recipients that nobody can know but by guessing."""
        return self._sheet.honeypots

    @property
    def count(self) -> int:
        """About how many sends there are, the background's and the cases'."""
        return self.story.settings.sends + sum(message.kind == "sends" for message in self._sheet.messages)

    def facts(self) -> Iterator[Message]:
        """Registries and consents, written before the month begins."""
        yield from self.story.facts()
        yield from self._sheet.consents()

    def sends(self) -> Iterator[Message]:
        """The month's sends and what comes back, in order of arrival."""
        planted = sorted(self._sheet.messages, key=_arrives)
        yield from merge(answered(self.story.sends(), self._seed, self.story.end_at - LAST_WORD), planted, key=_arrives)

    def epilogue(self) -> Iterator[list[Message]]:
        """Life goes on: codes of an hour or two later, to be written when all before them is judged, thrice.

        What is over by then closes, however late some partition was.
        """
        for hours in (2, 4, 6):
            written = len(self._sheet.messages)
            for _ in range(8):
                at = self._sheet.at(LAST_DAY, hours)
                self._sheet.send(self._last, at, self._sheet.stranger(), OTP)
            yield self._sheet.messages[written:]
            del self._sheet.messages[written:]


def answered(messages: Iterable[Message], seed: int, until: int) -> Iterator[Message]:
    """Traffic with reports on its marketing, and up to a time a few complaints; never many about one port."""
    random, about = Random(f"{seed}/answers"), Counter[str]()
    later: list[tuple[int, int, Message]] = []
    for number, message in enumerate(messages):
        while later and later[0][0] <= message.timestamp:
            yield heappop(later)[2]
        yield message
        if message.kind != "sends":
            continue
        send = read(message.value or b"{}")
        if send.category.startswith("marketing"):
            stat = "UNDELIV" if random.random() < UNDELIVERED else "DELIVRD"
            done_at = max(send.sent_at, message.timestamp) + 1000 + int(random.random() * 60_000)
            report = {"send_id": send.id, "recipient": send.recipient, "stat": stat, "done_at": done_at}
            heappush(later, (done_at, 2 * number, Message("reports", message.key, encode(report), done_at)))
            told = _complaint(send, done_at + int(random.random() * DAY))
            if random.random() < COMPLAINS and about[send.port[:8]] < MOST_COMPLAINTS and told.timestamp < until:
                about[send.port[:8]] += 1
                heappush(later, (told.timestamp, 2 * number + 1, told))
    yield from (message for _, _, message in sorted(later))


def _complaint(send: Seen, at: int) -> Message:
    record = {
        "id": f"b{send.id}", "recipient": send.recipient, "channel": "10086999", "port": send.port,
        "received_at": at, "send_id": send.id,
    }  # fmt: skip
    return Message("complaints", send.recipient.encode(), encode(record), at)


def _arrives(message: Message) -> int:
    return message.timestamp
