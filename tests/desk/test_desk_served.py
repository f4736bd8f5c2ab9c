"""The desk against a broker: a worker judges, one process adds up and serves, people look, check, decide."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from jsonschema import Draft202012Validator

from engine_builders import (
    HOUR,
    MINUTE,
    NOW,
    REGISTRIES,
    TEXT,
    a_consent,
    a_send,
    a_withdrawal,
)
from sendwatch.demo import until_ready, write
from sendwatch.desk import dispositions, openapi
from sendwatch.desk.routes import ROUTES
from sendwatch.simulate.truth import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from engine_builders import Event
    from sendwatch.demo.stage import Stage, Worker

PARTITIONS = 2
WITHIN = 60.0
PEOPLE = [f"139{number:08}" for number in range(40)]
REFUSED, STRANGER = PEOPLE[0], "13800000009"
DOCUMENT = openapi.document(ROUTES)


def messages(*events: Event) -> list[Message]:
    """Events as the writer of stories takes them."""
    return [Message(event.kind, event.key, event.value, event.timestamp) for event in events]


def the_facts() -> list[Message]:
    """Everybody agreed; one has refused since."""
    grants = [a_consent(f"c-{one}", recipient=one) for one in PEOPLE]
    return messages(*REGISTRIES, *grants, a_withdrawal(recipient=REFUSED))


def the_sends() -> list[Message]:
    """One to each, the refusal not heeded."""
    return messages(*(a_send(f"s-{n}", NOW + n * MINUTE, recipient=one) for n, one in enumerate(PEOPLE)))


class Desk:
    """The API of a stage's aggregator."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        """Where it is."""
        self.address, self.session = address.rstrip("/"), session

    async def get(self, path: str, status: int = 200) -> Any:
        """An answer, as the document says that it is."""
        async with self.session.get(self.address + path) as answer:
            told = await answer.json(content_type=None)
            assert answer.status == status, told
            described = DOCUMENT["paths"].get(path.partition("?")[0])
            if described and status == 200:
                shape = described["get"]["responses"]["200"]["content"]["application/json"]["schema"]
                Draft202012Validator({**shape, "components": DOCUMENT["components"]}).validate(told)
            return told

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        """An answer to what was posted."""
        async with self.session.post(self.address + path, json=body) as answer:
            told = await answer.json(content_type=None)
            assert answer.status == status, told
            shape = DOCUMENT["paths"][path]["post"]["responses"][str(status)]["content"]["application/json"]["schema"]
            Draft202012Validator({**shape, "components": DOCUMENT["components"]}).validate(told)
            return told

    async def until(self, path: str, reached: Callable[[Any], Any]) -> Any:
        """Ask until the answer is as it should be."""
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    told = await self.get(path)
                except aiohttp.ClientError:
                    told = None
                if told is not None and reached(told):
                    return told
                await asyncio.sleep(0.2)


@asynccontextmanager
async def running(*processes: Worker) -> AsyncIterator[None]:
    """These processes, ready."""
    try:
        for each in processes:
            await each.start()
        for each in processes:
            await until_ready(each)
        yield
    finally:
        for each in processes:
            await each.stop()


async def test_people_watch_look_check_and_decide(stage: Stage) -> None:
    """From the first flag to a decision that outlives the process; the worker answers for its recipients."""
    worker = stage.worker("judge")
    first, second = (stage.aggregator(name, [worker]) for name in ("first", "second"))
    await write(the_facts(), stage)
    async with aiohttp.ClientSession() as session, running(worker):
        async with running(first):
            desk = Desk(first.page, session)
            pushed = asyncio.create_task(flag_from_stream(desk))
            await desk.until("/v1/summary", lambda told: told["health"]["ready"])
            await write(the_sends(), stage)
            flag = await asyncio.wait_for(pushed, WITHIN)
            assert (flag["rule"], flag["send"]["id"]) == ("C5_AFTER_OPT_OUT", "s-0")
            await watched(desk)
            await looked_at(desk, flag)
            await checked(desk)
            await decided(desk, flag, stage)
        async with running(second):
            desk = Desk(second.page, session)
            told = await desk.until("/v1/flags", lambda page: page["flags"] and page["flags"][0]["disposition"])
            assert told["flags"][0]["disposition"]["action"] == "dismiss"
    said = first.log.read_text(encoding="utf-8")
    assert flag["flag_id"] in said
    assert not any(one in said for one in (*PEOPLE, STRANGER, "会员日"))


async def flag_from_stream(desk: Desk) -> Any:
    """The first flag that is pushed."""
    while True:
        try:
            async with desk.session.get(f"{desk.address}/v1/stream") as stream:
                async for line in stream.content:
                    if line.startswith(b"data: ") and b'"flags":[{' in line:
                        return json.loads(line[6:])["flags"][0]
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)


