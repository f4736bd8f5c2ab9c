"""One replay from beginning to end.

Belongs here: the order of its steps, and what of the records counts. Not here: the steps.

Read-only, without a group, one partition after the other, each in memory as a whole: its facts, and the sends from
eleven days before the range on. It goes as far as the ledger accounts for: what was not judged can't be judged again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sendwatch.audit import Span
from sendwatch.audit.compute import FOREVER
from sendwatch.audit.topics import connected
from sendwatch.engine.explain import load_registries
from sendwatch.engine.judging import prepare
from sendwatch.judge import Rulebook
from sendwatch.replay.difference import Difference, compare
from sendwatch.replay.law import packs_under
from sendwatch.replay.rejudge import rejudge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.audit import Flagged
    from sendwatch.audit.topics import Taken
    from sendwatch.engine.judging import Judging
    from sendwatch.outgoing import FlagEvent
    from sendwatch.settings import Settings


class Wish(Struct, frozen=True):
    """Which sends are judged again: those with `since` <= t < `until` (ms since 1970 UTC; None: no limit).

    `law`: as if this pack were the law at all times; None: by the law as it was. `rules`: only flags of these; empty:
    of all.
    """

    since: int | None = None
    until: int | None = None
    law: str | None = None
    rules: frozenset[str] = frozenset()

    @property
    def span(self) -> Span:
        """The range, as the audit's reader wants it."""
        return Span(
            -FOREVER if self.since is None else self.since,
            FOREVER if self.until is None else self.until,
        )

    def takes(self, rule: str, at: int) -> bool:
        """Whether a flag of this rule on a send of that time is asked for."""
        return self.span.since <= at < self.span.until and (not self.rules or rule in self.rules)


async def replay(settings: Settings, wish: Wish) -> Difference:
    """Judge a range of sends again, and tell what would change; nothing is written.

    Raises NoSuchPackError, and aiokafka's errors where Kafka can't be read.
    """
    judging, found = judging_by(settings, wish), Difference()
    async with connected(settings, wish.span) as topics:
        load_registries(judging, await topics.registries())
        async for taken in topics.partitions():
            ours = rejudged(taken, judging, wish)
            found.add(compare(ours, flags_of(taken, wish), same_law=wish.law is None))
    return found


def judging_by(settings: Settings, wish: Wish) -> Judging:
    """What the settings say, under the law that was wished for."""
    judging = prepare(settings)
    if wish.law is None:
        return judging
    rulebook = judging.rulebook
    return replace(judging, rulebook=Rulebook(rulebook.rules, packs_under(wish.law), rulebook.settings))


def rejudged(taken: Taken, judging: Judging, wish: Wish) -> dict[str, FlagEvent]:
    """The flags of the range, by id, as the judge says now."""
    recalled = taken.recalled
    resolved = {
        reply.offset: recalled.owners[reply.offset]
        for reply in taken.records.get("replies", ())
        if reply.timestamp < recalled.until and reply.offset in recalled.owners
    }
    flags = rejudge(taken.number, taken.records, judging, resolved, int(time.time() * 1000))
    return asked_of(flags, taken, wish)


def asked_of(flags: Mapping[str, FlagEvent], taken: Taken, wish: Wish) -> dict[str, FlagEvent]:
    """Those of the range, of sends that the ledger accounts for."""
    return {
        flag_id: event
        for flag_id, event in flags.items()
        if wish.takes(event.rule, event.send.at) and taken.seen.within("sends", taken.number, event.source.offset)
    }


def flags_of(taken: Taken, wish: Wish) -> dict[str, Flagged]:
    """The flags of the range that stand."""
    return {
        flag_id: flag
        for flag_id, flag in taken.seen.flags.items()
        if wish.takes(flag.rule, flag.at) and taken.seen.within("sends", taken.number, flag.offset)
    }
