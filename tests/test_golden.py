"""Golden stories: what goes in, and exactly the flags that stand in the end, however the records were cut and carried.

    golden/<name>.jsonl         records in the order in which they arrive, one a line
    golden/<name>.flags.jsonl   the flags that stand, in order of time; `python tests/test_golden.py` writes them anew

A line of a story has `kind` and `value`; times may be written as days and hours in UTC+8. `at` is the Kafka timestamp
where that is not the record's own time; `key`, `raw` and `bytes` (hex) are for records that are not as they should be;
`refused` is the reason for which the record must be found in quarantine; `comment` is for people. Stories share no
recipient, port, signature or owner, so that one worker can be given all of them at once.

A changed file of flags is a changed verdict: the commit that changes it names the clause.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import Struct

from engine_builders import Desk, Event, a_judging, net, quarantine_of
from sendwatch import rules
from sendwatch.engine.judging import REGISTRY_KINDS
from sendwatch.outgoing import FlagEvent, read_flag
from sendwatch.partitions import partition_of
from sendwatch.worker.books import read_books

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.demo.stage import Stage

FOLDER = Path(__file__).parent / "golden"
STORIES = sorted(path.stem for path in FOLDER.glob("*.jsonl") if not path.name.endswith(".flags.jsonl"))
OWN_TIMES = ("sent_at", "effective_at", "received_at", "done_at", "valid_from")
PARTITIONS = 4


class Line(Struct):
    """A line of a story as a record, and why it must be refused."""

    event: Event
    refused: str | None


def ms(time: Any) -> Any:
    """A time that is written for people, in ms since 1970 UTC; anything else as it is."""
    try:
        return round(datetime.fromisoformat(f"{time}+08:00").timestamp() * 1000)
    except ValueError:
        return time


def lines_of(story: str) -> list[Line]:
    """The records of a story."""
    told = [json.loads(line) for line in (FOLDER / f"{story}.jsonl").read_text().splitlines()]
    return [line_of(each) for each in told if "kind" in each]


def line_of(told: dict[str, Any]) -> Line:
    """One line as a record."""
    kind, value = told["kind"], timed(told.get("value"))
    if value is not None:
        payload: bytes | None = json.dumps(value, ensure_ascii=False).encode()
    elif "bytes" in told:
        payload = bytes.fromhex(told["bytes"])
    else:
        payload = None if told["raw"] is None else told["raw"].encode()
    own = value or {}
    at = ms(told["at"]) if "at" in told else next((own[name] for name in OWN_TIMES if name in own), 0)
    key = told.get("key") or own["id" if kind in REGISTRY_KINDS else "recipient"]
    return Line(Event(kind, at or ms("2026-01-01T00:00"), key.encode(), payload), told.get("refused"))


def timed(value: Any) -> Any:
    """A value with its times as the contract has them."""
    if not isinstance(value, dict):
        return value
    return {
        name: timed(each) if isinstance(each, dict) else ms(each) if name.endswith(("_at", "_from", "_until")) else each
        for name, each in value.items()
    }


def standing(events: Iterable[FlagEvent]) -> list[dict[str, Any]]:
    """The flags that stand, in order of time, with all that must not depend on how they came about."""
    flags = net(events, places=False).values()
    return sorted(flags, key=lambda flag: (flag["send"]["at"], flag["send"]["id"], flag["rule"], flag["flag_id"]))


def expected(story: str) -> list[dict[str, Any]]:
    """The flags of a story, as they are written down."""
    return [json.loads(line) for line in (FOLDER / f"{story}.flags.jsonl").read_text().splitlines()]


def run(story: str, *, at_once: bool) -> Desk:
    """A story through a partition, at once or record by record; the registries are there from the beginning."""
    lines = lines_of(story)
    desk = Desk(a_judging(line.event for line in lines if line.event.kind in REGISTRY_KINDS and not line.refused))
    for line in lines:
        if line.event.kind not in REGISTRY_KINDS:
            desk.write(line.event)
            if not at_once:
                desk.work()
    desk.work()
    return desk


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("at_once", [False, True], ids=["one-by-one", "at-once"])
def test_a_story_ends_as_it_is_written(story: str, at_once: bool) -> None:
    """Through a partition, in one batch and record by record: these flags stand, these records are refused."""
    desk = run(story, at_once=at_once)
    assert standing(desk.flags) == expected(story)
    offsets: dict[str, int] = defaultdict(int)
    refused = {}
    for line in lines_of(story):
        if line.event.kind not in REGISTRY_KINDS:
            if line.refused:
                refused[f"sms.{line.event.kind}/0/{offsets[line.event.kind]}"] = line.refused
            offsets[line.event.kind] += 1
    assert quarantine_of(desk.messages) == refused
    assert {kind: books.offsets for kind, books in desk.books().items()} == offsets


def test_stories_share_nothing() -> None:
    """Neither recipients nor ids nor ports: or they could not be told together."""
    seen: dict[tuple[str, str], str] = {}
    for story in STORIES:
        for line in lines_of(story):
            kind, key = line.event.kind, (line.event.key or b"").decode()
            space = kind if kind in REGISTRY_KINDS else "recipients"
            assert seen.setdefault((space, key), story) == story


def test_every_rule_is_told() -> None:
    """Every rule of the catalogue raises a flag in one of the stories."""
    assert {flag["rule"] for story in STORIES for flag in expected(story)} == set(rules.discover())


# -- through a broker ----------------------------------------------------------------------------------------


async def test_all_stories_end_as_they_are_written_through_a_broker(
    bootstrap: str, prefix: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A real worker is given all stories at once: exactly their flags stand, exactly their bad records are refused."""
    from sendwatch.demo.stage import Stage

    embedded = pytestconfig.getoption("--broker") == "embedded"
    stage = Stage(bootstrap, tmp_path, partitions=PARTITIONS, embedded=embedded, prefix=prefix)
    stage.overrides["kafka.group"] = prefix + "group"
    stage.settings = stage.settings_of({})
    await stage.make_topics()
    written = await produce(stage, [line for story in STORIES for line in lines_of(story)])
    worker = stage.worker("golden", until_end=True)
    await worker.start()
    try:
        assert await worker.wait(90) == 0, worker.log.read_text()[-2000:]
    finally:
        await worker.stop()
    flags = [read_flag(value) for value in await read(stage, "flags")]
    assert standing(flags) == sorted(
        (flag for story in STORIES for flag in expected(story)),
        key=lambda flag: (flag["send"]["at"], flag["send"]["id"], flag["rule"], flag["flag_id"]),
    )
    for flag in flags:
        place = (flag.source.topic, flag.source.partition, flag.source.offset)
        assert json.loads(written[place].event.value or b"")["id"] == flag.send.id
    refused = {place: line.refused for place, line in written.items() if line.refused}
    assert {place_of(value): reason_of(value) for value in await read(stage, "quarantine")} == refused
    for books in await read_books(stage.settings):
        assert (books.gaps, books.behind, books.void) == ([], {}, 0)


