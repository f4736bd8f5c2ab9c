"""What a replay publishes: the difference, one revision up; topic, ledger and store agree afterwards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from msgspec.structs import replace

import sendwatch
from engine_builders import (
    ANNE,
    DAY,
    JUDGING,
    MINUTE,
    NOW,
    Cluster,
    Desk,
    a_consent,
    a_send,
    judged,
    rules_of,
    settle,
    standing_of,
    tallied,
)
from sendwatch.dossier import digest_of
from sendwatch.facts import kept_of
from sendwatch.ledger import encode
from sendwatch.outgoing import Because
from sendwatch.replay.amend import BY_NEIGHBOURS, Correction, corrections, entered, oldest_kept, outcome_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine_builders import Event, Rec
    from sendwatch.dossier import Kept
    from sendwatch.outgoing import FlagEvent

RECIPIENT = JUDGING.pseudonyms.internal(ANNE)
BECAUSE = Because("sms.flags", "replay")


def last(desk: Desk) -> dict[str, FlagEvent]:
    """The last record of every flag."""
    return {event.flag_id: event for event in desk.flags}


def amend(desk: Desk, found: Sequence[Correction]) -> None:
    """Publish and commit these corrections, as the owner of the desk's partition does."""
    recipients = dict.fromkeys(range(len(desk.topics["sends"])), RECIPIENT)
    desk.commit(outcome_of(found, recipients, desk.partition, JUDGING, BECAUSE, NOW))


def kept_flags(desk: Desk, send_id: str) -> dict[str, tuple[int, bool]]:
    """What the store says was published of a send: revision and whether it stands, by rule."""
    kept = desk.partition.load([RECIPIENT])[RECIPIENT].find(send_id)
    assert kept is not None
    return {flag.rule: (flag.revision, flag.raised) for flag in kept.flags}


def test_nothing_is_published_where_nothing_differs() -> None:
    """The same flags on the same evidence, or a flag that was cleared and does not stand."""
    desk = judged([a_send()])
    assert corrections(last(desk), last(desk), 0) == ([], {})
    (flag,) = last(desk).values()
    assert corrections({}, {flag.flag_id: replace(flag, status="cleared")}, 0) == ([], {})


def test_a_flag_that_does_not_stand_is_cleared_everywhere() -> None:
    """On the topic, in the tallies, and in what is known of the send."""
    desk = judged([a_send()])
    ((flag_id, flag),) = last(desk).items()
    found, left = corrections({}, last(desk), 0)
    amend(desk, found)
    cleared = last(desk)[flag_id]
    assert (cleared.status, cleared.revision, cleared.because, cleared.evidence) == ("cleared", 2, BECAUSE, {})
    assert cleared.send == flag.send
    assert desk.rules == {}
    assert tallied(desk.ledger) == {}
    assert kept_flags(desk, "s") == {"C1_CONSENT_MISSING": (2, False)}
    assert not left
    assert desk.books()["sends"].judged == 1


def test_a_flag_that_is_missing_is_raised_and_counted_once() -> None:
    """Where it was never published, and where it was cleared; one whose evidence alone is another is not counted."""
    desk = judged([a_send()])
    ((flag_id, flag),) = last(desk).items()
    amend(desk, [Correction(flag, None)])
    found, _ = corrections({flag_id: flag}, last(desk), 0)
    amend(desk, found)
    assert last(desk)[flag_id].revision == 3
    found, _ = corrections({flag_id: replace(flag, evidence={"why": "expired"})}, last(desk), 0)
    amend(desk, found)
    assert last(desk)[flag_id].evidence == {"why": "expired"}
    assert tallied(desk.ledger) == {"C1_CONSENT_MISSING": 1}
    assert kept_flags(desk, "s") == {"C1_CONSENT_MISSING": (4, True)}

    other = judged([a_send()])
    amend(other, [Correction(None, replace(flag, rule="C2_CONSENT_NOT_EXPLICIT", flag_id="0" * 32))])
    assert other.rules == {"s": {"C1", "C2"}}
    assert kept_flags(other, "s")["C2_CONSENT_NOT_EXPLICIT"] == (1, True)


def test_the_worker_goes_on_from_what_was_published() -> None:
    """A late consent after it clears with the next revision, and publishes nothing about a flag that is cleared."""
    desk = judged([a_send()])
    amend(desk, corrections({}, last(desk), 0)[0])
    before = len(desk.flags)
    desk.write(a_consent(at=NOW - DAY, arrived=NOW + MINUTE)).work()
    assert len(desk.flags) == before
    assert desk.rules == {}


def test_of_sends_that_are_kept_no_more_what_rests_on_neighbours_is_left() -> None:
    """Whoever compared such a flag after a crash could not judge it; what is kept is corrected."""
    desk = judged([a_send(f"s{number}", at=NOW + number * MINUTE) for number in range(6)], [a_consent()])
    flags = {flag_id: flag for flag_id, flag in last(desk).items() if flag.rule in BY_NEIGHBOURS}
    assert len(flags) == 2
    assert corrections({}, flags, NOW + 5 * MINUTE)[1] == {"B2_FREQUENCY": 1}
    assert len(corrections({}, flags, NOW + 5 * MINUTE)[0]) == 1
    assert len(corrections({}, flags, oldest_kept(desk.partition, JUDGING))[0]) == 2


