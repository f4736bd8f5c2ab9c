"""A send that is only planned is judged as it will be when it is sent; whoever answers, and nothing is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine_builders import (
    ANNE,
    BODO,
    HOUR,
    JUDGING,
    NOW,
    OTHER_TEXT,
    SETTINGS,
    TEXT,
    Cluster,
    Desk,
    a_consent,
    a_reply,
    a_send,
    a_withdrawal,
    settle,
)  # fmt: skip
from histories import histories
from sendwatch.desk import offline
from sendwatch.engine.explain import explain
from sendwatch.engine.planned import Lookup, Planned, by_recipient, judge_planned, memory_of, read_planned
from sendwatch.events import Send
from sendwatch.report.explanation import as_text
from sendwatch.secret import Secret
from sendwatch.worker.evidence import Line
from sendwatch.worker.lookup import CannotAnswerError, Judged, Lookups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine_builders import Event
    from sendwatch.dossier import Dossier
    from sendwatch.engine.planned import Found

LATER = NOW + 72 * HOUR
Rules = dict[tuple[int, str], dict[str, object]]

plans = st.lists(
    st.tuples(
        st.sampled_from([ANNE, BODO]),
        st.sampled_from([0, 1]),
        st.sampled_from([LATER, LATER, LATER + HOUR // 2, LATER + 30 * HOUR]),
    ),
    min_size=1,
    max_size=4,
)


def a_lookup(*sends: tuple[str, int, int], **fields: Any) -> Lookup:
    """Planned sends as (recipient, text, time) by sp1 from 10690001, of O1 and O2."""
    planned = [Planned(n, recipient, text, "cm", "53", at) for n, (recipient, text, at) in enumerate(sends)]
    usual = {"partition": 0, "sp": "sp1", "port": "10690001", "category": "marketing", "template": None}
    return Lookup(**{**usual, "texts": [TEXT, OTHER_TEXT], "sends": planned, **fields})


def rules_of(found: Sequence[Found]) -> Rules:
    """What would be flagged, and why, by number of the send."""
    return {(each.n, flag.rule): flag.evidence for each in found for flag in each.flags}


def sent(ask: Lookup) -> list[Event]:
    """The same sends as their records will be."""
    return [
        a_send(f"planned/{e.n}", e.at, recipient=e.recipient, text=ask.texts[e.text]) for e in ask.sends
    ]  # fmt: skip


def planned_by(dossiers: dict[str, Dossier], ask: Lookup) -> list[Found]:
    """What the judge says of planned sends, by these dossiers."""
    reads = [(each.n, read_planned(JUDGING, ask, each, "planned")) for each in ask.sends]
    sends = [(number, read) for number, read in reads if isinstance(read, Send)]
    found: list[Found] = []
    for recipient, theirs in by_recipient(sends).items():
        found += judge_planned(JUDGING, memory_of(JUDGING), dossiers[recipient], theirs)
    return found


@given(histories(most=8), plans)
def test_a_planned_send_is_judged_as_when_it_is_sent(
    history: Sequence[Event], planned: list[tuple[str, int, int]]
) -> None:
    """After any history: the same rules with the same evidence, several to one recipient included."""
    ask, desk = a_lookup(*planned), Desk().write(*history)
    desk.work()
    internal = JUDGING.pseudonyms.internal
    opened = desk.fork().partition.load({internal(ANNE), internal(BODO)})
    found = planned_by({each: opened[internal(each)] for each in (ANNE, BODO)}, ask)
    desk.write(*sorted(sent(ask), key=lambda event: event.timestamp)).work()
    judged: Rules = {}
    for event in desk.flags:
        mark, _, number = event.send.id.partition("/")
        if mark == "planned":
            judged.pop((int(number), event.rule), None)
            if event.status == "raised":
                judged[int(number), event.rule] = event.evidence
    assert rules_of(found) == judged


@given(histories(most=8))
def test_the_topics_tell_the_same_history_as_the_worker_keeps(history: Sequence[Event]) -> None:
    """Who has no worker to ask folds the records anew, and comes to the same findings."""
    desk, ask = Desk().write(*history), a_lookup((ANNE, 0, LATER), (ANNE, 1, LATER), (BODO, 0, LATER))
    desk.work()
    internal = JUDGING.pseudonyms.internal
    kept = desk.partition.load({internal(ANNE), internal(BODO)})
    records = {kind: [Line(r.offset, r.timestamp, r.key, r.value) for r in some] for kind, some in desk.topics.items()}
    folded = offline.dossiers_of(JUDGING, 0, records, [ANNE, BODO])
    assert rules_of(planned_by(folded, ask)) == rules_of(
        planned_by({each: kept[internal(each)] for each in (ANNE, BODO)}, ask)
    )


def test_an_earlier_planned_send_counts_for_the_next_to_the_same_recipient() -> None:
    """A consent for one a day covers the first of two; a grant that comes between changes nothing of that."""
    desk = Desk().write(a_consent(max_per_day=1))
    desk.work()
    dossier = desk.partition.load({JUDGING.pseudonyms.internal(ANNE)})[JUDGING.pseudonyms.internal(ANNE)]
    found = planned_by({ANNE: dossier}, a_lookup((ANNE, 0, LATER), (ANNE, 0, LATER + 1)))
    assert [number for number, rule in rules_of(found) if rule.startswith("C4")] == [1]


def test_what_nobody_could_send_so_is_refused() -> None:
    """As its record would be."""
    refused = [read_planned(JUDGING, a_lookup((each, 0, LATER)), Planned(0, each, 0, None, None, LATER), "p")
               for each in ("12", "13912345678")]  # fmt: skip
    assert [getattr(each, "reason", None) for each in refused] == ["recipient_form", None]


# -- what a worker answers ----------------------------------------------------------------------------------------


async def a_worker(*events: Event) -> tuple[Cluster, Any, Lookups]:
    """A worker that has judged these, and its look-ups."""
    cluster = Cluster()
    cluster.produce(*events)
    worker = await settle(await cluster.worker())
    return cluster, worker, Lookups(SETTINGS, worker._judging, lambda: worker)


async def test_a_worker_answers_for_its_recipients_and_keeps_nothing_of_the_question() -> None:
    """Store, topics and memory are as they were."""
    cluster, worker, lookups = await a_worker(a_consent(), a_withdrawal(at=NOW - HOUR), a_send(at=NOW))
    before = dict(worker.owned[0].partition.store.scan(b"")), cluster.writes, len(worker._judging.memory._alike)
    answer = await lookups.planned(a_lookup((ANNE, 0, LATER), (BODO, 0, LATER), ("12", 0, LATER)))
    assert sorted(rules_of(answer.found)) == [(0, "C5_AFTER_OPT_OUT"), (1, "C1_CONSENT_MISSING")]
    assert [(each.n, each.refused) for each in answer.found if each.refused] == [(2, "recipient_form")]
    assert lookups.owned() == {"name": "tester", "ready": True, "partitions": [0]}
    after = dict(worker.owned[0].partition.store.scan(b"")), cluster.writes, len(worker._judging.memory._alike)
    assert after == before


async def test_a_worker_explains_a_send_in_the_words_of_the_command_line() -> None:
    """By the dossier that it keeps; the command line folds the recipient's records."""
    events = [a_consent(), a_reply(at=NOW - HOUR, text="TD"), a_send("before", NOW - 2 * HOUR), a_send("after", NOW)]
    cluster, worker, lookups = await a_worker(*events)
    record = next(each for each in cluster.records("sends") if b"after" in (each.value or b""))
    told = lookups.explained(Judged(0, record.offset, record.timestamp, record.key or b"", record.value or b""))
    line = Line(record.offset, record.timestamp, record.key, record.value)
    records: dict[str, Any] = {kind: cluster.records(kind) for kind in ("consents", "replies", "sends")}
    records["sends"] = [each for each in records["sends"] if each.offset != record.offset]
    assert told["text"] == as_text(explain(worker._judging, line, 0, records))
    assert "C5_AFTER_OPT_OUT" in told["text"]


