"""The latest net flags: the last record of each of the last so many keys, in the order of their last change.

Belongs here: taking records in, what is wanted of them, pages. Not here: reading the topic (`following.py`), what
people decided (`dispositions.py`). Pure, and bounded: the flag that changed longest ago gives way.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sendwatch.outgoing import FlagEvent


class Held(Struct, frozen=True):
    """A flag as it was published last. `seq` counts the changes up; `stood`: it was raised before this change."""

    event: FlagEvent
    seq: int
    stood: bool = False

    @property
    def late(self) -> bool:
        """Whether a later fact raised or cleared it."""
        return self.event.because is not None

    @property
    def raised(self) -> bool:
        """Whether it stands."""
        return self.event.status == "raised"


class Wanted(Struct, frozen=True):
    """What flags are wanted: of each filter one of its values; none given, all. A rule by its id or its beginning.

    `disposed`: `any`, `none`, or an action: the last one of the flag.
    """

    rule: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    sp: tuple[str, ...] = ()
    port: tuple[str, ...] = ()
    carrier: tuple[str, ...] = ()
    province: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    status: str = "raised"
    disposed: str = "any"
    since: int | None = None
    until: int | None = None

    def takes(self, event: FlagEvent, action: str | None) -> bool:
        """Whether this flag is wanted; `action`: of its last disposition, None: it has none."""
        send = event.send
        if self.status not in ("all", event.status) or not self._disposed(action):
            return False
        if (self.since is not None and send.at < self.since) or (self.until is not None and send.at >= self.until):
            return False
        if self.rule and not any(event.rule == one or event.rule.startswith(f"{one}_") for one in self.rule):
            return False
        if self.port and not send.port.startswith(self.port):
            return False
        exact = ((self.severity, event.severity), (self.owner, send.owner), (self.sp, send.sp))
        place = ((self.carrier, send.carrier), (self.province, send.province), (self.signature, send.signature))
        return all(found in some for some, found in (*exact, *place) if some)

    def _disposed(self, action: str | None) -> bool:
        return self.disposed in ("any", action or "none")


class Flags:
    """The flags that changed last, by id."""

    def __init__(self, most: int) -> None:
        """`most` of them are kept."""
        self.most = most
        self.seq = 0
        self.raised_late = self.cleared = self.taken = 0
        self._held: dict[str, Held] = {}

    def take(self, event: FlagEvent) -> Held | None:
        """Take a record in; None where it says nothing new: it was published again."""
        self.taken += 1
        before = self._held.get(event.flag_id)
        if before is not None and _same(before.event, event):
            return None
        self.seq += 1
        stood = before is not None and before.raised
        held = Held(event, self.seq, stood)
        self._held.pop(event.flag_id, None)
        self._held[event.flag_id] = held
        self.cleared += stood and not held.raised
        self.raised_late += held.raised and held.late and not stood
        if len(self._held) > self.most:
            del self._held[next(iter(self._held))]
        return held

    def get(self, flag_id: str) -> Held | None:
        """The flag of this id, if it is at hand."""
        return self._held.get(flag_id)

    def since(self, seq: int) -> Iterator[Held]:
        """What changed after this change, oldest first."""
        held = list(self._held.values())
        yield from held[bisect_left(held, seq + 1, key=lambda each: each.seq) :]

    def newest(self) -> Iterator[Held]:
        """All of them, the last change first."""
        return reversed(self._held.values())

    def page(
        self, wanted: Wanted, limit: int, before: int | None, action_of: Callable[[str], str | None]
    ) -> tuple[list[Held], int, int | None]:
        """The wanted ones before change `before`, how many there are in all, and the `before` of the next page."""
        fitting = [each for each in self.newest() if wanted.takes(each.event, action_of(each.event.flag_id))]
        rest = [each for each in fitting if before is None or each.seq < before]
        page = rest[:limit]
        return page, len(fitting), page[-1].seq if len(rest) > limit else None

    def oldest_at(self) -> int | None:
        """When the flag that would give way next was judged; None: none has given way yet."""
        if len(self._held) < self.most:
            return None
        return next(iter(self._held.values())).event.judged_at

    def __len__(self) -> int:
        """How many are at hand."""
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        """All of them, the last change last."""
        return iter(self._held.values())


def covered_by(flags: Iterable[Held], rule: str, owner: str | None, signature: str | None) -> int:
    """How many standing flags an exception covers."""
    return sum(
        each.raised
        and each.event.rule == rule
        and owner in (None, each.event.send.owner)
        and signature in (None, each.event.send.signature)
        for each in flags
    )


def _same(one: FlagEvent, other: FlagEvent) -> bool:
    return (one.status, one.revision, one.evidence, one.shadow) == (
        other.status,
        other.revision,
        other.evidence,
        other.shadow,
    )
