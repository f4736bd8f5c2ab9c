"""What a worker finds on disk and in Kafka: no room, another version's work, other partitions. Nothing is lost."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from test_pipe import a_story, finish, judged_more_than, until

from sendwatch.audit import audit
from sendwatch.audit.show import as_lines
from sendwatch.demo import Progress, until_ready, write
from sendwatch.demo.audience import Audience
from sendwatch.demo.stage import Worker, free_port
from sendwatch.engine.store import FORMAT_KEY, RocksShared, RocksStore
from sendwatch.kafka import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.demo.stage import Stage

PARTITIONS = 4
SENDS = 4000
AGED = ".aged"
FEW_FILES = 24  # enough to start and to connect; not for every partition's store
# Fields of a ledger record that came later.
LATER = ("number", "told", "given_up", "reason", "cases", "sums", "by", "again", "entered")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB of its own, in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system to fill")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on a disk; returns the file that takes it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while out.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def bar(disk: Path) -> None:
    """Let nobody write to a disk any more."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def files_of(worker: Worker) -> int:
    """How many files a worker has open now."""
    return len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))


def allow_files(worker: Worker, most: int) -> None:
    """Let it have no more than so many files open."""
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (most, most))


def told_by(worker: Worker) -> list[dict[str, Any]]:
    """The lines of a worker's log."""
    return [json.loads(line) for line in worker.log.read_text().splitlines()]


async def refusal_of(process: Worker) -> str:
    """Start a process that cannot do its work: it ends by itself with status 1, and this is the last thing it says."""
    await process.start()
    try:
        assert await process.wait(30) == 1
    finally:
        await process.stop()
    error: str = told_by(process)[-1]["error"]
    return error


async def test_a_full_disk_stops_judging_aloud_and_loses_nothing(stage: Stage, small_disk: Path) -> None:
    """It ends with status 1 and says why, as often as it is started; with room again all is as if nothing had been."""
    story, progress = a_story(61, SENDS, late=0.2), Progress()
    worker, audience = (
        stage.worker("full", more={"engine.data_dir": str(small_disk / "state")}),
        Audience(stage.settings),
    )
    await write(story.facts(), stage, None, progress.add)
    await worker.start()
    await audience.start()
    try:
        await until_ready(worker)
        began = time.monotonic()
        writing = asyncio.create_task(write(story.sends(), stage, SENDS / 5, progress.add))
        await until(audience, partial(judged_more_than, audience, SENDS * 0.2))
        filler = fill(small_disk)
        assert await worker.wait(30) == 1
        judged = audience.judged()
        lines = told_by(worker)
        assert f"no room on the disk for the store in {small_disk / 'state'}" in lines[-1]["error"]
        assert "Make room" in lines[-1]["error"]
        assert sum(each["event"] == "partition given up" for each in lines) == PARTITIONS, "not every store was closed"
        await worker.start()
        assert await worker.wait(60) == 1
        assert "no room on the disk" in told_by(worker)[-1]["error"]
        assert not any(each["event"] == "the store is built anew from the topics" for each in told_by(worker))
        filler.unlink()
        await worker.start()
        await writing
        score = await finish(story, audience, progress, stage, began)
    finally:
        await audience.stop()
        status = await worker.stop()
    assert status == 0
    assert judged < story.truth.counts["sends"], "the disk was full when all was done"
    assert score.good, str(score)
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))


async def test_a_disk_that_may_not_be_written_is_told(stage: Stage, small_disk: Path) -> None:
    """A worker that could keep nothing ends at once with status 1, and names the folder and the setting."""
    bar(small_disk)
    worker = stage.worker("barred", more={"engine.data_dir": str(small_disk / "state")})
    error = await refusal_of(worker)
    assert f"{small_disk / 'state'} cannot be written to: make engine.data_dir a folder" in error


async def test_too_few_files_stop_a_start_aloud_and_lose_nothing(stage: Stage) -> None:
    """Who judges already goes on without a file more; who cannot open its stores says so; with more all is judged."""
    story, progress = a_story(63, SENDS, late=0.2), Progress()
    worker, audience = stage.worker("frugal"), Audience(stage.settings)
    await write(story.facts(), stage, None, progress.add)
    await worker.start()
    await audience.start()
    try:
        await until_ready(worker)
        began = time.monotonic()
        writing = asyncio.create_task(write(story.sends(), stage, SENDS / 5, progress.add))
        await until(audience, partial(judged_more_than, audience, SENDS * 0.1))
        allow_files(worker, files_of(worker))
        await until(audience, partial(judged_more_than, audience, SENDS * 0.3))
        worker.kill()
        await worker.wait(10)
        await worker.start()
        allow_files(worker, FEW_FILES)
        assert await worker.wait(30) == 1
        assert "no more files may be opened for the store in" in told_by(worker)[-1]["error"]
        assert audience.judged() < story.truth.counts["sends"], "all was done before"
        await worker.start()
        await writing
        score = await finish(story, audience, progress, stage, began)
    finally:
        await audience.stop()
        status = await worker.stop()
    assert status == 0
    assert not any(each["event"] == "the store is built anew from the topics" for each in told_by(worker))
    assert score.good, str(score)
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))


