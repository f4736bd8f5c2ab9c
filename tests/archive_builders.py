"""Published records as rows of the archive; every number and name is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch.archive.tables import Row, breach_row, disposition_row, flag_row, nobody

if TYPE_CHECKING:
    from collections.abc import Callable

DAY, HOUR = 86_400_000, 3_600_000
AT = 1_794_182_404_000  # 2026-11-09, 08:00:04 in UTC+8
ANNE, BERT = "36159381a40289be", "b0b0b0b0b0b0b0b0"


def a_flag(offset: int = 0, at: int = AT, recipient: str = ANNE, **fields: Any) -> dict[str, Any]:
    """A flag as it is published."""
    usual: dict[str, Any] = {
        "flag_id": f"f{offset}", "revision": 1, "epoch": 1, "status": "raised", "shadow": False,
        "rule": "C5_AFTER_OPT_OUT", "severity": "high",
        "law": {"pack": "miit-74", "clause": "Art. 21-23", "checked": False},
        "send": {"id": f"s{offset}", "recipient": recipient, "sp": "SP1", "port": "106901", "carrier": "CMCC",
                 "province": "31", "signature": "云岭商贸", "owner": "O1", "type": "marketing.retail",
                 "type_source": "text", "at": at},
        "evidence": {"refusal": "w1"}, "reason": {"en": "sent", "zh": "发送"}, "because": None,
        "source": {"topic": "sms.sends", "partition": 0, "offset": offset}, "judged_at": at + 5,
        "version": {"sendwatch": "0", "rules": "r", "config": "c"},
    }  # fmt: skip
    send = fields.pop("send", {})
    return usual | fields | {"send": usual["send"] | send}


def flag(offset: int = 0, at: int = AT, hide: Callable[[str], Any] = nobody, partition: int = 0, **fields: Any) -> Row:
    """Its row."""
    return flag_row(partition, offset, at + 9, msgspec.json.encode(a_flag(offset, at, **fields)), hide)


def breach(offset: int = 0, at: int = AT, hide: Callable[[str], Any] = nobody, **fields: Any) -> Row:
    """A row of a breach that concerns a recipient."""
    usual: dict[str, Any] = {
        "breach_id": f"b{offset}", "status": "open", "rule": "B6_RETALIATION",
        "subject": {"recipient": ANNE, "owner": "O1"}, "window": {"from": at - DAY, "until": at},
        "measures": {"blocked": 3}, "limit": {"blocked": 2}, "opened_at": at, "closed_at": None,
    }  # fmt: skip
    return breach_row(0, offset, at + 9, msgspec.json.encode(usual | fields), hide)


def disposition(
    offset: int = 0, about: str = "f0", action: str = "confirm", at: int = AT, kind: str = "flag", **fields: Any
) -> Row:
    """A row of a decision about a flag, or about what else `kind` says."""
    usual: dict[str, Any] = {
        "disposition_id": f"d{offset}", "about": {"kind": kind, "id": about}, "action": action,
        "rule": "C5_AFTER_OPT_OUT", "subject": {"owner": "O1"}, "until": None, "by": "zhang", "role": "analyst",
        "why": "looked at", "made_at": at,
    }  # fmt: skip
    return disposition_row(0, offset, at + 9, msgspec.json.encode(usual | fields))
