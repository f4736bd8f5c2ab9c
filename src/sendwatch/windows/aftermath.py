"""What came back about one recipient's sends: status reports and complaints, as far as the windows need them.

Belongs here: the shape, what is kept how long, and the longest run of blocked sends (B6). Not here: finding the send
that a complaint is about (`complaints.py`), storing (`engine/`).

Nearly every recipient has none, or a few reports of the last days. Of a complainant every send is kept for 30 days
after the complaint: that is what tells whether it cost him his codes. All of it can be rebuilt: complaints and
complainants' sends from the ledger (`CaseRow`), the rest from the reports' topic.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from sendwatch.windows.limits import DAY, HOUR

RETALIATION = 30 * DAY
REPORTS_WITHIN = 96 * HOUR
"""As long as commercial sends are kept with the default window; a report that comes later joins nothing."""
MOST_SLIPS, MOST_SENDS, MOST_TOLD = 500, 2000, 100
"""Of one recipient; more is somebody's test phone, and the oldest go first."""


class Slip(Struct, array_like=True, gc=False):
    """The first status report on a send. `counted`: it was joined; else it waits for its send to be read."""

    send_id: str
    done_at: int
    stat: str
    counted: bool


class Told(Struct, array_like=True, gc=False):
    """A complaint. `message` is what it is about, so that several about one message count once."""

    id: str
    received_at: int
    owner: str | None
    message: str


class Heard(Struct, array_like=True, gc=False):
    """A complaint as far as it tells whom it is about; its text is read, and not kept.

    `head`, `tail`: the signatures that it gives, folded; `by`: `signature` or `text`, whichever gives them. `klass` of
    its text where that is sure, `said` its fingerprint.
    """

    id: str
    channel: str
    port: str
    received_at: int
    sent_at: int | None
    send_id: str | None
    head: str | None
    tail: str | None
    by: str
    klass: str | None
    said: str


class Sent(Struct, array_like=True, gc=False):
    """A send to a complainant; `stat` None: nothing was reported of it."""

    id: str
    at: int
    sp: str
    port: str
    owner: str | None
    type: str | None
    stat: str | None = None


class Aftermath(Struct, array_like=True, gc=False):
    """All of one recipient.

    `heard`: complaints that wait until the sends before them have been read. `token`: the complainant's, as published.
    """

    told: list[Told] = field(default_factory=list)
    sends: list[Sent] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    token: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is kept, so that the store need not hold it."""
        return not (self.told or self.sends or self.slips or self.heard)

    def knows(self, complaint_id: str) -> bool:
        """Whether a complaint of this id was taken in, or waits."""
        return any(each.id == complaint_id for each in self._complaints())

    def due_at(self) -> int:
        """When (ms) the first complaint that waits can be taken in; 0: none waits."""
        return min((heard.received_at for heard in self.heard), default=0)

    @property
    def waiting(self) -> bool:
        """Whether a report waits for its send."""
        return any(not slip.counted for slip in self.slips)

    def complained_until(self) -> int:
        """Up to when (ms) every send is kept; 0: none."""
        return max((each.received_at for each in self._complaints()), default=-RETALIATION) + RETALIATION

    def complained_since(self) -> int | None:
        """The time (ms) of the first complaint that is kept."""
        return min((each.received_at for each in self._complaints()), default=None)

    def _complaints(self) -> list[Told | Heard]:
        return [*self.told, *self.heard]

    def slip(self, send_id: str) -> Slip | None:
        """The report on this send."""
        return next((slip for slip in self.slips if slip.send_id == send_id), None)

    def sent(self, send_id: str) -> Sent | None:
        """The complainant's send of this id."""
        return next((sent for sent in self.sends if sent.id == send_id), None)


class CaseRow(Struct, array_like=True):
    """What is kept of a complainant as it stands after a range; the last row of a recipient holds."""

    recipient: bytes
    aftermath: Aftermath


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Aftermath).decode


def put_sent(aftermath: Aftermath, sent: Sent) -> None:
    """Keep a complainant's send, in order of time; a repeat takes the place of the first."""
    known = aftermath.sent(sent.id)
    if known is not None:
        aftermath.sends.remove(known)
        sent.stat = sent.stat or known.stat
    slip = aftermath.slip(sent.id)
    if slip is not None:
        sent.stat = slip.stat
    aftermath.sends.append(sent)
    aftermath.sends.sort(key=lambda each: (each.at, each.id))


def forget(aftermath: Aftermath, now: int) -> None:
    """Drop what nothing can ask for any more at this event time (ms)."""
    aftermath.told = [told for told in aftermath.told if told.received_at > now - RETALIATION][-MOST_TOLD:]
    aftermath.slips = [slip for slip in aftermath.slips if slip.done_at > now - REPORTS_WITHIN][-MOST_SLIPS:]
    aftermath.heard = aftermath.heard[-MOST_TOLD:]
    first = aftermath.complained_since()
    aftermath.sends = [] if first is None else [each for each in aftermath.sends if each.at >= first][-MOST_SENDS:]


def run_of_blocked(aftermath: Aftermath, owner: str, blocking: frozenset[str]) -> int:
    """The most otp or service sends of `owner` in a row reported blocked, none delivered between, after a complaint.

    Sends of which nothing, or something else, was reported neither count nor end a run.
    """
    spans = [(told.received_at, told.received_at + RETALIATION) for told in aftermath.told if told.owner == owner]
    longest = run = 0
    for sent in aftermath.sends:
        if sent.owner != owner or not is_needed(sent.type) or not any(a < sent.at < b for a, b in spans):
            continue
        if sent.stat is not None and sent.stat in blocking:
            run += 1
        elif sent.stat == DELIVERED:
            run = 0
        longest = max(longest, run)
    return longest


DELIVERED = "DELIVRD"


def is_needed(kind: str | None) -> bool:
    """Whether a send is what its recipient needs: a code or a service message."""
    return kind is not None and kind.partition(".")[0] in {"otp", "service"}
