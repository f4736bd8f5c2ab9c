"""The one declared list of topics: what `sendwatch topics plan` shows and `apply` makes.

Belongs here: partitions, cleanup, retention and timestamps of every topic, and what to do about topics that
exist already. Not here: talking to a server (`kafka/topics.py`), names and numbers that are settings
(`cluster.py`). Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sendwatch.cluster import Topics

Cleanup = Literal["delete", "compact"]
Timestamps = Literal["LogAppendTime", "CreateTime"]
Need = Literal["create", "keep", "differs", "refuse"]

DAY_MS = 86_400_000
NEVER_MS = 2**63 - 1
LEDGER_BYTES = 8 * 2**20
"""The largest ledger record: a batch of kept rows; or rollup. Producers need `max_request_size` as large."""

RECIPIENT_KEYED = ("sends", "consents", "replies", "reports", "complaints")
REGISTRIES = ("signatures", "ports", "letters", "templates", "owners")
INPUTS = (*RECIPIENT_KEYED, *REGISTRIES, "dispositions")
CO_PARTITIONED = (*RECIPIENT_KEYED, "flags", "optouts", "quarantine", "ledger", "canary")
LARGE = ("ledger", "rollups")
COMPACTED = (*REGISTRIES, "flags")

KEYS = {
    "sends": "recipient",
    "consents": "recipient",
    "replies": "recipient",
    "reports": "recipient",
    "complaints": "recipient",
    "signatures": "id",
    "ports": "id",
    "letters": "id",
    "templates": "id",
    "owners": "id",
    "flags": "flag_id",
    "optouts": "recipient token",
    "breaches": "breach_id",
    "quarantine": "topic/partition/offset",
    "ledger": "none",
    "rollups": "none",
    "canary": "flag_id",
    "dispositions": "flag_id",
}
"""What the key of each kind of record is; these are all the kinds there are."""


class Topic(Struct, frozen=True):
    """A topic as it should be. `retention_ms` -1 is for ever; `configs` are the server's own, all of them."""

    kind: str
    name: str
    partitions: int
    replication: int
    key: str
    cleanup: Cleanup
    retention_ms: int
    timestamp_type: Timestamps
    configs: dict[str, str]


class Existing(Struct, frozen=True):
    """A topic as a server has it; `configs` None where it does not tell them."""

    partitions: int
    replication: int | None = None
    configs: Mapping[str, str] | None = None


class Change(Struct, frozen=True):
    """What has to be done about a topic, or found of it, in a sentence."""

    need: Need
    topic: Topic
    sentence: str


def declared(topics: Topics) -> tuple[Topic, ...]:
    """Every topic, as the settings would have it."""
    return tuple(_declare(kind, topics) for kind in KEYS)


def _declare(kind: str, topics: Topics) -> Topic:
    cleanup: Cleanup = "compact" if kind in COMPACTED else "delete"
    days = getattr(topics.retention_days, kind, -1)
    loaded = topics.timestamps == "producer" and kind in INPUTS
    retention_ms = -1 if loaded or days < 0 else days * DAY_MS
    timestamp_type: Timestamps = "CreateTime" if loaded else "LogAppendTime"
    configs: dict[str, str] = {"cleanup.policy": cleanup, "message.timestamp.type": timestamp_type}
    if cleanup == "delete":
        configs["retention.ms"] = str(retention_ms)
    else:
        lag = NEVER_MS if loaded or topics.audit_days < 0 else topics.audit_days * DAY_MS
        configs["min.compaction.lag.ms"] = str(lag)
    if loaded:
        configs["segment.ms"] = str(NEVER_MS)  # times that jump back and forth would roll segments without end
    if kind in LARGE:
        configs["max.message.bytes"] = str(LEDGER_BYTES)
    if topics.replication > 2:
        configs["min.insync.replicas"] = str(topics.replication - 1)
    return Topic(
        kind=kind,
        name=topics.name(kind),
        partitions=topics.partitions if kind in CO_PARTITIONED else 1,
        replication=topics.replication,
        key=KEYS[kind],
        cleanup=cleanup,
        retention_ms=retention_ms,
        timestamp_type=timestamp_type,
        configs=configs,
    )


def plan(existing: Mapping[str, Existing], wanted: Sequence[Topic]) -> list[Change]:
    """What follows for each topic from what a server has, by name; one change at least for each."""
    changes: list[Change] = []
    for topic in wanted:
        found = existing.get(topic.name)
        if found is None:
            changes.append(Change("create", topic, f"{topic.name}: to be made with {count(topic.partitions)}"))
        elif found.partitions != topic.partitions:
            changes.append(Change("refuse", topic, refusal(topic, found.partitions, existing, wanted)))
        else:
            differing = [Change("differs", topic, sentence) for sentence in differences(topic, found)]
            changes += differing or [Change("keep", topic, f"{topic.name}: as declared")]
    return changes


def refusal(topic: Topic, found: int, existing: Mapping[str, Existing], wanted: Sequence[Topic]) -> str:
    """Why a number of partitions will not do, and what to do about it."""
    sentence = f"{topic.name} has {count(found)}, {topic.partitions} wanted: "
    if topic.kind not in CO_PARTITIONED:
        return (
            f"{sentence}only one partition keeps the order of all its records, which decides. Copy them in "
            "their order into a new topic, and name that in [topics.names]."
        )
    sentence += "all topics of recipients need the same number, or a consent and a send never meet. "
    theirs = {existing[one.name].partitions for one in wanted if recipients_have(one, existing)}
    if theirs == {found}:
        return f"{sentence}All that exist have {found}: set topics.partitions = {found}."
    return (
        f"{sentence}Copy its records into a new topic with {topic.partitions}, and name that in "
        "[topics.names]; adding partitions would leave old records where their keys no longer belong."
    )


def recipients_have(topic: Topic, existing: Mapping[str, Existing]) -> bool:
    """Whether a topic exists and is one of those that must have the same number of partitions."""
    return topic.kind in CO_PARTITIONED and topic.name in existing


def differences(topic: Topic, found: Existing) -> Iterator[str]:
    """What of an existing topic is not as declared, as far as the server tells."""
    if found.replication is not None and topic.replication > found.replication:
        yield f"{topic.name}: replication is {found.replication}, declared is {topic.replication}"
    for key, value in topic.configs.items():
        told = None if found.configs is None else found.configs.get(key)
        if told is not None and told != value:
            yield f"{topic.name}: {key} is {told}, declared is {value}"


def count(partitions: int) -> str:
    """A number of partitions in words."""
    return f"{partitions} partition{'s' if partitions != 1 else ''}"
