"""Port numbers and the prefixes that the registries know: which match a port, which row of `sms.ports` holds.

Belongs here: longest prefixes. Not here: who may use a port (`letters.py`, `filings.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sendwatch.events import Port
    from sendwatch.registry.rows import Index, Span, Version

REMEMBERED = 65_536  # ports; past that all are forgotten


class Prefixes:
    """Every prefix that any row of a registry ever named.

    The longest one that a port begins with stands for that port: the same rows match both.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._known: set[str] = set()
        self._lengths: tuple[int, ...] = ()
        self._found: dict[str, tuple[str, ...]] = {}

    def add(self, prefixes: Iterable[str]) -> None:
        for prefix in prefixes:
            if prefix not in self._known:
                self._known.add(prefix)
                self._found.clear()
            if len(prefix) not in self._lengths:
                self._lengths = tuple(sorted((*self._lengths, len(prefix)), reverse=True))

    def of(self, port: str) -> tuple[str, ...]:
        """Those that `port` begins with, longest first."""
        found = self._found.get(port)
        if found is None:
            beginnings = (port[:length] for length in self._lengths if length <= len(port))
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            found = self._found[port] = tuple(each for each in beginnings if each in self._known)
        return found


def find_port(by_prefix: Index[Port], prefixes: Sequence[str], span: Span) -> tuple[tuple[Port, ...], Port | None]:
    """Every row of a port that begins with `prefixes` (longest first), and the one that holds at the time.

    The rows come longest prefix first; of equal prefixes the later `valid_from`, then the greater id. The
    first valid one holds.
    """
    rows: list[Port] = []
    holds: Port | None = None
    for prefix in prefixes:
        for version in sorted(by_prefix.under(prefix), key=_precedence, reverse=True):
            if span.within(version.since, version.until):
                rows.append(version.row)
                if holds is None and span.within(version.valid_since, version.valid_until):
                    holds = version.row
    return tuple(rows), holds


def _precedence(version: Version[Port]) -> tuple[int, str]:
    return (version.row.valid_from, version.id)
