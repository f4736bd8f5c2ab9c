"""What is kept of one recipient: acts, replies, commercial and flagged sends, and what was published of them.

Belongs here: folding facts in (idempotent, and the order of arrival never matters), what a reply refused,
which kept sends a late fact can touch, and when rows end. Not here: where a dossier is stored
(`engine/store.py`), and what follows from it for a send (`rules/`).

A dossier is one value in the store. Everything in it can be rebuilt: acts and replies from their topics,
sends from the ledger.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from sendwatch import text
from sendwatch.history import Act
from sendwatch.parts import Key, Long

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sendwatch.events import Consent, Reply, Send

HOUR = 3_600_000
KEPT_AFTER_WINDOW = 24 * HOUR
BEARS_ON_OTHERS = 72 * HOUR  # after its time a send can be answered, be asked again, and count for the day
ANSWERS_WITHIN = 72 * HOUR
COMMERCIAL = "marketing"
LONGEST_WORD, LONGEST_CODE = 8, 32
OF_SEND, OF_RECIPIENT = 1, 2


class Published(Struct, array_like=True, gc=False):
    """The state of one flag of a kept send as it was last published; `digest` is of its evidence."""

    rule: str
    revision: int
    raised: bool
    digest: bytes = b""


class Kept(Struct, array_like=True, gc=False):
    """One send that is kept: what the rules that read the dossier need of it, and its flags.

    `offset` is in `sms.sends`, `arrived` its Kafka timestamp, `at` the time that counts (ms since 1970 UTC),
    `digest` of the contract's fields, to tell a duplicate from a conflict. `asks`: whether its text asks for
    consent; None where the text was absent or incomplete. `undecided`: which rules cannot say, of those that read the
    send alone (`OF_SEND`) and of those that read its recipient's dossier (`OF_RECIPIENT`), as it is counted; None where
    the send is not counted under this row.
    """

    id: str
    offset: int
    arrived: int
    at: int
    digest: bytes
    sp: str
    port: str
    carrier: str | None
    province: str | None
    signature: str | None
    owner: str | None
    owner_reason: str
    type: str | None
    type_source: str | None
    advertised: tuple[str, ...]
    asks: bool | None
    request: str | None
    flags: list[Published] = field(default_factory=list)
    undecided: int | None = None

    @property
    def commercial(self) -> bool:
        """Whether its type is marketing or below (False where the type is not known)."""
        return is_commercial(self.type)

    @property
    def order(self) -> tuple[int, str]:
        """The order in which sends of one recipient count: by time, then by id."""
        return (self.at, self.id)


class Answered(Struct, frozen=True, array_like=True, gc=False):
    """The send that a reply answered: the recipient's latest commercial one from that port; `offset` its record's."""

    id: str
    at: int
    owner: str | None
    advertised: tuple[str, ...]
    offset: int = -1


class Answer(Struct, array_like=True, gc=False):
    """One reply that is kept. `word` is its text when that is short enough to refuse anything, else empty.

    `owners`: toward whom it withdraws; empty where it is no refusal. `published`: the same, as last
    published on `sms.optouts`; `restored`: read back from there, since what it answered may be gone.
    """

    id: str
    offset: int
    arrived: int
    port: str
    received_at: int
    word: str
    answered: Answered | None = None
    owners: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    restored: bool = False

    @property
    def refuses(self) -> bool:
        """Whether it is a refusal, by the answered send as it is known now, or was when it was last."""
        if self.restored and self.answered is None:
            return bool(self.owners)
        advertised = self.answered.advertised if self.answered else ()
        return bool(self.word) and text.refusal(self.word, advertised, answered=self.answered is not None)

    def acts(self) -> Iterator[Act]:
        """The withdrawals that it amounts to."""
        for owner in self.owners:
            yield Act(
                id=self.id,
                offset=self.offset,
                arrived=self.arrived,
                effective_at=self.received_at,
                owner=owner,
                grant=False,
                by_reply=True,
            )


class Dossier(Struct, array_like=True, gc=False):
    """All that is kept of one recipient."""

    acts: list[Act] = field(default_factory=list)
    replies: list[Answer] = field(default_factory=list)
    sends: list[Kept] = field(default_factory=list)
    longs: list[Long] = field(default_factory=list)

    def long(self, key: Key) -> Long:
        """The long messages of this key, begun where there are none."""
        for long in self.longs:
            if long.key == key:
                return long
        self.longs.append(Long(*key))
        return self.longs[-1]

    def find(self, send_id: str) -> Kept | None:
        """The kept send of this id."""
        for kept in self.sends:
            if kept.id == send_id:
                return kept
        return None

    def reply(self, reply_id: str) -> Answer | None:
        """The kept reply of this id."""
        for answer in self.replies:
            if answer.id == reply_id:
                return answer
        return None

    def every_act(self) -> list[Act]:
        """The recorded acts, and the withdrawals that refusal replies amount to; not to be changed."""
        if not self.replies:
            return self.acts
        return [*self.acts, *(act for answer in self.replies for act in answer.acts())]

    @property
    def empty(self) -> bool:
        """Whether nothing is kept, so that the store need not hold it."""
        return not (self.acts or self.replies or self.sends or self.longs)


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Dossier).decode


def digest_of(send: Send) -> bytes:
    """Eight bytes that differ when any of the contract's fields of a send differs."""
    return blake2b(pack(send), digest_size=8).digest()


