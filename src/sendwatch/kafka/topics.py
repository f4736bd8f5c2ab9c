"""Topics on a server: what is there, what is missing, making it.

Belongs here: asking a server and telling it. Not here: what there should be, and what follows from a
difference (`sendwatch/topics.py`). Nothing else makes topics.

Two habits, both for the embedded broker: topics are listed and never asked for by name, which would make
them; and configurations are asked for whole, since it hangs up when asked for single ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec import Struct

from sendwatch.kafka.connection import CannotConnectError, reach
from sendwatch.topics import Change, Existing, Topic, declared, plan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from sendwatch.settings import Settings

REQUEST_MS = 30_000
APPEAR_SECONDS = 30.0
UNTOLD = "the server does not tell how its topics are configured ({}): only their partitions were compared"


class TopicsRefusedError(Exception):
    """The topics cannot be as declared; the message is one sentence a line. Nothing is made then."""


class Survey(Struct, frozen=True):
    """What has to be done about each topic, and what could not be found out."""

    changes: list[Change]
    notes: list[str]

    @property
    def refusals(self) -> list[str]:
        """What stands in the way."""
        return [change.sentence for change in self.changes if change.need == "refuse"]


async def survey(settings: Settings, tell: Callable[[str], None] = lambda _: None) -> Survey:
    """Compare what a server has with what is declared; changes nothing. Raises CannotConnectError."""
    async with admin(settings, "looking at topics", tell) as client:
        return await look(client, declared(settings.topics))


async def refuse_unfit(
    settings: Settings, kinds: Collection[str], tell: Callable[[str], None] = lambda _: None
) -> None:
    """Raise TopicsRefusedError where one of these is not there, or any has other partitions than configured.

    In a wrong number of partitions keys would lie elsewhere; clients ask for what is not there for ever, or give up
    with an error that does not name it.
    """
    found = await survey(settings, tell)
    missing = [each.topic.name for each in found.changes if each.need == "create" and each.topic.kind in kinds]
    wrong = [f"{name} is not there, or DESCRIBE is missing: see `sendwatch topics plan`" for name in missing]
    if wrong or found.refusals:
        raise TopicsRefusedError("\n".join([*wrong, *found.refusals]))


async def apply(settings: Settings, tell: Callable[[str], None] = lambda _: None) -> Survey:
    """Make what is missing, and wait until it is there; the survey is of before.

    What differs in an existing topic stays as it is: a shorter retention would delete. Raises
    TopicsRefusedError, before anything is made, where partitions are wrong, or where the server refuses;
    CannotConnectError.
    """
    wanted = declared(settings.topics)
    async with admin(settings, "making topics", tell) as client:
        found = await look(client, wanted)
        if found.refusals:
            raise TopicsRefusedError("\n".join(found.refusals))
        missing = [change.topic for change in found.changes if change.need == "create"]
        if missing:
            await make(client, missing)
            await appear(client, wanted)
        return found


@contextlib.asynccontextmanager
async def admin(settings: Settings, doing: str, tell: Callable[[str], None]) -> AsyncIterator[Any]:
    """A started admin client; whatever fails in the connection comes out as a CannotConnectError."""
    options = await reach(settings.kafka, doing, tell)
    client = AIOKafkaAdminClient(**options, request_timeout_ms=REQUEST_MS)
    try:
        await client.start()
        yield client
    except (OSError, errors.KafkaError) as error:
        raise CannotConnectError(f"{doing} at {settings.kafka.bootstrap}: {error}") from error
    finally:
        await client.close()


async def look(client: Any, wanted: Sequence[Topic]) -> Survey:
    """Compare what a server has with what is wanted."""
    names = {topic.name for topic in wanted}
    listed = {one["topic"]: one["partitions"] for one in await client.describe_topics() if one["topic"] in names}
    configs, notes = await configurations(client, sorted(listed))
    existing = {
        name: Existing(len(partitions), min(len(one["replicas"]) for one in partitions), configs.get(name))
        for name, partitions in listed.items()
        if partitions
    }
    return Survey(plan(existing, wanted), notes)


async def configurations(client: Any, names: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The configuration of each topic as far as the server tells it, and a note where it doesn't."""
    if not names:
        return {}, []
    try:
        answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    except (OSError, errors.KafkaError) as error:
        return {}, [UNTOLD.format(error)]
    told: dict[str, dict[str, str]] = {}
    silent: set[str] = set()
    for code, _, _, name, entries in (resource for answer in answers for resource in answer.resources):
        if code:
            silent.add(errors.for_code(code).__name__)
        else:
            told[name] = {entry[0]: entry[1] for entry in entries}
    return told, [UNTOLD.format(", ".join(sorted(silent)))] if silent else []


async def make(client: Any, topics: Sequence[Topic]) -> None:
    """Make topics. One that somebody else makes meanwhile is fine. Raises TopicsRefusedError."""
    answer = await client.create_topics([new_topic(topic) for topic in topics])
    refusals: dict[str, list[str]] = {}
    for name, code, message in answer.topic_errors:
        if code not in {0, errors.TopicAlreadyExistsError.errno}:
            refusals.setdefault(why_not(code, message), []).append(name)
    if refusals:
        raise TopicsRefusedError(
            "\n".join(f"cannot make {', '.join(sorted(names))}: {why}" for why, names in refusals.items())
        )


def new_topic(topic: Topic) -> NewTopic:
    """A topic for the admin client, which takes a replication of -1 only with an assignment, be it empty."""
    assignments: dict[int, list[int]] | None = {} if topic.replication < 0 else None
    return NewTopic(topic.name, topic.partitions, topic.replication, assignments, topic.configs)


def why_not(code: int, message: str | None) -> str:
    """What a server's refusal means."""
    error = errors.for_code(code)
    if error in {errors.TopicAuthorizationFailedError, errors.ClusterAuthorizationFailedError}:
        return "this user may not; it needs CREATE on the topic or on the cluster"
    return message or error.description or error.__name__


async def appear(client: Any, wanted: Sequence[Topic]) -> None:
    """Wait until every topic is there, and each partition has a leader.

    Raises TopicsRefusedError where that takes too long, or somebody else was faster and made it otherwise.
    """
    give_up_at = time.monotonic() + APPEAR_SECONDS
    while True:
        found = await look(client, wanted)
        if found.refusals:
            raise TopicsRefusedError("\n".join(found.refusals))
        listed = {one["topic"]: one["partitions"] for one in await client.describe_topics()}
        absent = [topic.name for topic in wanted if not led(listed.get(topic.name))]
        if not absent:
            return
        if time.monotonic() > give_up_at:
            names = ", ".join(absent)
            raise TopicsRefusedError(f"not seen {APPEAR_SECONDS:g} s after making: {names}; is DESCRIBE missing?")
        await asyncio.sleep(0.1)


def led(partitions: Sequence[dict[str, Any]] | None) -> bool:
    """Whether a topic is there and every partition of it has a leader."""
    return bool(partitions) and all(one["leader"] >= 0 for one in partitions or ())
