"""A replay that publishes: a worker like any other takes the partitions over, catches up, and corrects the range.

Belongs here: who may write, and when. Not here: what is written (`amend.py`), judging (`rejudge.py`).

    members     where the group has members it is refused: two would only take partitions from each other
    catch up    a worker of the group, with claims, healing and looking back, until all that is there is judged
    correct     between two of its rounds, by what its ledger accounts for, a bounded number of flags a commit: rows of
                what is kept no more, then flags acknowledged, then the ledger; so whatever dies, the next owner puts
                right what was not committed
    fenced      if somebody claims a partition meanwhile, what is appended after is void, and they compare our flags
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct, field

from sendwatch.app import Live
from sendwatch.audit.topics import connected
from sendwatch.dossier import Kept, digest_of
from sendwatch.engine.explain import load_registries
from sendwatch.events import Send
from sendwatch.facts import is_whole, kept_of
from sendwatch.kafka import clients
from sendwatch.kafka.connection import client_options
from sendwatch.kafka.log_reader import LogReader
from sendwatch.outgoing import Because, read_flag
from sendwatch.replay.amend import corrections, entered, oldest_kept, outcome_of
from sendwatch.replay.difference import Difference, compare
from sendwatch.replay.run import asked_of, flags_of, judging_by, rejudged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from sendwatch.audit.topics import Taken
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Outcome
    from sendwatch.outgoing import FlagEvent
    from sendwatch.replay.run import Wish
    from sendwatch.settings import Settings
    from sendwatch.worker.owned import Owned
    from sendwatch.worker.worker import Worker

AT_ONCE = 500
LOOK_SECONDS = 0.2
MARGIN_SECONDS = 3.0


class CannotReplayError(Exception):
    """Somebody else owns partitions; the message says what to do."""


class Published(Struct):
    """What was found, and published but for what is `left`: flags by rule, see `amend.py`. `done`: partitions."""

    found: Difference = field(default_factory=Difference)
    left: Counter[str] = field(default_factory=Counter)
    done: set[int] = field(default_factory=set)


async def publish(settings: Settings, wish: Wish) -> Published:
    """Judge a range of sends again, and publish the corrections.

    Raises CannotReplayError, and aiokafka's errors where Kafka can't be read or written.
    """
    await _await_no_members(settings)
    live, result = Live(settings, until_end=False), Published()
    await live.start()
    try:
        worker = await _caught_up(live)
        await _correct(settings, wish, worker, result)
    finally:
        await live.stop()
    if lacking := set(range(settings.topics.partitions)) - result.done:
        raise CannotReplayError(
            f"another worker took partitions {sorted(lacking)} meanwhile; the others are done. Stop it, and call again"
        )
    return result


async def _await_no_members(settings: Settings) -> None:
    """A worker that was just stopped stands in its group for a session longer."""
    give_up_at = time.monotonic() + settings.kafka.session_timeout_seconds + MARGIN_SECONDS
    while await members(settings):
        if time.monotonic() > give_up_at:
            raise CannotReplayError(f"group {settings.kafka.group} has members: stop its workers first")
        await asyncio.sleep(1.0)


async def members(settings: Settings) -> int:
    """How many members the workers' group has now."""
    admin = AIOKafkaAdminClient(**client_options(settings.kafka))
    await admin.start()
    try:
        (described,) = await admin.describe_consumer_groups([settings.kafka.group])
    finally:
        await admin.close()
    return sum(len(group[5]) for group in described.groups)


async def _caught_up(live: Live) -> Worker:
    """The worker, when it has judged and put right all that is there."""
    while live.worker is None or not live.worker.finished:
        if live.crash_reason is not None:
            raise live.crash_reason
        await asyncio.sleep(LOOK_SECONDS)
    return live.worker


async def _correct(settings: Settings, wish: Wish, worker: Worker, result: Published) -> None:
    judging = judging_by(settings, wish)
    async with worker.resting() as commit, connected(settings, wish.span) as topics:
        load_registries(judging, await topics.registries())
        async for taken in topics.partitions():
            owned = worker.owned.get(taken.number)
            if owned is None:
                continue
            async for outcome in _outcomes(settings, wish, judging, taken, owned, result):
                await commit([(owned, outcome)])
                if taken.number not in worker.owned:
                    break  # fenced: the partition is somebody else's
            else:
                result.done.add(taken.number)


async def _outcomes(
    settings: Settings, wish: Wish, judging: Judging, taken: Taken, owned: Owned, result: Published
) -> AsyncIterator[Outcome]:
    """The corrections of one partition, a bounded number at a time: each when the one before has been committed."""
    now = int(time.time() * 1000)
    ours = await asyncio.to_thread(rejudged, taken, judging, wish)  # heartbeats go on meanwhile
    result.found.add(compare(ours, flags_of(taken, wish)))
    last = await _last_flags(settings, taken.number)
    published = asked_of(last, taken, wish)
    found, left = corrections(ours, published, oldest_kept(owned.partition, judging))
    result.left += left
    sends = _sends(taken, judging, {each.about.source.offset for each in found})
    recipients = {offset: recipient for offset, (recipient, _) in sends.items()}
    because = Because(settings.topics.name("flags"), "replay")
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        rows = entered(some, last.values(), sends, owned.partition, judging, now)
        if rows is not None:
            yield rows
        yield outcome_of(some, recipients, owned.partition, judging, because, now)


def _sends(taken: Taken, judging: Judging, offsets: Iterable[int]) -> dict[int, tuple[bytes, Kept | None]]:
    """The internal pseudonyms of the recipients of these sends, and the rows of those that are no parts."""
    wanted, found = set(offsets), dict[int, tuple[bytes, Kept | None]]()
    for record in taken.records["sends"]:
        if record.offset in wanted:
            send = judging.readers["sends"](record.key, record.value, record.timestamp, Counter())
            if isinstance(send, Send):
                kept = None
                if is_whole(send):
                    facts = judging.memory.of(send).facts_of(send)
                    kept = kept_of(facts, send.request, record.offset, record.timestamp, digest_of(send))
                found[record.offset] = judging.pseudonyms.internal(send.recipient), kept
    return found


async def _last_flags(settings: Settings, number: int) -> dict[str, FlagEvent]:
    """The last record of every flag of a partition."""
    last: dict[str, FlagEvent] = {}
    async with clients.consumer(client_options(settings.kafka)) as consumer:
        reader = LogReader(consumer)
        for kind in ("flags", "canary"):
            async for records in reader.read(settings.topics.name(kind), number):
                for record in records:
                    if record.value is not None:
                        event = read_flag(record.value)
                        last[event.flag_id] = event
    return last