def is_commercial(kind: str | None) -> bool:
    """Whether a type is marketing or below."""
    return kind is not None and kind.startswith(COMMERCIAL) and (kind == COMMERCIAL or kind[len(COMMERCIAL)] == ".")


def act_of(consent: Consent, offset: int, arrived: int) -> Act:
    """A consent record as the act that is kept of it."""
    proof = consent.proof
    return Act(
        id=consent.id,
        offset=offset,
        arrived=arrived,
        effective_at=consent.effective_at,
        owner=consent.owner,
        grant=consent.action == "grant",
        types=consent.types,
        method=consent.method,
        expires_at=consent.expires_at,
        max_per_day=consent.max_per_day,
        proof=proof.id if proof else None,
        captured_at=proof.captured_at if proof else None,
    )


def answer_of(reply: Reply, offset: int, arrived: int) -> Answer:
    """A reply record as the answer that is kept of it."""
    word = text.fold_word(reply.text)
    return Answer(reply.id, offset, arrived, reply.port, reply.received_at, word if _may_refuse(word) else "")


def _may_refuse(word: str) -> bool:
    """Whether a reply is short enough to be a refusal word, or a code that a send may have advertised."""
    return len(word) <= (LONGEST_CODE if word.isascii() else LONGEST_WORD)


def fold_act(dossier: Dossier, act: Act) -> bool:
    """Add an act; of two of one id the lower offset counts. Tells whether anything changed."""
    for i, known in enumerate(dossier.acts):
        if known.id == act.id:
            if known.offset <= act.offset:
                return False
            dossier.acts[i] = act
            return True
    dossier.acts.append(act)
    return True


def fold_answer(dossier: Dossier, answer: Answer) -> bool:
    """Add a reply; of two of one id the lower offset counts. Tells whether anything changed."""
    for i, known in enumerate(dossier.replies):
        if known.id == answer.id:
            if known.offset <= answer.offset:
                return False
            answer.published = known.published
            dossier.replies[i] = answer
            return True
    dossier.replies.append(answer)
    return True


def aim(dossier: Dossier, window: int, owners_on_port: Callable[[str, int], tuple[str, ...]]) -> int | None:
    """Find for every reply the send that it answered and the owners that it withdraws from.

    Returns the earliest `received_at` of a reply whose meaning changed, None where none did. A send that
    arrived more than `window` after the reply was received no longer re-aims it, and a reply that itself arrived
    as late answers none: that keeps the answer the same for all who compute it, and lets an opt-out outlive the
    sends.
    """
    changed: int | None = None
    for answer in dossier.replies:
        before = (answer.refuses, answer.owners)
        answer.answered = _answered(dossier, answer, window)
        if answer.restored and answer.answered is None:
            continue
        answer.owners = _refused(answer, owners_on_port)
        if (answer.refuses, answer.owners) != before:
            changed = answer.received_at if changed is None else min(changed, answer.received_at)
    return changed


def _refused(answer: Answer, owners_on_port: Callable[[str, int], tuple[str, ...]]) -> tuple[str, ...]:
    if not answer.refuses:
        return ()
    if answer.answered is not None and answer.answered.owner is not None:
        return (answer.answered.owner,)
    return owners_on_port(answer.port, answer.received_at)


def _answered(dossier: Dossier, answer: Answer, window: int) -> Answered | None:
    if answer.arrived > answer.received_at + window:
        return None
    best = answer.answered
    known = dossier.find(best.id) if best is not None else None
    if best is not None and known is not None and known.offset == best.offset:
        best = None  # still kept: what is known of it now is what counts
    order = (best.at, best.id) if best else (0, "")
    for kept in dossier.sends:
        if (
            kept.port == answer.port
            and answer.received_at - ANSWERS_WITHIN <= kept.at <= answer.received_at
            and kept.arrived <= answer.received_at + window
            and kept.commercial
            and kept.order > order
        ):
            best = Answered(kept.id, kept.at, kept.owner, kept.advertised, kept.offset)
            order = kept.order
    return best


def put_kept(dossier: Dossier, kept: Kept) -> None:
    """Put a send in, in place of the one of its id."""
    for i, known in enumerate(dossier.sends):
        if known.id == kept.id:
            dossier.sends[i] = kept
            return
    dossier.sends.append(kept)


def oldest_kept(event_time: int, window: int) -> int:
    """The time before which a send is kept no more, at this event time (ms): no fact can change its verdict."""
    return event_time - window - KEPT_AFTER_WINDOW


def oldest_row(event_time: int, window: int) -> int:
    """The time before which not even the row of a send stays."""
    return oldest_kept(event_time, window) - BEARS_ON_OTHERS


def prune(dossier: Dossier, event_time: int, window: int) -> None:
    """Drop what bears on nothing any more.

    The row of a send that is kept no more stays for as long as it can bear on one that is: as a neighbour, or as what
    a reply answered.
    """
    oldest = oldest_kept(event_time, window)
    needed = oldest_row(event_time, window)
    if dossier.sends and any(kept.at < needed for kept in dossier.sends):
        dossier.sends = [kept for kept in dossier.sends if kept.at >= needed]
    if dossier.longs:
        for long in dossier.longs:
            long.forget(oldest)
        dossier.longs = [long for long in dossier.longs if long.pieces]