def test_the_rules_that_rest_on_neighbours_are_those_that_look_at_earlier_sends() -> None:
    """A new one must be named here."""
    folder = Path(sendwatch.__file__).parent / "rules"
    looking = {path.stem for path in folder.glob("*.py") if ".earlier" in path.read_text(encoding="utf-8")}
    assert looking == {rule_id.lower() for rule_id in BY_NEIGHBOURS}


def test_nothing_is_written_of_a_send_that_is_kept_no_more() -> None:
    """Its flag is cleared all the same; the store has no row to change."""
    desk = judged([a_send()], [a_send("later", at=NOW + 10 * DAY)], [a_send("last", at=NOW + 10 * DAY + MINUTE)])
    old = {flag_id: flag for flag_id, flag in last(desk).items() if flag.send.id == "s"}
    amend(desk, corrections({}, old, oldest_kept(desk.partition, JUDGING))[0])
    assert "s" not in desk.rules
    assert not desk.ledger[-1].rows


@pytest.mark.parametrize("status", ["raised", "cleared"])
def test_a_correction_is_about_what_is_known_best(status: str) -> None:
    """What the judge says now, else what was published."""
    (flag,) = last(judged([a_send()])).values()
    before = replace(flag, status=status)
    assert Correction(before, None).about is before
    assert Correction(before, flag).about is flag
    assert Correction(before, None).stood is (status == "raised")
    assert not Correction(None, flag).stood


# -- killed between flags and ledger, of a send that is kept no more -------------------------------------------------

WITHOUT_WAY_OUT = "【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。"
CONSENT = a_consent(at=NOW - DAY, arrived=NOW + MINUTE)


def row_of_record(record: Rec) -> Kept:
    """What was kept of a send while it was."""
    send: Any = JUDGING.readers["sends"](record.key, record.value, record.timestamp, Counter())
    facts = JUDGING.memory.of(send).facts_of(send)
    return kept_of(facts, send.request, record.offset, record.timestamp, digest_of(send))


@pytest.mark.parametrize("facts", [(), (CONSENT,)], ids=["it stands", "it does not stand"])
async def test_a_flag_that_a_killed_replay_cleared_is_counted_once(facts: Sequence[Event]) -> None:
    """It had published that, and died; whoever comes next finds how the send was counted, though it is not kept."""
    cluster = Cluster()
    cluster.produce(a_send(text=WITHOUT_WAY_OUT))
    worker = await settle(await cluster.worker())
    for number in range(2):  # nothing is kept of the first send after these, and facts no longer correct it
        cluster.produce(a_send(f"later{number}", at=NOW + 10 * DAY + number, recipient=ANNE))
        await settle(worker)
    cluster.produce(*facts)
    await settle(worker)
    partition, offsets = worker.owned[0].partition, {0: RECIPIENT}
    published = [flag for flag in cluster.flags() if flag.send.id == "s"]
    assert [flag.rule[:2] for flag in published] == ["C8", "C1"]
    assert partition.load([RECIPIENT])[RECIPIENT].find("s") is None

    found = [Correction(published[1], None)]
    sends = {0: (RECIPIENT, row_of_record(cluster.records("sends")[0]))}
    rows = entered(found, cluster.flags(), sends, partition, JUDGING, NOW)
    assert rows is not None
    assert not rows.messages
    cluster.append(TopicPartition("sms.ledger", 0), NOW, None, encode(rows.record))
    partition.apply(rows, len(cluster.entries()))
    for message in outcome_of(found, offsets, partition, JUDGING, BECAUSE, NOW).messages:
        place = TopicPartition("sms.flags", 0)
        cluster.append(place, NOW, message.key, message.value, message.headers)  # and here it dies

    cluster.disks = {}
    await settle(await cluster.worker())
    assert ("C1" in rules_of(cluster.flags())["s"]) is (not facts)
    assert "C8" in rules_of(cluster.flags())["s"]
    assert tallied(cluster.ranges()) == Counter(flag.rule for flag in standing_of(cluster.flags()))


def test_rows_are_entered_of_what_is_kept_no_more_and_of_nothing_else() -> None:
    """Not of a send that is kept, nor of a part; without flags that rest on neighbours: the next owner has none."""
    desk = judged([a_send(f"s{number}", at=NOW + number * MINUTE) for number in range(5)])
    flags = [flag for flag in desk.flags if flag.send.id == "s4"]
    assert {flag.rule[:2] for flag in flags} == {"B2", "C1"}
    found, kept = [Correction(flag, None) for flag in flags], row_of_record(desk.topics["sends"][4])
    assert entered(found, flags, {4: (RECIPIENT, kept)}, desk.partition, JUDGING, NOW) is None
    other = Desk()
    assert entered(found, flags, {4: (RECIPIENT, None)}, other.partition, JUDGING, NOW) is None
    rows = entered(found, flags, {4: (RECIPIENT, kept)}, other.partition, JUDGING, NOW)
    assert rows is not None
    assert [[flag.rule for flag in row.kept.flags] for row in rows.record.entered] == [["C1_CONSENT_MISSING"]]
    other.commit(rows)
    assert entered(found, flags, {4: (RECIPIENT, kept)}, other.partition, JUDGING, NOW) is None
    assert other.fork().partition.entered.keys() == {4}
    other.commit(outcome_of(found, {4: RECIPIENT}, other.partition, JUDGING, BECAUSE, NOW))
    assert not other.fork().partition.entered
