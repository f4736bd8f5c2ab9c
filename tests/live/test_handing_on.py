"""What is handed on, against a broker: evidence that anybody can check, an archive, and a report of both."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from calling import call

from sendwatch import config
from sendwatch.demo.audience import Audience
from sendwatch.evidence import seal
from sendwatch.evidence.pack import Asked, Contents, packed
from sendwatch.evidence.verify import check
from sendwatch.simulate import Story, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sendwatch.demo.stage import Stage

PARTITIONS = 2
MONTH = ("--from", "2026-11-01", "--to", "2026-12-01")


class Desk:
    """A stage whose story was judged; commands run with its settings, or with none at all."""

    def __init__(self, stage: Stage, audience: Audience, recipients: set[bytes]) -> None:
        """Its files lie in the stage's folder."""
        self.stage, self.audience, self.recipients = stage, audience, recipients
        self.folder = stage.folder
        given = {
            **stage.overrides,
            "evidence.signing_key_file": str(self.folder / "key"),
            "archive.folder": str(self.folder / "archive"),
            "archive.keys": str(self.folder / "keys.sqlite"),
        }
        worker = stage.worker("settings")
        self._settings = {**worker._environment, **{config.variable(key): value for key, value in given.items()}}

    async def run(self, *words: str, status: int = 0, alone: bool = False) -> str:
        """What a command says on standard output; `alone`: on a machine without our configuration."""
        return (await call(*words, settings=None if alone else self._settings, status=status)).decode()


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    """A small story, judged."""
    await stage.make_topics()
    story = Story(7, 1200, 500, 60, partitions=PARTITIONS, violations=0.1, replies=True, late=0.2)
    facts, sends = list(story.facts()), list(story.sends())
    await stream.write(facts, stage.settings)
    await stream.write(sends, stage.settings)
    worker = stage.worker("once", until_end=True)
    await worker.start()
    assert await worker.wait(90) == 0
    audience = Audience(stage.settings)
    await audience.start()
    while not await audience.caught_up():
        await audience.look()
    seal.make_key(stage.folder / "key", stage.folder / "key.pub")
    recipients = {each.key for each in (*facts, *sends) if each.key and each.key.isdigit() and len(each.key) >= 11}
    yield Desk(stage, audience, recipients)
    await audience.stop()


async def test_evidence_can_be_checked_anywhere_and_the_first_bad_record_is_named(desk: Desk) -> None:
    """Of one flag and of a whole rule; with nothing but the pack and the public key; without a number in it."""
    key = str(desk.folder / "key.pub")
    public = seal.public_key((desk.folder / "key.pub").read_bytes())
    flag_id = next(flag_id for flag_id, seen in desk.audience.flags.items() if seen.raised)
    one, rule = desk.folder / "one.pack", desk.folder / "rule.pack"
    await desk.run("evidence", flag_id, "-o", str(one))
    await desk.run("evidence", "--rule", "C5", "--rule", "C1", *MONTH, "-o", str(rule))
    assert "sound" in await desk.run("evidence", "verify", str(rule), "--key", key, alone=True)
    for made in (one.read_bytes(), rule.read_bytes()):
        assert check(made, public).fault is None
        assert not [number for number in desk.recipients if b'"' + number + b'"' in made]
        assert b'"recipient"' not in made
    lines = rule.read_bytes().splitlines(keepends=True)
    by_rule = desk.audience.by_rule()
    assert len([line for line in lines if line.startswith(b'{"line":"facts"')]) >= (
        by_rule["C5_AFTER_OPT_OUT"] + by_rule["C1_CONSENT_MISSING"]
    )
    rule.write_bytes(b"".join(lines[:3] + lines[4:]))
    said = await desk.run("evidence", "verify", str(rule), "--key", key, status=1, alone=True)
    assert "line 4 (" in said
    assert "left out" in said


async def test_a_topic_cannot_be_rewritten_after_it_was_sealed(desk: Desk) -> None:
    """What comes later is none of a seal's business; what was signed is."""
    key = str(desk.folder / "key.pub")
    await desk.run("evidence", "seal", "-o", str(desk.folder / "seal"))
    await _publish_again(desk)
    assert "as it was signed" in await desk.run("evidence", "hold", str(desk.folder / "seal"), "--key", key)
    said = await desk.run("evidence", "hold", str(_another_past(desk)), "--key", key, status=1)
    assert "partition 1: it was signed with" in said
    assert "which are others" in said


def _another_past(desk: Desk) -> Path:
    """A seal by the same key, of a topic that was another."""
    key = seal.private_key((desk.folder / "key").read_text())
    statement = check((desk.folder / "seal").read_bytes(), key.public_key()).statement
    assert statement is not None
    roots = [statement.roots[0], msgspec.structs.replace(statement.roots[1], chain="00" * 32)]
    forged = packed(Contents(0, "0", Asked(), statement.topic, roots), seal.key_id(key.public_key()), key.sign)
    (desk.folder / "forged").write_bytes(forged)
    return desk.folder / "forged"


async def _publish_again(desk: Desk) -> None:
    settings = desk.stage.settings
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap) as producer:
        await producer.send_and_wait(settings.topics.name("flags"), None, b"gone", 0)


async def test_the_archive_and_the_topics_tell_one_report(desk: Desk) -> None:
    """Every violation that stands, by rule; taking in again adds nothing; what the law lets go of goes."""
    await desk.run("archive")
    before = {path: path.read_bytes() for path in (desk.folder / "archive").rglob("*.parquet")}
    await desk.run("archive", "--day", "2026-11-09")
    assert {path: path.read_bytes() for path in before} == before
    of_topics = await desk.run("report", *MONTH, "--source", "topics", "--output", "csv")
    of_archive = await desk.run("report", *MONTH, "--output", "csv")
    told = [[line for line in csv.reader(io.StringIO(text)) if len(line) > 3] for text in (of_topics, of_archive)]
    assert told[0] == told[1]
    found = Counter({line[1]: int(line[5]) for line in told[0] if line[0] == "rules" and line[5].isdigit()})
    assert found == Counter({rule.partition("_")[0]: n for rule, n in desk.audience.by_rule().items() if n})
    await desk.run("archive", "erase", "nobody", status=1)
    assert "flags 2026-11-09" in await desk.run("archive", "prune", "--today", "2027-06-01")
    assert not list((desk.folder / "archive").rglob("day=*"))
