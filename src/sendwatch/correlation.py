"""Ids under which people match a series of a dashboard with what may not stand in a label.

Belongs here: one keyed hash. Not here: recipients (`pseudonyms.py`), keys (`secret.py`).

Signatures, owners and ports are few: without a key, as where recipients come as tokens and none is given, whoever has
a list of them can tell which is which.
"""

from __future__ import annotations

import hmac
from hashlib import sha256


def id_of(key: bytes, name: str | None) -> str:
    """16 hex digits, the same for the same name under one key; empty where there is nothing to name."""
    return hmac.new(key, name.encode(), sha256).hexdigest()[:16] if name else ""
