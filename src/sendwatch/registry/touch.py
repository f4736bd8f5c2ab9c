"""What a changed row of a registry can touch: which ways of sending, which templates, from what time on.

Belongs here: an answer that may be too wide, never too narrow. Not here: judging again what it touches (`engine/`).

A change is looked at from both sides, the rows before and the row after: a filing that is moved to another signature
touches the old name and the new one; a record that arrived before several others and takes the place of all touches
what each of those said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.events import Filing, Letter, Owner, Port, Template
from sendwatch.text import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = Filing | Port | Letter | Template | Owner
Lane = tuple[str | None, str, str]  # signature as written, port, SP


class Touch(Struct, frozen=True):
    """What one side of a change touches; None: every one. `since`: sends before it are not touched (ms)."""

    since: int
    names: frozenset[str] | None = frozenset()
    prefixes: tuple[str, ...] | None = ()
    both: bool = False
    template: str | None = None

    def lane(self, lane: Lane) -> bool:
        """Whether it touches sends of this signature, port and SP."""
        if self.template is not None:
            return False
        signature, port, _ = lane
        named = self.names is None or (signature is not None and fold_name(signature) in self.names)
        allotted = self.prefixes is None or port.startswith(self.prefixes)
        return (named and allotted) if self.both else (named or allotted)


def touches(rows: Iterable[Row | None]) -> list[Touch]:
    """What the rows before and after a change touch."""
    return [_touch(row) for row in rows if row is not None]


def _touch(row: Row) -> Touch:
    if isinstance(row, Filing):
        return Touch(row.valid_from, frozenset({fold_name(row.signature)}), row.ports)
    if isinstance(row, Port):
        return Touch(row.valid_from, frozenset(), (row.port,))
    if isinstance(row, Letter):
        names = None if row.signatures is None else frozenset(fold_name(each) for each in row.signatures)
        return Touch(row.valid_from, names, row.ports, both=True)
    if isinstance(row, Template):
        return Touch(0, template=row.id)
    return Touch(0, None, None)
