"""What came back about the recipients of one partition, in the partition's store.

Belongs here: loading and storing it, and the two small sets that tell a send in passing whether it matters: whose sends
are all kept, and who has a report that waits. Not here: what is kept of a recipient (`windows/aftermath.py`).

    a recipient   what is kept of the recipient
    w recipient   a mark: until when every send is kept, when a waiting complaint is due (8 bytes each, ms; 0: not at
                  all), and whether a report waits (1 byte)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.windows.aftermath import Aftermath, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sendwatch.engine.store import Store
    from sendwatch.windows.aftermath import CaseRow

KEPT, MARK = b"a", b"w"
TIME_BYTES = 8


class Aftermaths:
    """Of one partition. By recipient: `until` when every send is kept, when a complaint is `due`; `waiting` reports."""

    def __init__(self, store: Store) -> None:
        """Take up where the store stopped."""
        self._store = store
        self.until: dict[bytes, int] = {}
        self.due: dict[bytes, int] = {}
        self.waiting: set[bytes] = set()
        for key, value in store.scan(MARK):
            self._note(key[len(MARK) :], value)

    def due_by(self, event_time: int) -> list[bytes]:
        """The recipients with a complaint that can be taken in at this event time."""
        return [recipient for recipient, at in self.due.items() if at <= event_time]

    def load(self, recipients: Iterable[bytes]) -> dict[bytes, Aftermath]:
        """What is kept of these recipients."""
        wanted = sorted(set(recipients))
        values = self._store.get_many([KEPT + recipient for recipient in wanted])
        return {
            recipient: Aftermath() if value is None else unpack(value)
            for recipient, value in zip(wanted, values, strict=True)
        }

    def replay(self, cases: Iterable[CaseRow]) -> None:
        """Apply rows of ledger records that the store has not seen; reports that it has joined itself stay."""
        latest = {row.recipient: row.aftermath for row in cases}
        for recipient, known in self.load(latest).items():
            joined = {slip.send_id: slip for slip in (*known.slips, *latest[recipient].slips)}
            latest[recipient].slips = sorted(joined.values(), key=lambda slip: slip.done_at)
        if latest:
            self._store.write(changes_of(latest))
            self.applied(latest)

    def applied(self, changed: Mapping[bytes, Aftermath]) -> None:
        """Note what was written of these recipients."""
        for recipient, aftermath in changed.items():
            self._note(recipient, mark_of(aftermath))

    def _note(self, recipient: bytes, mark: bytes | None) -> None:
        for known in (self.until, self.due):
            known.pop(recipient, None)
        self.waiting.discard(recipient)
        if mark is None:
            return
        until, due = (int.from_bytes(mark[at : at + TIME_BYTES], "big") for at in (0, TIME_BYTES))
        if until:
            self.until[recipient] = until
        if due:
            self.due[recipient] = due
        if mark[-1]:
            self.waiting.add(recipient)


def mark_of(aftermath: Aftermath) -> bytes | None:
    """The mark of a recipient; None: none of it matters to sends in passing."""
    times = (max(0, aftermath.complained_until()), aftermath.due_at())
    if not any(times) and not aftermath.waiting:
        return None
    return b"".join(time.to_bytes(TIME_BYTES, "big") for time in times) + bytes([aftermath.waiting])


def changes_of(changed: Mapping[bytes, Aftermath]) -> dict[bytes, bytes | None]:
    """What is kept of these recipients, and their marks, as changes of the store."""
    changes: dict[bytes, bytes | None] = {}
    for recipient, aftermath in changed.items():
        changes[KEPT + recipient] = None if aftermath.empty else pack(aftermath)
        changes[MARK + recipient] = mark_of(aftermath)
    return changes
