"""What is really published, on every topic: each record is as the committed schemas and the AsyncAPI document say."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from jsonschema import Draft7Validator

from engine_builders import DAY, a_consent, a_filing, a_send
from sendwatch import outgoing, schemas
from sendwatch.demo import until_ready
from sendwatch.simulate import Story, stream
from sendwatch.simulate.truth import Message

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from engine_builders import Event
    from sendwatch.demo.stage import Stage

PARTITIONS: Final = 2
KINDS: Final = ("flags", "optouts", "quarantine", "breaches", "canary")
IMITATION: Final = "【支付寶】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
DOCUMENTS: Final = {path: json.loads(text) for path, text in schemas.documents().items()}


def messages(*events: Event) -> list[Message]:
    """Events as the writer of stories takes them."""
    return [Message(event.kind, event.key, event.value, event.timestamp) for event in events]


async def records_of(stage: Stage) -> dict[str, list[ConsumerRecord]]:
    """Everything that is in the topics that come out, by kind."""
    found: dict[str, list[ConsumerRecord]] = {kind: [] for kind in KINDS}
    kinds = {stage.settings.topics.name(kind): kind for kind in KINDS}
    async with AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, group_id=None, enable_auto_commit=False) as consumer:
        places = [
            TopicPartition(name, number)
            for name, kind in kinds.items()
            for number in range(1 if kind == "breaches" else PARTITIONS)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        while fetched := await consumer.getmany(timeout_ms=700):
            for place, records in fetched.items():
                found[kinds[place.topic]] += records
    return found


def faults(record: ConsumerRecord) -> list[str]:
    """What is wrong with a record, by its own type: value, headers, key."""
    headers = {name: value.decode() for name, value in record.headers}
    name = headers.get("ce_type", schemas.QUARANTINED)
    said = DOCUMENTS["asyncapi.json"]["components"]["messages"][name].get("headers", {})
    value: dict[str, Any] = json.loads(record.value)
    of_value = Draft7Validator(DOCUMENTS[f"out/{name}.json"]).iter_errors(value)
    wrong = [error.message for error in (*of_value, *Draft7Validator(said).iter_errors(headers))]
    if "properties" in said and headers.keys() != said["properties"].keys():
        wrong.append(f"headers {sorted(headers)}")
    key = value.get("flag_id") or value.get("breach_id")
    if key is not None and record.key.decode() != key:
        wrong.append(f"key {record.key!r}")
    return wrong


async def test_every_record_that_is_published_is_valid(stage: Stage) -> None:
    """Flags raised and cleared, opt-outs, quarantine, breaches opened and closed, and what the canary's flags are."""
    stage.overrides |= {"breaches.aggregate": "true", "engine.canary_sp": "SP-CANARY"}
    worker, began = stage.worker("judge"), stream.now() - 3 * DAY // 2
    story = Story(11, 800, 500, 60, began, 1, partitions=PARTITIONS, violations=0.1, replies=True)
    await stream.write(story.facts(), stage.settings)
    await stream.write(messages(a_filing("z", signature="支付宝", valid_from=began - 9 * DAY)), stage.settings)
    await worker.start()
    try:
        await until_ready(worker)
        fake, late = a_send("fake", began, text=IMITATION), a_consent("late", began - DAY, began + DAY // 2)
        await stream.write(messages(fake), stage.settings)
        await asyncio.sleep(3)  # judged apart from what follows
        await stream.write(messages(late), stage.settings)
        await stream.write(story.sends(), stage.settings, 200)
        seen: Counter[str] = Counter()
        async with asyncio.timeout(60):
            while not seen.keys() >= {"flags", "optouts", "quarantine", "breaches", "canary", outgoing.CLOSED}:
                published = await records_of(stage)
                seen = Counter({kind: len(records) for kind, records in published.items() if records})
                types = [
                    dict(each.headers).get("ce_type", b"").decode() for some in published.values() for each in some
                ]
                seen.update(types)
    finally:
        await worker.stop()
    assert not {
        fault: (record.topic, record.offset)
        for some in (await records_of(stage)).values()
        for record in some
        for fault in faults(record)
    }
    by_itself = {name for name, what in schemas.PUBLISHED.items() if what.kind in KINDS and what.is_event}
    assert seen.keys() >= by_itself  # what people decide at the desk is theirs
