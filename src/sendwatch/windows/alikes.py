"""Signatures that are not filed but look like one that is (B5).

Belongs here: filed names by what they look like. Not here: folding (`text/fold.py`), who sends under them (`board.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.text.fold import alike, fold_name

if TYPE_CHECKING:
    from sendwatch.events import Filing

FILED = ("approved", "revoked")


class Alikes:
    """Filed names, as the registry of signatures has them now. `pending`: names still being filed count too."""

    def __init__(self, *, pending: bool = False) -> None:
        """None filed yet."""
        self._statuses = (*FILED, "pending") if pending else FILED
        self._rows: dict[str, tuple[str, int]] = {}
        self._by_name: dict[str, dict[str, int]] = {}
        self._by_look: dict[str, dict[str, str]] = {}

    def put(self, id_: str, filing: Filing | None) -> None:
        """Take in a row of the registry; None: it never was."""
        known = self._rows.pop(id_, None)
        if known is not None:
            name = known[0]
            self._by_name[name].pop(id_)
            self._by_look[alike(name)].pop(id_)
        if filing is not None and filing.status in self._statuses:
            name = fold_name(filing.signature)
            self._rows[id_] = (name, filing.valid_from)
            self._by_name.setdefault(name, {})[id_] = filing.valid_from
            self._by_look.setdefault(alike(name), {})[id_] = name

    def imitated(self, signature: str, t: int) -> str | None:
        """The filed name that a signature looks like, where none of its own began by `t`; None: none, or its own."""
        name = fold_name(signature)
        if any(valid_from <= t for valid_from in self._by_name.get(name, {}).values()):
            return None
        others = self._by_look.get(alike(name), {})
        began = [other for id_, other in others.items() if other != name and self._rows[id_][1] <= t]
        return min(began, default=None)
