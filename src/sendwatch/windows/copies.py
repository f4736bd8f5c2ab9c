"""The fingerprints of texts, without computing one for every send.

Belongs here: remembering them by reading. Not here: the fingerprint itself (`text/links.py`), how many copies are too
many (`b5_evasion.py`).

Texts that differ in digits and in the paths of links only share one reading (`text/reading.py`), and have one
fingerprint, since that leaves digits and links out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.text.links import fingerprint

if TYPE_CHECKING:
    from sendwatch.text import Reading

MOST = 32_768


class Fingerprints:
    """Fingerprints by reading; bounded, and forgotten all at once when full."""

    def __init__(self, most: int = MOST) -> None:
        """Nothing yet."""
        self._most = most
        self._known: dict[int, tuple[Reading, str]] = {}

    def of(self, text: str, reading: Reading) -> str:
        """The fingerprint of a text that was read so."""
        known = self._known.get(id(reading))
        if known is not None and known[0] is reading:  # holding the reading keeps its id its own
            return known[1]
        if len(self._known) >= self._most:
            self._known.clear()
        found = fingerprint(text)
        self._known[id(reading)] = (reading, found)
        return found
