"""What a batch's sends, reports and complaints add to the windows: joined, counted once, ready for the ledger.

Belongs here: joining reports and complaints to sends, counting, and what is to be kept of it. Not here: reading and
storing (`engine/`), whom a complaint is about (`complaints.py`).

    sent         a send to a honeypot, to a complainant, or one that a report waits for, when it is counted first
    copied       commercial sends of one text
    reported     a status report, after the batch's sends: joined to a kept send, or kept waiting where its send may
                 not have been read yet (it was done after the partition's event time), or counted as unmatched
    complained   a complaint: it waits until the sends before it have been read (event time has reached it)
    take_due     whom a complaint is about; counted once per message

Reports that are folded silently, since the ledger counts them already, leave their traces and count nothing; of
complaints the ledger holds the traces themselves.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sendwatch.windows.aftermath import (
    DELIVERED,
    RETALIATION,
    Aftermath,
    CaseRow,
    Heard,
    Sent,
    Slip,
    Told,
    forget,
    put_sent,
    run_of_blocked,
)
from sendwatch.windows.complaints import heard, resolve
from sendwatch.windows.limits import HOUR, Limits
from sendwatch.windows.sums import MOST_COPIES, Blocked, Complained, Copied, Hit, Reported, Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sendwatch.events import Complaint, Report
    from sendwatch.registry import Registry
    from sendwatch.windows.complaints import Way


class Joins:
    """The joins of one batch of one partition.

    `load` gives what is kept of recipients (nothing: an empty `Aftermath`). `complainants`: until when (ms) each one's
    sends are kept; `waiting`: those with a report that waits for its send. Both are the partition's, in memory.
    """

    def __init__(
        self,
        limits: Limits,
        load: Callable[[Iterable[bytes]], dict[bytes, Aftermath]],
        complainants: Mapping[bytes, int],
        waiting: Collection[bytes],
        canaries: Collection[str] = (),
    ) -> None:
        """Start with nothing."""
        self._limits = limits
        self._load = load
        self._complainants = complainants
        self._expected: dict[bytes, int] = {}
        self._waiting = waiting
        self._canaries = canaries
        self.opened: dict[bytes, Aftermath] = {}
        self.changed: set[bytes] = set()
        self._told: set[bytes] = set()
        self._hits = Counter[tuple[int, str, str]]()
        self._copies = Counter[tuple[int, str, str | None, str]]()
        self._left_out = 0
        self._reported = Counter[tuple[int, str, str, bool]]()
        self._complained = Counter[Complained]()
        self._refused = Counter[tuple[int, str]]()
        self._unmatched = 0

    def open(self, recipients: Iterable[bytes]) -> None:
        """Have what is kept of these recipients at hand."""
        missing = set(recipients) - self.opened.keys()
        if missing:
            self.opened.update(self._load(missing))

    def expect(self, recipient: bytes, complaint: Complaint) -> None:
        """Keep the sends of a recipient from now on: its complaint is in this batch, to be taken in after them."""
        self._expected[recipient] = complaint.received_at + RETALIATION

    def keeps_sends_of(self, recipient: bytes, at: int) -> bool:
        """Whether every send to a recipient at this time (ms) is kept."""
        return max(self._complainants.get(recipient, 0), self._expected.get(recipient, 0)) > at

    def matters(self, recipient: bytes, written: str) -> bool:
        """Whether a send to this recipient has to be taken in; `written` as it stands in the record."""
        return (
            recipient in self._complainants
            or recipient in self._waiting
            or recipient in self._expected
            or written in self._limits.honeypots
        )

    def sent(self, recipient: bytes, written: str, send: Way) -> None:
        """Take in a send that matters, when it is counted for the first time."""
        if send.sp in self._canaries:
            return
        if written in self._limits.honeypots:
            self._hits[send.at // HOUR, send.sp, send.port] += 1
        if self.keeps_sends_of(recipient, send.at):
            self.open((recipient,))
            put_sent(self.opened[recipient], Sent(send.id, send.at, send.sp, send.port, send.owner, send.type))
            self._note(recipient)
        if recipient in self._waiting:
            self._join_waiting(recipient, send)

    def copied(self, at: int, fingerprint: str, signature: str | None, port: str, count: int) -> None:
        """Take in so many commercial sends of one text, at a time (ms) of one clock hour."""
        key = (at // HOUR, fingerprint, signature, port)
        if key in self._copies or len(self._copies) < MOST_COPIES:
            self._copies[key] += count
        else:
            self._left_out += count

    def reported(
        self, recipient: bytes, report: Report, kept: Way | None, event_time: int, *, silent: bool = False
    ) -> None:
        """Take in a status report; `kept`: the send of that id in the recipient's dossier. Opened beforehand."""
        aftermath = self.opened[recipient]
        if aftermath.slip(report.send_id) is not None:
            return  # of several reports on a send the first counts
        own = aftermath.sent(report.send_id)
        send: Way | None = own if own is not None else kept
        waits = send is None and report.done_at > event_time
        if send is None and not waits:
            self._unmatched += not silent
            return
        aftermath.slips.append(Slip(report.send_id, report.done_at, report.stat, counted=send is not None))
        self.changed.add(recipient)
        if own is not None:
            own.stat = report.stat
            self._note(recipient)
        if send is not None and not silent:
            self._count_report(report.done_at, report.stat, send)

    def complained(self, recipient: bytes, complaint: Complaint, token: str) -> None:
        """Take in a complaint; `take_due` finds whom it is about. `token`: the recipient's. Opened beforehand."""
        aftermath = self.opened[recipient]
        if not aftermath.knows(complaint.id):
            aftermath.token = token
            aftermath.heard.append(heard(complaint))
            self._note(recipient)

    def take_due(
        self,
        recipient: bytes,
        kept: Iterable[Way],
        registry: Registry,
        event_time: int,
        place: Callable[[Way], tuple[str | None, str | None]] = lambda _: (None, None),
    ) -> None:
        """Find whom the complaints are about that waited for the sends before them, and count them.

        `kept` are the dossier's sends; `place` tells carrier and province of one. Opened beforehand.
        """
        aftermath, sends = self.opened[recipient], list(kept)
        due = [each for each in aftermath.heard if each.received_at <= event_time]
        for complaint in due:
            aftermath.heard.remove(complaint)
            self._note(recipient)
            self._count_complaint(aftermath, complaint, sends, registry, place)

    def _count_complaint(
        self,
        aftermath: Aftermath,
        complaint: Heard,
        kept: Sequence[Way],
        registry: Registry,
        place: Callable[[Way], tuple[str | None, str | None]],
    ) -> None:
        known: dict[str, Way] = {each.id: each for each in aftermath.sends} | {each.id: each for each in kept}
        about = resolve(complaint, known.values(), registry)
        repeated = any(told.message == about.message for told in aftermath.told)
        aftermath.told.append(Told(complaint.id, complaint.received_at, about.owner, about.message))
        for each in kept:  # what was kept anyway after the complaint
            if each.at > complaint.received_at and aftermath.sent(each.id) is None:
                put_sent(aftermath, Sent(each.id, each.at, each.sp, each.port, each.owner, each.type))
        if repeated:
            return
        send = about.send
        carrier, province = place(send) if send is not None else (None, None)
        self._complained[
            Complained(
                hour=complaint.received_at // HOUR,
                owner=about.owner,
                port=about.port,
                channel=complaint.channel,
                type=send.type if send is not None else None,
                sp=send.sp if send is not None else None,
                carrier=carrier,
                province=province,
                about_code=about.about_code,
                found=about.found,
            )
        ] += 1

    def refused(self, owners: Iterable[str], received_at: int) -> None:
        """Take in a refusal that was resolved, toward these owners."""
        for owner in owners:
            self._refused[received_at // HOUR, owner] += 1

    def sums(self, event_time: int) -> Sums:
        """What the ledger record carries; forgets what is too old."""
        blocked = [row for recipient in sorted(self._told) for row in self._blocked(recipient)]
        for recipient in self.changed:
            forget(self.opened[recipient], event_time)
        lanes = sorted({(hour, sp, port) for hour, sp, port, _ in self._reported})
        return Sums(
            complained=sorted(self._complained.items(), key=repr),
            reported=[Reported(*lane, self._reported[*lane, True], self._reported[*lane, False]) for lane in lanes],
            hits=[Hit(*key, count) for key, count in sorted(self._hits.items())],
            copied=[Copied(*key, count) for key, count in sorted(self._copies.items(), key=repr)],
            copies_left_out=self._left_out,
            blocked=blocked,
            refused=[(hour, owner, count) for (hour, owner), count in sorted(self._refused.items())],
            unmatched=self._unmatched,
        )

    def cases(self) -> list[CaseRow]:
        """The complainants' rows of the ledger record: those of this batch that changed."""
        return [CaseRow(recipient, self.opened[recipient]) for recipient in sorted(self._told)]

    def _note(self, recipient: bytes) -> None:
        self.changed.add(recipient)
        self._told.add(recipient)

    def _join_waiting(self, recipient: bytes, send: Way) -> None:
        self.open((recipient,))
        slip = self.opened[recipient].slip(send.id)
        if slip is not None and not slip.counted:
            slip.counted = True
            self.changed.add(recipient)
            self._count_report(slip.done_at, slip.stat, send)

    def _count_report(self, done_at: int, stat: str, send: Way) -> None:
        if send.sp not in self._canaries:
            self._reported[done_at // HOUR, send.sp, send.port, stat == DELIVERED] += 1

    def _blocked(self, recipient: bytes) -> list[Blocked]:
        aftermath = self.opened[recipient]
        owners = sorted({told.owner for told in aftermath.told if told.owner is not None})
        runs = {owner: run_of_blocked(aftermath, owner, self._limits.blocking) for owner in owners}
        until = {owner: max(t.received_at for t in aftermath.told if t.owner == owner) for owner in owners}
        return [Blocked(aftermath.token, owner, run, until[owner] + RETALIATION) for owner, run in runs.items()]
