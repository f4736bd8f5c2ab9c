"""Who may what: roles, and tokens of which only a hash is kept.

Belongs here: making a token, its line in the tokens file, and whom a token stands for. Not here: HTTP (`gate.py`).

    a token     sw_ and 256 random bits: nothing to guess, so one round of SHA-256 is all that its hash needs
    a line      hash, role, last moment (ISO, UTC), name; whoever reads the file cannot log in
    taken back  by deleting the line: the file is read again when it changes
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, get_args

from msgspec import Struct

from sendwatch.desk.say import Role

if TYPE_CHECKING:
    from pathlib import Path

ROLES: Final[tuple[str, ...]] = get_args(Role)
PREFIX: Final = "sw_"
token_line = re.compile(
    r"([0-9a-f]{64})\s+(viewer|analyst|admin)\s+(\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ)\s+(\S.*)"
)


class BadTokensError(ValueError):
    """The tokens file is not as it should be; the message names the line."""


class Holder(Struct, frozen=True):
    """Whom a token stands for; `expires_at` in ms."""

    hash: str
    role: Role
    expires_at: int
    name: str


class Who(Struct, frozen=True):
    """Who asks. `role` None: nobody that is known. `open`: there are no tokens, and this machine is trusted."""

    name: str
    role: Role | None
    open: bool = False
    expires_at: int | None = None

    def may(self, least: Role) -> bool:
        """Whether its role is this one, or more."""
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(least)


NOBODY: Final = Who("", None)
TRUSTED: Final = Who("local", "analyst", open=True)


def new_token(role: Role, days: int, name: str, now: datetime) -> tuple[str, str]:
    """A token, to be shown once, and its line for the tokens file."""
    token = PREFIX + secrets.token_urlsafe(32)
    until = (now + timedelta(days=days)).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return token, f"{hash_of(token)} {role} {until} {name}"


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode()).hexdigest()


def read_tokens(text: str) -> tuple[Holder, ...]:
    """The lines of a tokens file; empty ones and those that begin with # are left out."""
    holders = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = token_line.fullmatch(line.strip())
        if found is None:
            raise BadTokensError(f"line {number}: expected hash, role, time (2026-12-31T00:00:00Z), name")
        hashed, role, until, name = found.groups()
        at = datetime.fromisoformat(until)
        holders.append(Holder(hashed, role, int(at.timestamp() * 1000), name))  # type: ignore[arg-type]
    return tuple(holders)


def holder_of(token: str, holders: tuple[Holder, ...], now_ms: int) -> Holder | None:
    """Whom a token stands for; None: nobody, or no longer. Every line is compared, in a time that tells nothing."""
    hashed, found = hash_of(token), None
    for each in holders:
        if hmac.compare_digest(each.hash, hashed):
            found = each
    return found if found is not None and now_ms < found.expires_at else None


class Tokens:
    """The tokens file, read again when it changes. `path` None: there is none."""

    def __init__(self, path: Path | None) -> None:
        """Read it; raises BadTokensError and OSError."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._holders: tuple[Holder, ...] = ()
        self.look()

    @property
    def open(self) -> bool:
        """Whether there are no tokens, so that this machine is trusted."""
        return self._path is None

    def look(self) -> None:
        """Read the file if it is another than before; raises BadTokensError and OSError."""
        if self._path is None:
            return
        status = self._path.stat()
        seen = (status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._holders = read_tokens(self._path.read_text(encoding="utf-8"))
            self._seen = seen

    def who(self, token: str | None, now_ms: int) -> Who:
        """Whom a token stands for."""
        if self.open:
            return TRUSTED
        holder = holder_of(token, self._holders, now_ms) if token else None
        return NOBODY if holder is None else Who(holder.name, holder.role, expires_at=holder.expires_at)
