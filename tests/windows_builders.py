"""Ledger records for the tests of the windows; every number and name is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sendwatch.ledger import Range, Tally, Version
from sendwatch.windows.sums import Blocked, Complained, Copied, Hit, Reported, Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_781_071_200_000  # Wednesday, 2026-06-10, 14:00 in UTC+8
VERSION = Version("0", "0", "0")


def a_record(at: int = NOW, tallies: Iterable[Tally] = (), epoch: int = 1, number: int = 0, **sums: Any) -> Range:
    """A range that was written at `at`, with these sums."""
    record = Range(epoch, VERSION, at, at, {}, {}, 0, tallies=list(tallies), sums=Sums(**sums))
    record.number = number
    return record


def a_tally(at: int = NOW, sends: int = 1, **fields: Any) -> Tally:
    """Marketing of O1 by sp1 from 10690001."""
    usual = {"carrier": "cm", "province": "53", "sp": "sp1", "port": "10690001", "owner": "O1"}
    usual |= {"signature": "云岭商贸", "type": "marketing.retail"}
    return Tally(at // MINUTE, **{**usual, **fields}, sends=sends)


def complained(at: int = NOW, count: int = 1, **fields: Any) -> tuple[Complained, int]:
    """Complaints about O1 on 10690001."""
    usual: dict[str, Any] = {"owner": "O1", "port": "10690001", "channel": "12321", "type": "marketing.retail"}
    usual |= {"sp": "sp1", "carrier": "cm", "province": "53", "about_code": False, "found": "send_id"}
    return Complained(hour=at // HOUR, **{**usual, **fields}), count


def reported(at: int = NOW, delivered: int = 0, undelivered: int = 0, sp: str = "sp1", port: str = "1069") -> Reported:
    """Status reports on sends of sp1."""
    return Reported(at // HOUR, sp, port, delivered, undelivered)


def hit(at: int = NOW, count: int = 1, sp: str = "sp1", port: str = "1069") -> Hit:
    """Sends of sp1 to honeypots."""
    return Hit(at // HOUR, sp, port, count)


def copied(signature: str | None, port: str = "1069", at: int = NOW, fingerprint: str = "f1", count: int = 1) -> Copied:
    """Copies of one text."""
    return Copied(at // HOUR, fingerprint, signature, port, count)


def blocked(run: int, until: int = NOW + 30 * DAY, recipient: str = "anne", owner: str = "O1") -> Blocked:
    """Anne gets no codes of O1."""
    return Blocked(recipient, owner, run, until)
