"""The declared topics, and what follows from those that exist already."""

from __future__ import annotations

import pytest

from sendwatch.cluster import Names, Retention, Topics
from sendwatch.topics import (
    CO_PARTITIONED,
    DAY_MS,
    INPUTS,
    KEYS,
    LEDGER_BYTES,
    NEVER_MS,
    REGISTRIES,
    Existing,
    Topic,
    declared,
    plan,
)


def by_kind(topics: Topics | None = None) -> dict[str, Topic]:
    return {topic.kind: topic for topic in declared(topics or Topics())}


def as_found(topics: Topics, **partitions: int) -> dict[str, Existing]:
    """A server that has everything as declared, but for the numbers of partitions given by kind."""
    return {
        topic.name: Existing(partitions.get(topic.kind, topic.partitions), 3, topic.configs)
        for topic in declared(topics)
    }


def said(existing: dict[str, Existing], topics: Topics, need: str) -> list[str]:
    return [change.sentence for change in plan(existing, declared(topics)) if change.need == need]


# -- what there should be -----------------------------------------------------------------------------


def test_every_topic_of_the_contract_is_declared_once() -> None:
    """Each kind that has a name in the settings, and no other."""
    assert [topic.kind for topic in declared(Topics())] == list(KEYS) == list(Names.__struct_fields__)
    assert by_kind()["sends"].name == "sms.sends"


def test_names_take_the_prefix_and_can_each_be_changed() -> None:
    """Several installations share a Kafka, and a carrier's topics have names already."""
    topics = by_kind(Topics(prefix="gd.", names=Names(sends="mt-submit")))
    assert (topics["sends"].name, topics["flags"].name) == ("gd.mt-submit", "gd.sms.flags")


def test_what_is_of_recipients_has_the_same_number_of_partitions() -> None:
    """Sends meet their consents, and flags lie where their sends do; registries keep one order."""
    topics = by_kind(Topics(partitions=7))
    assert {topics[kind].partitions for kind in CO_PARTITIONED} == {7}
    assert {topics[kind].partitions for kind in REGISTRIES} == {1}


def test_only_registries_and_flags_are_compacted_and_keep_what_was_replaced() -> None:
    """The last record of a key holds, and half a year can be looked back on."""
    compacted = {kind for kind, topic in by_kind().items() if topic.cleanup == "compact"}
    assert compacted == {*REGISTRIES, "flags"}
    assert by_kind()["signatures"].configs["min.compaction.lag.ms"] == str(180 * DAY_MS)
    assert by_kind(Topics(audit_days=-1))["flags"].configs["min.compaction.lag.ms"] == str(NEVER_MS)


@pytest.mark.parametrize("kind", ["consents", "replies", "complaints", "optouts"])
def test_the_system_of_record_is_kept_for_ever(kind: str) -> None:
    """A worker's knowledge of a recipient is rebuilt from these."""
    assert by_kind()[kind].configs["retention.ms"] == "-1"


def test_other_topics_are_kept_for_the_days_set() -> None:
    """In the server's milliseconds."""
    topics = by_kind(Topics(retention_days=Retention(sends=30, ledger=-1)))
    assert topics["sends"].configs["retention.ms"] == str(30 * DAY_MS)
    assert topics["ledger"].configs["retention.ms"] == "-1"


def test_the_brokers_clock_stamps_records_unless_they_are_loaded_or_simulated() -> None:
    """Arrival cannot be forged; and history that is loaded is not deleted for being old."""
    assert {topic.timestamp_type for topic in by_kind().values()} == {"LogAppendTime"}
    loaded = by_kind(Topics(timestamps="producer"))
    assert {kind for kind, topic in loaded.items() if topic.timestamp_type == "CreateTime"} == set(INPUTS)
    assert loaded["sends"].configs["retention.ms"] == "-1"
    assert loaded["signatures"].configs["min.compaction.lag.ms"] == str(NEVER_MS)
    assert loaded["sends"].configs["segment.ms"] == str(NEVER_MS)
    assert loaded["quarantine"].configs["retention.ms"] == str(190 * DAY_MS)


def test_a_ledger_record_may_be_large_and_copies_must_agree() -> None:
    """Kept rows of a whole batch, or sums of many; with three copies, two must have a record before it counts."""
    topics = by_kind(Topics(replication=3))
    for large in ("ledger", "rollups"):
        assert topics[large].configs["max.message.bytes"] == str(LEDGER_BYTES)
    assert (topics["rollups"].partitions, topics["rollups"].cleanup) == (1, "delete")
    assert topics["sends"].configs["min.insync.replicas"] == "2"
    assert "min.insync.replicas" not in by_kind()["sends"].configs


# -- what follows from what there is ------------------------------------------------------------------


def test_missing_topics_are_to_be_made() -> None:
    """On an empty server, all of them; strangers' topics don't matter."""
    made = said({"other": Existing(3)}, Topics(), "create")
    assert len(made) == len(KEYS)
    assert made[0] == "sms.sends: to be made with 12 partitions"
    assert "sms.ports: to be made with 1 partition" in made


def test_topics_as_declared_are_kept() -> None:
    """Applying twice changes nothing the second time."""
    changes = plan(as_found(Topics()), declared(Topics()))
    assert {change.need for change in changes} == {"keep"}
    assert len(changes) == len(KEYS)


def test_another_number_of_partitions_is_refused_with_the_number_to_set() -> None:
    """Where all that exist agree, the setting is what is wrong."""
    existing = {name: found for name, found in as_found(Topics(partitions=6)).items() if name != "sms.ledger"}
    refused = said(existing, Topics(partitions=12), "refuse")
    assert len(refused) == len(CO_PARTITIONED) - 1
    assert refused[0] == (
        "sms.sends has 6 partitions, 12 wanted: all topics of recipients need the same number, or a consent "
        "and a send never meet. All that exist have 6: set topics.partitions = 6."
    )


def test_one_topic_with_another_number_is_to_be_copied() -> None:
    """Adding partitions to it would leave its records where their keys no longer belong."""
    (refused,) = said(as_found(Topics(), consents=6), Topics(), "refuse")
    assert refused.startswith("sms.consents has 6 partitions, 12 wanted: ")
    assert "Copy its records into a new topic with 12, and name that in [topics.names]" in refused


def test_a_registry_of_several_partitions_is_refused() -> None:
    """Which of two rows was written last decides a verdict."""
    (refused,) = said(as_found(Topics(), signatures=3), Topics(), "refuse")
    assert refused.startswith("sms.signatures has 3 partitions, 1 wanted: only one partition keeps the order")


def test_what_is_configured_otherwise_is_told_as_far_as_the_server_tells_it() -> None:
    """Replication and configurations; what a server keeps to itself is not guessed at."""
    topics = Topics(replication=3)
    existing = as_found(topics)
    theirs = {**by_kind(topics)["sends"].configs, "retention.ms": "604800000"}
    existing["sms.sends"] = Existing(12, 1, theirs)
    existing["sms.flags"] = Existing(12)
    existing["sms.owners"] = Existing(1, 5, {"segment.bytes": "1"})
    assert said(existing, topics, "differs") == [
        "sms.sends: replication is 1, declared is 3",
        "sms.sends: retention.ms is 604800000, declared is 16416000000",
    ]