async def watched(desk: Desk) -> None:
    """All sends are counted, and nothing is left to judge."""
    summary = await desk.until("/v1/summary", lambda told: told["totals"]["1d"]["sends"] == len(PEOPLE))
    assert (summary["totals"]["1d"]["flagged"], summary["coverage"]["1d"]) == (1, 1.0)
    assert summary["latest"][0]["send"]["id"] == "s-0"
    health = (await desk.until("/v1/summary", lambda told: told["health"]["workers"]))["health"]
    assert (health["lag"], health["ledger_lag"], health["ready"]) == (0, 0, True)
    assert sorted(health["workers"][0]["partitions"]) == [0, 1]


async def looked_at(desk: Desk, flag: Any) -> None:
    """The evidence, and every rule's answer, by the worker."""
    whole = await desk.get(f"/v1/flags/{flag['flag_id']}")
    assert whole["evidence"]["refusal"] == "w"
    explained = await desk.get(f"/v1/explain?flag={flag['flag_id']}")
    outcomes = {each["rule"]: each["outcome"] for each in explained["answers"]}
    assert (explained["by"], outcomes["C5_AFTER_OPT_OUT"], outcomes["C1_CONSENT_MISSING"]) == (
        "worker",
        "flagged",
        "clean",
    )
    await desk.get(f"/v1/explain?source={flag['source'].rsplit(':', 1)[0]}:999", 404)


async def checked(desk: Desk) -> None:
    """Before another campaign: who refused, who never agreed, who may be written to."""
    send = {
        "sp": "sp1",
        "port": "10690001",
        "text": TEXT,
        "carrier": "cm",
        "province": "53",
        "planned_at": NOW + HOUR * 20,
    }
    body = {"send": send, "recipients": [*PEOPLE, STRANGER, "12"], "details": "all"}
    answer = await desk.post("/v1/check", body)
    flags = {each["n"]: [flag["rule"] for flag in each["flags"]] for each in answer["recipients"] if each["flags"]}
    assert flags == {0: ["C5_AFTER_OPT_OUT"], len(PEOPLE): ["C1_CONSENT_MISSING"]}
    assert answer["sum"] == {"flagged": 2, "undecided": 0, "clean": 39, "unknown": 0, "refused": 1}
    assert (answer["by"]["worker"], answer["complete"], answer["asked"]) == (42, True, 42)
    summary = await desk.get("/v1/summary")
    assert summary["totals"]["30d"]["sends"] == len(PEOPLE)


async def decided(desk: Desk, flag: Any, stage: Stage) -> None:
    """A false alarm, by hand; it stands in the topic, in the precision of its rule, and with the flag."""
    decision = {"about": {"kind": "flag", "id": flag["flag_id"]}, "action": "dismiss", "why": "谈过，系误报"}
    made = await desk.post("/v1/dispositions", decision, 201)
    rules = {each["rule"]: each for each in (await desk.get("/v1/precision"))["rules"]}
    assert (rules["C5_AFTER_OPT_OUT"]["dismissed"], rules["C5_AFTER_OPT_OUT"]["precision"]) == (1, 0.0)
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, group_id=None, enable_auto_commit=False)
    place = TopicPartition(stage.settings.topics.name("dispositions"), 0)
    async with consumer:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        (record,) = (await consumer.getmany(timeout_ms=5000))[place]
    assert record.key.decode() == flag["flag_id"]
    assert dispositions.read(record.value).disposition_id == made["disposition_id"]
    assert dict(record.headers)["ce_type"] == dispositions.MADE.encode()


async def test_without_a_worker_the_topics_are_read_and_that_is_said(stage: Stage, tmp_path: Path) -> None:
    """From the page and from the command line: the same findings, and a note who was not there."""
    worker, aggregator = stage.worker("judge"), stage.aggregator("alone")
    await write(the_facts(), stage)
    async with running(worker):
        await write(the_sends(), stage)
        await asyncio.sleep(1)
    async with running(aggregator), aiohttp.ClientSession() as session:
        desk = Desk(aggregator.page, session)
        await desk.until("/v1/summary", lambda told: told["health"]["ready"])
        send = {"sp": "sp1", "port": "10690001", "text": TEXT, "carrier": "cm", "province": "53", "planned_at": NOW}
        answer = await desk.post("/v1/check", {"send": send, "recipients": [REFUSED, STRANGER, PEOPLE[3]]})
    assert (answer["by"]["topics"], answer["sum"]["flagged"], answer["sum"]["clean"]) == (3, 2, 1)
    assert "no worker" in answer["notes"][0]["en"]
    path = tmp_path / "campaign.csv"
    path.write_text(f"recipient\n{REFUSED}\n{STRANGER}\n{PEOPLE[3]}\n", encoding="utf-8")
    given = [f"--{name}={value}" for name, value in send.items() if name not in ("carrier", "province", "planned_at")]
    asking = stage.worker("asks")
    asking._command = ("check-campaign", str(path), "--output", "json", f"--at={NOW}", *given)
    await asking.start()
    assert await asking.wait(WITHIN) == 1
    said = json.loads(asking.log.read_text(encoding="utf-8").splitlines()[-1])
    assert (said["by"]["topics"], said["sum"]["flagged"]) == (3, 2)