@pytest.mark.parametrize(("command", "kind"), [("run", "sends"), ("aggregate", "breaches"), ("rollup", "rollups")])
async def test_a_process_names_topics_that_are_not_there(stage: Stage, command: str, kind: str) -> None:
    """Rather than asking for them for ever: it ends at once, and says what to do."""
    prefix = f"{stage.settings.topics.prefix}nowhere."
    process = Worker(stage, "early", (command,), {"topics.prefix": prefix})
    error = await refusal_of(process)
    assert f"{prefix}sms.{kind} is not there, or DESCRIBE is missing: see `sendwatch topics plan`" in error


async def test_a_worker_refuses_topics_of_other_partitions(stage: Stage) -> None:
    """Keys would lie elsewhere: it ends at once, says what to do, and has claimed nothing."""
    worker = stage.worker("stubborn", more={"topics.partitions": str(PARTITIONS - 1)})
    error = await refusal_of(worker)
    assert f"{stage.settings.topics.name('sends')} has {PARTITIONS} partitions, {PARTITIONS - 1} wanted" in error
    audience = Audience(stage.settings)
    await audience.start()
    try:
        while not await audience.caught_up():
            await audience.look()
    finally:
        await audience.stop()
    assert not any(standing.epoch for standing in audience.standing.values())


async def test_a_worker_that_cannot_start_says_why(stage: Stage) -> None:
    """Nobody listens where Kafka should be: it waits as long as it may, and ends with status 1 and the address."""
    nowhere = f"127.0.0.1:{free_port()}"
    worker = stage.worker("lost", more={"kafka.bootstrap": nowhere, "kafka.wait_seconds": "1"})
    assert f"{nowhere}: nobody listens there" in await refusal_of(worker)


def age(folder: Path, number: int, name: str) -> None:
    """Make a closed store what an older version might have left: its values mean nothing now."""
    store = RocksStore(folder / f"{name}-{number}", RocksShared(8, 8))
    store.write({key: b"\xc1" + value for key, value in store.scan(b"")} | {FORMAT_KEY: b"sendwatch-0"})
    store.close()


async def copy_aged(stage: Stage) -> int:
    """Copy the ledger to the stage's, as an older version would have written it; returns how many records differ."""
    aged, options = 0, connection.client_options(stage.settings.kafka)
    async with (
        AIOKafkaConsumer(**options, group_id=None, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(**options) as producer,
    ):
        for number in range(PARTITIONS):
            place = TopicPartition(stage.settings.topics.name("ledger").removesuffix(AGED), number)
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < max(end, consumer.highwater(place) or 0):
                for record in (await consumer.getmany(place, timeout_ms=500)).get(place, ()):
                    entry = json.loads(record.value)
                    older = {name: value for name, value in entry.items() if name not in LATER}
                    older |= {"optouts": []} if entry["record"] == "range" else {}
                    aged += older != entry
                    value = json.dumps(older, ensure_ascii=False).encode()
                    await producer.send_and_wait(place.topic + AGED, value, record.key, number)
    return aged


async def test_what_an_older_version_left_is_taken_up(stage: Stage) -> None:
    """Its ledger is read, its stores are built anew and that is said; in the end nothing is missing or told twice."""
    story, progress = a_story(62, SENDS, late=0.2), Progress()
    before, folder = stage.worker("before"), stage.folder / "before"
    facts, sends = list(story.facts()), list(story.sends())
    await write([*facts, *sends[: len(sends) // 2]], stage, None, progress.add)
    await before.start()
    audience = Audience(stage.settings)
    await audience.start()
    try:
        await until(audience, partial(judged_more_than, audience, SENDS * 0.4))
    finally:
        await audience.stop()
        assert await before.stop() == 0
    for number in range(PARTITIONS):
        age(folder, number, stage.settings.topics.name("sends"))
    stage.overrides["topics.names.ledger"] = stage.settings.topics.names.ledger + AGED
    stage.settings = stage.settings_of({})
    await stage.make_topics()
    assert await copy_aged(stage) > PARTITIONS

    after, audience = stage.worker("before"), Audience(stage.settings)
    await after.start()
    await audience.start()
    try:
        await until_ready(after)
        began = time.monotonic()
        # Not all at once: hours would pass between what of a send's facts and of the sends is to be seen at a time.
        await write(sends[len(sends) // 2 :], stage, SENDS / 20, progress.add)
        score = await finish(story, audience, progress, stage, began)
    finally:
        await audience.stop()
        assert await after.stop() == 0
    built = [each for each in told_by(after) if each["event"] == "the store is built anew from the topics"]
    assert [each["reason"].split(",")[0] for each in built] == ["of format sendwatch-0"] * PARTITIONS
    assert score.good, str(score)
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))
