"""What a ledger record carries for the windows beside its tallies: small sums that can be added up in any order.

Belongs here: their shapes, and the bounds that keep a record small. Not here: making them (`joins.py`), adding them up
(`board.py`). No recipient but the complainant's public token, no text, no send's id.
"""

from __future__ import annotations

from msgspec import Struct, field

MOST_COPIES = 1000
"""Distinct (hour, fingerprint, signature, port) of one record; what is beyond is counted, not told."""


class Complained(Struct, array_like=True, frozen=True):
    """Complaints of one clock hour about one way of sending, one per message.

    `hour` is of `received_at`, in hours since 1970 UTC. `owner` as the contract resolves it; SP, type, carrier and
    province are of the send where one is known. `about_code`: about a code, so left out of B3. `found`: what told
    the owner: `send_id`, `signature`, `text`, `latest`, `nothing`.
    """

    hour: int
    owner: str | None
    port: str
    channel: str
    type: str | None
    sp: str | None
    carrier: str | None
    province: str | None
    about_code: bool
    found: str


class Reported(Struct, array_like=True, frozen=True):
    """Status reports of one clock hour (of `done_at`) on the sends of one SP from one port, the first of each send."""

    hour: int
    sp: str
    port: str
    delivered: int
    undelivered: int


class Hit(Struct, array_like=True, frozen=True):
    """Sends of one clock hour to recipients that nobody can know but by guessing."""

    hour: int
    sp: str
    port: str
    count: int


class Copied(Struct, array_like=True, frozen=True):
    """Commercial sends of one clock hour with one text, under one signature, from one port."""

    hour: int
    fingerprint: str
    signature: str | None
    port: str
    count: int


class Blocked(Struct, array_like=True, frozen=True):
    """How a complainant is cut off from one owner, as it stands after the record; the last of its kind holds.

    `recipient` is the public token. `run`: the most otp or service sends in a row that were reported blocked, none
    delivered between, in the 30 days after a complaint, up to `until` (ms).
    """

    recipient: str
    owner: str
    run: int
    until: int


class Sums(Struct, omit_defaults=True):
    """All of one record.

    `refused`: refusals by reply, by hour of `received_at` and owner. `unmatched`: reports on sends of which nothing is
    kept.
    """

    complained: list[tuple[Complained, int]] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    copied: list[Copied] = field(default_factory=list)
    copies_left_out: int = 0
    blocked: list[Blocked] = field(default_factory=list)
    refused: list[tuple[int, str, int]] = field(default_factory=list)
    unmatched: int = 0
