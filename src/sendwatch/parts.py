"""Long messages: which parts belong together, and when they are judged.

Belongs here: grouping parts, whatever the order in which they came. Not here: reading the whole text (`text/`),
judging it (`judge.py`), fetching texts (`engine/`): of a part only its place is kept, never its text.

The parts of one (recipient, port, ref, total) whose `sent_at` lies in [first, first + 10 min) are one message; the next
later one opens another. Of a repeated number the lowest offset counts. A message is judged when all its parts are
there, or when event time has passed the ten minutes; and again when a part turns up after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.events import Send

TOGETHER = 10 * 60_000
ANEW = -1
Key = tuple[str, str | int, int]  # port, ref, total


class Piece(Struct, array_like=True, gc=False):
    """One part as it is kept: its number, its record in `sms.sends`, the digest of its fields."""

    no: int
    id: str
    offset: int
    sent_at: int
    arrived: int
    digest: bytes


Message = tuple[Piece, ...]  # the pieces of one long message, by number


class Counted(Struct, frozen=True, array_like=True, gc=False):
    """How one send was counted: the row of the tallies (`minute` since 1970 UTC), and whether some rule could not say.

    What is known later may be something else: then it is subtracted here, and added where it belongs.
    """

    minute: int
    carrier: str | None
    province: str | None
    sp: str
    port: str
    owner: str | None
    signature: str | None
    type: str | None
    undecided: bool

    @property
    def row(self) -> tuple[int, str | None, str | None, str, str, str | None, str | None, str | None]:
        """What tells the row of the tallies apart."""
        where = (self.minute, self.carrier, self.province, self.sp, self.port)
        return (*where, self.owner, self.signature, self.type)


class Long(Struct, array_like=True, gc=False):
    """The pieces of one (port, ref, total) of a recipient.

    `judged`: the offsets of each message as it was last judged; after `ANEW`, where it is to be judged again as it is.
    `counted`: how messages were counted of which there is no row, by the offset of their lowest part.
    """

    port: str
    ref: str | int
    total: int
    pieces: list[Piece] = field(default_factory=list)
    judged: list[tuple[int, ...]] = field(default_factory=list)
    counted: dict[int, Counted] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What its parts have in common."""
        return (self.port, self.ref, self.total)

    def messages(self) -> list[Message]:
        """The messages that its pieces make, in order of time."""
        return [message for _, message in self.begun()]

    def begun(self) -> list[tuple[int, Message]]:
        """The same, each with the time of its first piece; of a repeated number that may be one that does not count."""
        found: list[tuple[int, Message]] = []
        rest = sorted(self.pieces, key=lambda piece: (piece.sent_at, piece.offset))
        while rest:
            start = rest[0].sent_at
            by_number: dict[int, Piece] = {}
            for piece in rest:
                in_time = piece.sent_at < start + TOGETHER
                if in_time and (piece.no not in by_number or piece.offset < by_number[piece.no].offset):
                    by_number[piece.no] = piece
            found.append((start, tuple(by_number[no] for no in sorted(by_number))))
            rest = [piece for piece in rest if piece.sent_at >= start + TOGETHER]
        return found

    def due(self, event_time: int) -> list[Message]:
        """The messages that must be judged now: complete or out of time, and not judged as they are."""
        return [
            message
            for start, message in self.begun()
            if offsets(message) not in self.judged and (len(message) == self.total or event_time >= start + TOGETHER)
        ]

    def deadline(self) -> int | None:
        """When the earliest message that is not judged must be; None where all are."""
        waiting = [start + TOGETHER for start, message in self.begun() if offsets(message) not in self.judged]
        return min(waiting, default=None)

    def message_of(self, offset: int) -> Message | None:
        """The message that this record is a piece of; of a repeated number only one is."""
        return next((message for message in self.messages() if offset in offsets(message)), None)

    def judge_anew(self, offset: int) -> None:
        """Have the message of this record judged again, if it was, although nothing about its parts has changed."""
        self.judged = [(ANEW, *before) if offset in before and before[0] != ANEW else before for before in self.judged]

    def forget(self, oldest: int) -> None:
        """Drop the messages whose time ended by `oldest`, each as a whole: a rest of one would be another message."""
        kept = [start for start, _ in self.begun() if start + TOGETHER > oldest]
        self.pieces = [piece for piece in self.pieces if kept and piece.sent_at >= kept[0]]
        known = {piece.offset for piece in self.pieces}
        self.judged = [judged for judged in self.judged if not known.isdisjoint(judged)]
        self.counted = {offset: counted for offset, counted in self.counted.items() if offset in known}

    def settle(self, message: Message) -> list[str]:
        """Note that a message is judged; returns the ids under which parts of it were judged before."""
        lowest = [piece for piece in self.replaced_by(message) if piece.id != message[0].id]
        mine = set(offsets(message))
        self.judged = [before for before in self.judged if mine.isdisjoint(before)] + [offsets(message)]
        return [piece.id for piece in lowest]

    def replaced_by(self, message: Message) -> list[Piece]:
        """The lowest pieces of the messages that parts of this one were judged as before."""
        mine, pieces = set(offsets(message)), {piece.offset: piece for piece in self.pieces}
        replaced = [before for before in self.judged if not mine.isdisjoint(before)]
        lowest = [before[1] if before[0] == ANEW else before[0] for before in replaced]
        return [pieces[offset] for offset in lowest if offset in pieces]


def offsets(message: Message) -> tuple[int, ...]:
    """The offsets of a message's pieces, by number."""
    return tuple(piece.offset for piece in message)


def key_of(send: Send) -> Key | None:
    """What the parts of a send's message have in common; None where it is whole by itself."""
    part = send.part
    return None if part is None or part.total == 1 else (send.port, part.ref, part.total)


def put_together(sends: Sequence[Send], total: int) -> Send:
    """The whole message of these parts, by number: the lowest one's fields, and the text if it is all there."""
    texts = [send.text for send in sends]
    whole = len(sends) == total and all(text is not None for text in texts)
    return replace(sends[0], text="".join(text or "" for text in texts) if whole else None, part=None)
