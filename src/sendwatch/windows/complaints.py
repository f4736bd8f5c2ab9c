"""Whom a complaint is about, in the contract's order, and whether it is one of those that count.

Belongs here: joining one complaint to the recipient's kept sends and to the filings. Not here: keeping it
(`aftermath.py`), counting it (`joins.py`), limits (`b3_complaint_rate.py`).

    send_id      names a kept send: its owner
    signature    given, or in the complaint's text: the one owner that the filings on that port name
    latest       the recipient's latest kept send from that port: its owner
    nothing      owner null
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from sendwatch import text
from sendwatch.text.fold import fold_name
from sendwatch.text.links import fingerprint
from sendwatch.windows.aftermath import Heard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.events import Complaint
    from sendwatch.registry import Registry

HOLDS = ("approved", "revoked")
SAME_MINUTE = 60_000


class Way(Protocol):
    """What is asked of a send, kept in a dossier or with a complainant."""

    id: str
    at: int
    sp: str
    port: str
    owner: str | None
    type: str | None


class About(Struct, frozen=True):
    """What a complaint is about. `message` tells complaints about one message from those about two."""

    owner: str | None
    port: str
    send: Way | None
    found: str
    about_code: bool
    message: str


def heard(complaint: Complaint) -> Heard:
    """What of a complaint tells whom it is about."""
    reading = text.read(complaint.text) if complaint.text is not None else None
    given = fold_name(complaint.signature) if complaint.signature is not None else None
    return Heard(
        id=complaint.id,
        channel=complaint.channel,
        port=complaint.port,
        received_at=complaint.received_at,
        sent_at=complaint.sent_at,
        send_id=complaint.send_id,
        head=given if given is not None or reading is None else reading.head,
        tail=None if given is not None or reading is None else reading.tail,
        by="signature" if given is not None else "text",
        klass=reading.klass if reading is not None else None,
        said=fingerprint(complaint.text) if complaint.text is not None else "",
    )


def resolve(complaint: Heard, sends: Iterable[Way], registry: Registry) -> About:
    """Find whom it is about; `sends` are the recipient's that are kept, in any order."""
    known = list(sends)
    by_id = next((send for send in known if send.id == complaint.send_id), None) if complaint.send_id else None
    if by_id is not None:
        return _about(complaint, by_id.owner, by_id, "send_id")
    owner = _named(complaint, registry)
    if owner is not None:
        theirs = [send for send in known if send.owner == owner]
        return _about(complaint, owner, _latest(complaint, theirs), complaint.by)
    latest = _latest(complaint, known)
    if latest is not None:
        return _about(complaint, latest.owner, latest, "latest")
    return _about(complaint, None, None, "nothing")


def _named(complaint: Heard, registry: Registry) -> str | None:
    """The one owner whose filings on that port are of the complaint's signature."""
    if complaint.head is None and complaint.tail is None:
        return None
    head, tail, at = complaint.head, complaint.tail, complaint.received_at
    standing = registry.standing(head, tail, complaint.port, "", None, None, at)
    owners = {fit.filing.owner for fit in standing.fits if fit.prefix is not None and fit.filing.status in HOLDS}
    return owners.pop() if len(owners) == 1 else None


def _latest(complaint: Heard, sends: Iterable[Way]) -> Way | None:
    """The latest send from the port before the complaint; the one of the told minute where that is told."""
    from_port = [send for send in sends if send.port == complaint.port and send.at <= complaint.received_at]
    if complaint.sent_at is not None:
        then = [send for send in from_port if abs(send.at - complaint.sent_at) < SAME_MINUTE]
        from_port = then or from_port
    return max(from_port, key=lambda send: (send.at, send.id), default=None)


def _about(complaint: Heard, owner: str | None, send: Way | None, found: str) -> About:
    kind = complaint.klass or (send.type if send is not None else None)
    return About(
        owner=owner,
        port=send.port if send is not None else complaint.port,
        send=send,
        found=found,
        about_code=kind is not None and kind.partition(".")[0] == "otp",
        message=_message(complaint, send),
    )


def _message(complaint: Heard, send: Way | None) -> str:
    if send is not None:
        return send.id
    if complaint.send_id is not None:
        return complaint.send_id
    if not complaint.said and complaint.sent_at is None:
        return f"\0{complaint.id}"
    return f"\0{complaint.port}/{complaint.sent_at or ''}/{complaint.said}"
