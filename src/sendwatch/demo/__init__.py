"""The demo: an embedded broker, a simulated carrier's week, a real worker, and the comparison with the truth.

Belongs here: the order of events. Not here: the parts, which are this folder's files and `simulate/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.live import Live

from sendwatch import rules
from sendwatch.audit import audit
from sendwatch.audit.show import as_lines
from sendwatch.broker import Embedded
from sendwatch.demo.audience import Audience
from sendwatch.demo.show import Score, as_json, final, live
from sendwatch.demo.stage import Stage
from sendwatch.simulate import Refused, Story, compare, stream
from sendwatch.worker.books import read_books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sendwatch.demo.stage import Worker
    from sendwatch.settings import Settings
    from sendwatch.simulate import Message

READY_WITHIN = 120.0
SETTLE_WITHIN = 600.0


class Wish(Struct, frozen=True):
    """What the caller of the demo asked for; `rate` in sends a second, None: as fast as it goes.

    `late`: the part of the facts that are recorded after sends that they bear on.
    """

    sends: int = 50_000
    rate: float | None = None
    seed: int = 1
    partitions: int = 4
    recipients: int = 20_000
    owners: int = 2_000
    late: float = 0.0
    exit: bool = False
    audit: bool = False
    output: str = "text"


async def run(wish: Wish) -> bool:
    """Run the demo; True where everything that was planted was found, and nothing else."""
    console = Console(stderr=wish.output == "json")
    story = story_of(wish)
    with tempfile.TemporaryDirectory(prefix="sendwatch-demo-") as folder:
        console.print("starting an embedded broker and a worker …")
        async with Embedded() as broker:
            stage = Stage(broker.bootstrap, Path(folder), partitions=wish.partitions, embedded=True)
            await stage.make_topics()
            progress = Progress()
            await write(story.facts(), stage, None, progress.add)
            worker = stage.worker("worker-1")
            desk = stage.aggregator("desk", [worker])
            await worker.start()
            try:
                if not wish.exit:
                    await desk.start()
                    await until_ready(desk)
                    console.print(f"the page: [b]{desk.page}[/b]")
                score = await _watch(wish, story, stage, worker, console, progress)
                console.print(final(score, rules.discover()))
                difference = await audit(stage.settings) if wish.audit else None
                if difference is not None:
                    console.print("\n".join(as_lines(difference)))
                if wish.output == "json":
                    print(msgspec.json.encode(as_json(score)).decode())  # noqa: T201 - what the caller asked for
                if not wish.exit:
                    console.print(f"all goes on: page {desk.page}  metrics {worker.address}/metrics (Ctrl-C ends it)")
                    await asyncio.Event().wait()
            finally:
                await desk.stop()
                await worker.stop()
    return score.good and (difference is None or difference.empty)


def story_of(wish: Wish) -> Story:
    """A week with something planted for every rule."""
    return Story(
        wish.seed,
        wish.sends,
        recipients=wish.recipients,
        owners=wish.owners,
        partitions=wish.partitions,
        neighbours=True,
        replies=True,
        long_messages=True,
        late=wish.late,
    )


async def _watch(wish: Wish, story: Story, stage: Stage, worker: Worker, console: Console, progress: Progress) -> Score:
    audience = Audience(stage.settings)
    await audience.start()
    try:
        await until_ready(worker)
        started = time.monotonic()
        writing = asyncio.create_task(write(story.sends(), stage, wish.rate, progress.add))
        with Live(console=console, refresh_per_second=4, transient=True) as display:
            while not writing.done() or not await settled(audience, progress):
                worker.check()
                await audience.look()
                rate = audience.judged() / (time.monotonic() - started)
                display.update(live(audience, rules.discover(), progress.written, wish.sends, rate, worker.address))
                if time.monotonic() - started > SETTLE_WITHIN + wish.sends / (wish.rate or wish.sends):
                    raise TimeoutError(f"the worker did not come to an end; see {worker.log}")
        await writing
        seconds = time.monotonic() - started
        books = await read_books(stage.settings)
        return score_of(story, audience, seconds, sum(len(each.gaps) for each in books))
    finally:
        await audience.stop()


def by_reason(refused: Counter[Refused]) -> dict[str, int]:
    """Refused records by topic kind and reason."""
    counts = Counter[str]()
    for each, count in refused.items():
        counts[f"{each.kind}/{each.reason}"] += count
    return dict(sorted(counts.items()))


async def until_ready(worker: Worker) -> None:
    """Wait until the worker says that it judges what comes."""
    give_up_at = time.monotonic() + READY_WITHIN
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < give_up_at:
            worker.check()
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{worker.address}/-/ready") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise TimeoutError(f"the worker did not become ready; see {worker.log}")


async def settled(audience: Audience, progress: Progress) -> bool:
    """Whether the ledger accounts for every record written, and its flags have been seen."""
    judged = all(audience.accounted(kind) >= count for kind, count in progress.records.items())
    return judged and await audience.caught_up()


class Progress:
    """How many records the broker has taken, by topic kind."""

    def __init__(self) -> None:
        """None yet."""
        self.records = Counter[str]()

    def add(self, kind: str, records: int) -> None:
        """So many more."""
        self.records[kind] += records

    @property
    def written(self) -> int:
        """How many of them are sends, or parts of sends."""
        return self.records["sends"]


async def write(
    messages: Iterable[Message],
    stage: Stage,
    rate: float | None = None,
    acknowledged: Callable[[str, int], None] | None = None,
) -> int:
    """Write a story's messages to the stage's topics; returns how many."""
    return await stream.write(messages, stage.settings, rate, acknowledged)


def names_of(settings: Settings) -> dict[str, str]:
    """The topic names by kind."""
    return {kind: settings.topics.name(kind) for kind in msgspec.structs.asdict(settings.topics.names)}


def score_of(story: Story, audience: Audience, seconds: float, gaps: int) -> Score:
    """Hold what was found against what was planted; a send's id is its own within a story."""
    truth = story.truth
    known = frozenset(rules.discover())
    recipient_of = {send_id: recipient for recipient, send_id in truth.flags}
    planted = truth.within(known)
    found = {(recipient_of.get(send_id, ""), send_id): flags for send_id, flags in audience.raised().items()}
    missed, extra = compare(planted, found)
    kinds = {name: kind for kind, name in names_of(audience.settings).items()}
    quarantined = Counter(
        Refused(kinds[event.source.topic], event.reason, event.sha256, event.size)
        for event in audience.quarantined.values()
    )
    return Score(
        sends=truth.counts["sends"],
        seconds=round(seconds, 2),
        planted=dict(sorted(Counter(rule for flags in planted.values() for rule in flags).items())),
        found=dict(sorted(audience.by_rule().items())),
        missed=dict(sorted(missed.items())),
        extra=dict(sorted(extra.items())),
        refused=dict(sorted(Counter(event.reason for event in audience.quarantined.values()).items())),
        refused_missed=by_reason(truth.quarantine - quarantined),
        refused_extra=by_reason(quarantined - truth.quarantine),
        gaps=gaps,
        raised_late=dict(sorted(audience.raised_late.items())),
        cleared=dict(sorted(audience.cleared.items())),
    )
