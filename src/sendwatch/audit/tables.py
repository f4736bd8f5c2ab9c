"""The five registries as lists of records, and which of a row's records is the truth for a send at `t`.

Belongs here: that one question, asked anew each time. Not here: what rows mean (`standing.py`, `chain.py`).

    truth = of the records that arrived no later than t + window, the one with the greatest offset

Records are found by what any of them ever said; whether the truth still says it is looked at then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sendwatch.events import Deletion, Filing, Letter, Owner, Port
from sendwatch.text import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.audit.logs import Entry

Key = tuple[str, str]


class Version(Struct, frozen=True, gc=False):
    """One record of a row; `row` None: recorded in error, and never was."""

    offset: int
    arrived: int
    row: Any


class Tables:
    """The registries' records, and their truth as of a time."""

    def __init__(self, window: int) -> None:
        """Start empty; `window` in ms."""
        self._window = window
        self._versions: dict[tuple[str, str], list[Version]] = {}
        self._ids: dict[tuple[str, Key], set[str]] = {}

    def add(self, kind: str, entry: Entry) -> None:
        """Take in a record of topic `kind`."""
        row = None if isinstance(entry.record, Deletion) else entry.record
        version = Version(entry.offset, entry.arrived, row)
        self._versions.setdefault((kind, entry.record.id), []).append(version)
        for key in _keys(row):
            self._ids.setdefault((kind, key), set()).add(entry.record.id)

    def truth(self, kind: str, row_id: str, t: int) -> Any:
        """The row as it counts for a send at `t`, valid then or not; None where there is none."""
        counting = [each for each in self._versions.get((kind, row_id), ()) if each.arrived <= t + self._window]
        return max(counting, key=lambda each: each.offset).row if counting else None

    def under(self, kind: str, key: Key, t: int) -> list[Any]:
        """The rows that say `key` as they count for a send at `t`, in the order of their ids."""
        rows = (self.truth(kind, row_id, t) for row_id in sorted(self._ids.get((kind, key), ())))
        return [row for row in rows if row is not None and key in _keys(row)]

    def on_port(self, kind: str, port: str, t: int) -> list[Any]:
        """The rows that name a prefix of `port`, each once, in the order of their ids."""
        prefixes = (port[: n + 1] for n in range(len(port)))
        found = {row.id: row for prefix in prefixes for row in self.under(kind, ("prefix", prefix), t)}
        return [found[row_id] for row_id in sorted(found)]


def valid(row: Any, t: int) -> bool:
    """Whether the row is valid at `t` by its own word."""
    return bool(row.valid_from <= t and (row.valid_until is None or t < row.valid_until))


def _keys(row: Any) -> Iterator[Key]:
    """What a row is looked up by."""
    match row:
        case Filing():
            yield "name", fold_name(row.signature)
            yield from (("prefix", prefix) for prefix in row.ports)
        case Port():
            yield "prefix", row.port
        case Letter():
            yield "grantor", row.grantor
            yield "grantee", row.grantee
        case Owner():
            if row.sp is not None:
                yield "sp", row.sp
            if row.group is not None:
                yield "group", row.group
