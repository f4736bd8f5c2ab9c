"""The limits of the windowed rules from the settings, and the honeypots from their file.

Belongs here: reading that file. Not here: what the limits are for (`windows/`), their defaults (`policy.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sendwatch.settings import Settings
    from sendwatch.windows.limits import Limits


def limits_of(settings: Settings) -> Limits:
    """The limits; a honeypot a line. Raises OSError where the file cannot be read."""
    name = settings.breaches.honeypots
    lines = Path(name).read_text(encoding="utf-8").split() if name else []
    return settings.breaches.limits(lines)