async def produce(stage: Stage, lines: Sequence[Line]) -> Mapping[tuple[str, int, int], Line]:
    """Write records in the order of their arrival; returns where each of them lies."""
    places: dict[tuple[str, int, int], Line] = {}
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap, linger_ms=5) as producer:
        sent = []
        for line in sorted(lines, key=lambda line: line.event.timestamp):
            kind, timestamp, key, value = line.event
            home = 0 if kind in REGISTRY_KINDS else partition_of(key or b"", PARTITIONS)
            name = stage.settings.topics.name(kind)
            future = await producer.send(name, value, key=key, partition=home, timestamp_ms=timestamp)
            sent.append((line, future))
        for line, future in sent:
            told = await future
            places[told.topic, told.partition, told.offset] = line
    return places


async def read(stage: Stage, kind: str) -> list[bytes]:
    """The values of a whole topic, partition by partition."""
    name, values = stage.settings.topics.name(kind), []
    async with AIOKafkaConsumer(bootstrap_servers=stage.bootstrap) as consumer:
        places = [TopicPartition(name, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                values += [record.value for record in records]
                ends[place] = max(ends[place], consumer.highwater(place) or 0)
    return values


def place_of(value: bytes) -> tuple[str, int, int]:
    """Where the record lies that a quarantine record tells of."""
    source = json.loads(value)["source"]
    return (source["topic"], source["partition"], source["offset"])


def reason_of(value: bytes) -> str:
    """Why it was refused."""
    reason: str = json.loads(value)["reason"]
    return reason


def rewrite() -> None:
    """Write the flags of every story anew, as they are found record by record."""
    for story in STORIES:
        flags = standing(run(story, at_once=False).flags)
        written = "".join(json.dumps(flag, ensure_ascii=False) + "\n" for flag in flags)
        path = FOLDER / f"{story}.flags.jsonl"
        if not path.exists() or path.read_text() != written:
            path.write_text(written)
            print(f"{path.name}: {len(flags)} flags")  # noqa: T201 - told to whoever rewrites


if __name__ == "__main__":
    rewrite()
