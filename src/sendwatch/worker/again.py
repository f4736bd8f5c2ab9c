"""Judging again: sends of strange flags, long messages whose parts are read anew, sends that a registry changed.

Belongs here: finding out what is to be judged again and reading it. Not here: judging it (`batch.py`), committing
(`commit.py`; the worker hands `commit` in).

    strangers   follow p's own flags partition: a flag not of this epoch is compared with what we hold, and put right
    parts       parts of long messages whose texts are no longer in memory are read again
    telling     what replies were resolved to is told once the sends are known that they may answer
    look back   `lookback.py` finds the stretches; they are read a little at a time
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sendwatch import outgoing
from sendwatch.engine.batch import assemble, review, tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiokafka import ConsumerRecord

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Outcome
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.worker.lookback import Stretch
    from sendwatch.worker.owned import Owned, Topics
    from sendwatch.worker.registries import Change, Registries

    Committing = Callable[[Sequence[tuple[Owned, Outcome]]], Awaitable[None]]

log = logging.getLogger("sendwatch.worker")

LOOK_BACK_RECORDS = 500
TELL_RECORDS = 500
TELL_AFTER_MS = 60_000  # however many sends are still to be judged: who refused must not wait for them


class Again:
    """Judges again, for one partition at a time."""

    def __init__(
        self,
        judging: Judging,
        topics: Topics,
        reader: LogReader,
        registries: Registries,
        commit: Committing,
        now: Callable[[], int],
    ) -> None:
        """Bind started clients; `now` is the wall clock in ms."""
        self._judging = judging
        self._topics = topics
        self._reader = reader
        self._registries = registries
        self._commit = commit
        self._now = now

    def follow_flags(self, owned: Owned, records: Sequence[ConsumerRecord]) -> None:
        """Remember flags that another owner wrote, until their sends have been judged here; ours replace them."""
        for record in records:
            if record.value is None:
                continue
            ours = outgoing.epoch_of(record.headers) == owned.partition.epoch
            if ours and not owned.strangers:
                continue
            event = outgoing.read_flag(record.value)
            seen = owned.strangers.setdefault(event.source.offset, {})
            if ours:
                seen.pop(event.rule, None)
            else:
                seen[event.rule] = outgoing.published_of(event)
            if not seen:
                del owned.strangers[event.source.offset]

    async def heal(self, owned: Owned) -> None:
        """Judge again the sends of strange flags, and publish where the topic says otherwise than we know."""
        judged = owned.partition.position.standing.positions.get("sends", 0)
        due = {offset: seen for offset, seen in owned.strangers.items() if offset < judged}
        if not due:
            return
        records = await self._reader.pick(self._topics.name("sends"), owned.number, due.keys())
        because = outgoing.Because(self._topics.name("flags"), "")
        outcome = review(owned.partition, self._judging, records, self._now(), due, because)
        for offset in due:
            del owned.strangers[offset]
        log.info("flags of another owner compared", extra={"partition": owned.number, "sends": len(due)})
        await self._commit([(owned, outcome)])

    async def fetch_parts(self, owned: Owned) -> None:
        """Judge the messages that wait for parts whose texts are no longer in memory."""
        if owned.partition.missing:
            await self.assemble(owned)

    async def assemble(self, owned: Owned) -> None:
        """Judge long messages that are due, and read their parts again where they are no longer in memory."""
        wanted = set[int]().union(*owned.partition.missing.values())
        records = await self._reader.pick(self._topics.name("sends"), owned.number, wanted)
        await self._commit([(owned, assemble(owned.partition, self._judging, records, self._now()))])

    async def tell(self, owned: Owned) -> None:
        """Once the sends that were there at take-over are judged, publish what replies were resolved to, bit by bit."""
        partition = owned.partition
        known = owned.known("sends") >= owned.awaited["sends"] and not partition.missing
        if partition.telling or not (known or self._now() - owned.taken_at > TELL_AFTER_MS):
            return
        start, until = partition.position.standing.told, owned.known("replies")
        if start >= until:
            partition.telling = True
            return
        until = min(start + TELL_RECORDS, until)
        replies: list[ConsumerRecord] = []
        async for fetched in self._reader.read(self._topics.name("replies"), owned.number, start, until):
            replies += fetched
        await self._commit([(owned, tell(partition, self._judging, replies, until, self._now()))])

    async def look_back(self, owned: Owned) -> None:
        """Judge again, a little at a time, the sends that a change of the registries may concern."""
        now_read = dict(self._judging.registry_positions)
        partition, looking = owned.partition, owned.look_back
        if looking.idle and partition.registries != now_read:
            looking.waiting = self._registries.changed_since(partition.registries)
            looking.until = now_read
            if looking.waiting:
                end = partition.position.ledger_next
                window = self._judging.parameters.window
                version = self._judging.version
                await looking.find(self._reader, self._topics.name("ledger"), owned.number, end, window, version)
                log.info("looking back", extra={"partition": owned.number, "stretches": len(looking.stretches)})
        stretch = looking.next(LOOK_BACK_RECORDS)
        done = looking.idle and bool(looking.until)
        if done:  # the ledger says so together with the last corrections
            self._registries.forget_past()
            partition.registries, looking.until = looking.until, {}
        if stretch is not None and looking.because is not None:
            outcome = await self._review_stretch(owned, stretch, looking.because)
        elif done:
            outcome = assemble(partition, self._judging, [], self._now())
        else:
            return
        outcome.progress = done
        await self._commit([(owned, outcome)])

    async def _review_stretch(self, owned: Owned, stretch: Stretch, change: Change) -> Outcome:
        because = outgoing.Because(self._topics.name(change.kind), change.id)
        records: list[ConsumerRecord] = []
        start, end, by = stretch
        async for fetched in self._reader.read(self._topics.name("sends"), owned.number, start, end):
            records += fetched
        known = by is None or by == self._judging.registry_positions
        as_counted = None if known or by is None else await self._registries.as_of(by)
        outcome = review(owned.partition, self._judging, records, self._now(), {}, because, as_counted)
        outcome.record.again = (start, end)
        return outcome