async def test_a_worker_does_not_answer_for_what_it_does_not_own_or_has_not_caught_up_with() -> None:
    """Unknown is not clean: who asks is told, and asks elsewhere."""
    _, worker, lookups = await a_worker(a_consent())
    with pytest.raises(CannotAnswerError, match="not_owned"):
        await lookups.planned(a_lookup((ANNE, 0, LATER), partition=1))
    worker.owned[0].held = True
    with pytest.raises(CannotAnswerError, match="not_ready"):
        await lookups.planned(a_lookup((ANNE, 0, LATER)))
    assert lookups.owned()["partitions"] == []


async def test_a_send_that_is_kept_no_more_is_not_explained_from_what_is_kept() -> None:
    """Its neighbours are forgotten; the topics still have them."""
    cluster, _, lookups = await a_worker(a_send("old", NOW), a_send("new", NOW + 200 * HOUR))
    record = cluster.records("sends")[0]
    with pytest.raises(CannotAnswerError, match="not_at_hand"):
        lookups.explained(Judged(0, record.offset, record.timestamp, record.key or b"", record.value or b""))


@pytest.mark.parametrize(
    ("key", "header", "remote", "may"),
    [
        (None, "", "127.0.0.1", True), (None, "", "::1", True), (None, "", "10.0.0.8", False), (None, "", None, False),
        ("k" * 20, f"Bearer {'k' * 20}", "10.0.0.8", True), ("k" * 20, "", "127.0.0.1", False),
        ("k" * 20, f"Bearer {'x' * 20}", "10.0.0.8", False),
    ],
)  # fmt: skip
def test_a_worker_answers_its_own_machine_or_who_has_the_key(
    key: str | None, header: str, remote: str | None, may: bool
) -> None:
    """Its port has no password otherwise."""
    settings = replace(SETTINGS, desk=replace(SETTINGS.desk, lookup_key=Secret(key) if key else None))
    assert Lookups(settings, JUDGING, lambda: None).may(header, remote) is may
