"""One key per recipient, in a file apart: whoever is erased is erased by the loss of his key.

Belongs here: hiding a recipient's token in a row, showing it again, destroying its key. Not here: rows (`tables.py`).

A token is encrypted with AES-SIV under the recipient's own random key, so the same recipient's rows can be told to be
his as long as the key is there, and by nobody afterwards. Files are never rewritten for an erasure, and no evidence is
broken by it: the hashes of the evidence chain leave the recipient out.

What erasure cannot do: it does not reach copies of the key file (do not back it up with the archive, and keep its
backups for days, not months), blocks that a disk keeps of what was overwritten, nor Kafka's own topics, which forget by
their retention. What stays of a flag are its id and the id of its send, which only the carrier's own records tie to a
person. That somebody was erased is remembered by a hash of the token under a random salt, or taking a day in again
would bring him back.
"""

from __future__ import annotations

import os
import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType

BOUND_TO = [b"sendwatch archive recipient v1"]
BITS = 256


class Keys:
    """The key file; `with Keys(path) as keys`. What was made is kept only once `commit` has returned."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it, readable by its owner only."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._file = sqlite3.connect(path)
        self._file.execute("PRAGMA secure_delete = ON")  # a destroyed key is overwritten, not only unlinked
        self._file.execute("CREATE TABLE IF NOT EXISTS salt (salt BLOB NOT NULL)")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS keys (id INTEGER PRIMARY KEY AUTOINCREMENT, tag BLOB UNIQUE NOT NULL, key BLOB)"
        )
        if self._file.execute("SELECT salt FROM salt").fetchone() is None:
            self._file.execute("INSERT INTO salt VALUES (?)", (os.urandom(32),))
            self._file.commit()
        (self._salt,) = self._file.execute("SELECT salt FROM salt").fetchone()
        self._known: dict[bytes, tuple[int, AESSIV | None]] = {}

    def __enter__(self) -> Self:
        """The same."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it; what was not committed never was."""
        self._file.close()

    def hide(self, token: str) -> tuple[int, bytes | None]:
        """The number of a recipient's key, and the token under it; None: the recipient was erased."""
        tag = self._tag(token)
        if tag not in self._known:
            found = self._file.execute("SELECT id, key FROM keys WHERE tag = ?", (tag,)).fetchone()
            if found is None:
                key = AESSIV.generate_key(BITS)
                number = self._file.execute("INSERT INTO keys (tag, key) VALUES (?, ?)", (tag, key)).lastrowid
                found = (number, key)
            self._known[tag] = (found[0], None if found[1] is None else AESSIV(found[1]))
        number, cipher = self._known[tag]
        return number, None if cipher is None else cipher.encrypt(token.encode(), BOUND_TO)

    def show(self, number: int, hidden: bytes | None) -> str | None:
        """The token that was hidden; None: its key was destroyed, or it is not of this file."""
        found = self._file.execute("SELECT key FROM keys WHERE id = ?", (number,)).fetchone()
        if found is None or found[0] is None or hidden is None:
            return None
        try:
            return AESSIV(found[0]).decrypt(hidden, BOUND_TO).decode()
        except InvalidTag:
            return None

    def commit(self) -> None:
        """Keep the keys that were made; before the rows that they hide are kept."""
        self._file.commit()

    def erase(self, token: str) -> bool:
        """Destroy a recipient's key, for good; False where nothing was kept of the recipient, who is erased now too."""
        tag = self._tag(token)
        self._known.pop(tag, None)
        had = self._file.execute("SELECT key FROM keys WHERE tag = ? AND key IS NOT NULL", (tag,)).fetchone()
        self._file.execute(
            "INSERT INTO keys (tag, key) VALUES (?, NULL) ON CONFLICT (tag) DO UPDATE SET key = NULL", (tag,)
        )
        self._file.commit()
        return had is not None

    def keep_only(self, numbers: Collection[int]) -> int:
        """Destroy the keys that no row needs any more; returns how many."""
        self._file.execute("CREATE TEMP TABLE needed (id INTEGER PRIMARY KEY)")
        self._file.executemany("INSERT INTO needed VALUES (?)", ((number,) for number in numbers))
        gone = self._file.execute("DELETE FROM keys WHERE key IS NOT NULL AND id NOT IN (SELECT id FROM needed)")
        self._file.execute("DROP TABLE needed")
        self._file.commit()
        self._known.clear()
        return gone.rowcount

    def _tag(self, token: str) -> bytes:
        return blake2b(token.encode(), digest_size=32, key=self._salt).digest()
