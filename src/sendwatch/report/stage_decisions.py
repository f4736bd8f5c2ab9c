"""What people decided about a span's violations and broken limits: who, when, and why.

Belongs here: reading that from the archive's kinds. Not here: how often (`stage_tally.py`), how it is told
(`stage_told.py`). Why is what a person wrote: a phone number that slipped in is masked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sendwatch.logs import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

GUARD = Guard()
NAMES = ("signature", "owner", "port", "sp")


class Deed(Struct, frozen=True, kw_only=True):
    """One decision. `about`: the id of a flag or breach; `subject`: whom it concerns; `until`: the last day, ISO."""

    at: int
    action: str
    rule: str
    about: str
    subject: str
    until: str | None
    by: str
    role: str
    why: str


def deeds(ask: Callable[[str], Iterable[tuple[Any, ...]]], breaches: Iterable[str]) -> list[Deed]:
    """Every decision, also those that were overtaken by another, in order. `ask`: of the span, with `{here}`."""
    ids = set(breaches)
    lines = ask(
        'select about_kind, "at", action, rule, about_id, subject, "until", "by", role, why from dispositions '
        "where about_kind = 'breach' or (about_kind = 'flag' and about_id in (select flag_id from net where {here})) "
        'qualify row_number() over (partition by disposition_id order by partition, "offset") = 1 '
        'order by "at", partition, "offset"'
    )
    return [
        Deed(
            at=at, action=action, rule=rule, about=about, subject=_named(kind, subject), until=until,
            by=GUARD.clean(by or "–"), role=role or "–", why=GUARD.clean(why or "–"),
        )
        for kind, at, action, rule, about, subject, until, by, role, why in lines
        if kind == "flag" or about in ids
    ]  # fmt: skip


def _named(kind: str, subject: str) -> str:
    """Whom it concerns: of a flag its sender, of a breach whatever it is about."""
    found = msgspec.json.decode(subject)
    return ", ".join(str(found[name]) for name in (NAMES if kind == "breach" else NAMES[:2]) if found.get(name))
