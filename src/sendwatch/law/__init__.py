"""Law packs: which rule rests on which clause, and when it is in force. They are data, one TOML file each.

Belongs here: reading the packs. Not here: what a clause means for a send (`rules/`).

    title           what the pack is, in both languages
    from, until     dates in UTC+8: in force from the one up to, not including, the other (absent: always)
    checked_by_person   whether a person has held the clauses against the official text; always shown
    retention_months    how long the law wants records kept
    [rules]         rule id = clause
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

BEIJING = timezone(timedelta(hours=8))
PACKS = ("miit-31", "miit-74", "practice")


class Pack(Struct, frozen=True):
    """One law pack; `since` and `until` are ms since 1970 UTC (`until` None: no end)."""

    id: str
    title_en: str
    title_zh: str
    since: int
    until: int | None
    checked: bool
    retention_months: int
    clauses: Mapping[str, str]

    def in_force(self, t: int) -> bool:
        """Whether the pack is the law at `t`."""
        return self.since <= t and (self.until is None or t < self.until)


def load(names: tuple[str, ...] = PACKS) -> tuple[Pack, ...]:
    """Read the packs of these names from the package."""
    return tuple(_read(name) for name in names)


def _read(name: str) -> Pack:
    return pack_of(name, tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8")))


def pack_of(name: str, raw: Mapping[str, Any]) -> Pack:
    """The pack that a file of the form above holds, read. Raises LookupError where something is missing."""
    return Pack(
        id=name,
        title_en=raw["title"]["en"],
        title_zh=raw["title"]["zh"],
        since=_midnight(raw["from"]) if "from" in raw else 0,
        until=_midnight(raw["until"]) if "until" in raw else None,
        checked=raw["checked_by_person"],
        retention_months=raw["retention_months"],
        clauses=raw["rules"],
    )


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), BEIJING).astimezone(UTC).timestamp() * 1000)
