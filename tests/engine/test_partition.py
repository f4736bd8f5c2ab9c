"""A partition as a pure function: however records are cut and whenever facts come, the answer is the same."""

from __future__ import annotations

from itertools import permutations, starmap
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_builders import (
    ANNE,
    BODO,
    CODE,
    DAY,
    HOUR,
    JUDGING,
    MINUTE,
    NOW,
    OTHER_TEXT,
    TEXT,
    Desk,
    a_consent,
    a_reply,
    a_send,
    a_withdrawal,
    judged,
    net,
    optouts_of,
    quarantine_of,
    tallied,
)
from histories import ASKING, LONG_TIMES, histories
from sendwatch.dossier import Published
from sendwatch.engine.batch import review
from sendwatch.engine.flagging import Flagging
from sendwatch.outgoing import Because
from sendwatch.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine_builders import Event
    from sendwatch.engine.partition import Outcome

WINDOW = 72 * HOUR


def summary(desk: Desk) -> dict[str, object]:
    """All that must not depend on how records are cut into batches."""
    return {
        "flags": net(desk.flags),
        "books": msgspec.to_builtins(desk.books()),
        "quarantine": quarantine_of(desk.messages),
        "tallies": tallied(desk.ledger),
        "optouts": resolved(desk),
        "event_time": desk.partition.position.standing.event_time,
    }


def resolved(desk: Desk) -> dict[str, tuple[str, ...]]:
    """The owners whom replies refused, as last published; a reply that was taken for a refusal for a while is none."""
    last = {event.reply: event.owners for event in optouts_of(desk.messages)}
    return {reply: owners for reply, owners in last.items() if owners}


def cut(events: Sequence[Event], at: Sequence[int]) -> list[Sequence[Event]]:
    """Events in batches that end at these places."""
    ends = sorted({*at, len(events)})
    return [events[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@settings(max_examples=80, deadline=None)
@given(histories(most=9) | histories(most=9, times=LONG_TIMES), st.lists(st.integers(1, 8), max_size=3))
def test_batches_may_be_cut_anywhere(events: Sequence[Event], at: list[int]) -> None:
    """One by one, all at once, or in between: the same flags stand, the same books, tallies, opt-outs, refusals."""
    one_by_one = summary(judged(*[[event] for event in events]))
    assert summary(judged(events)) == one_by_one
    assert summary(judged(*cut(events, at))) == one_by_one


@settings(max_examples=40, deadline=None)
@given(histories(most=4, repeats=False))
def test_the_order_of_arrival_never_matters(events: Sequence[Event]) -> None:
    """Every order in which a few records can come ends in the same flags."""
    ends = [judged(*[[event] for event in order]) for order in permutations(events)]
    for desk in ends[1:]:
        assert net(desk.flags, places=False) == net(ends[0].flags, places=False)
        assert tallied(desk.ledger) == tallied(ends[0].ledger)
        assert resolved(desk) == resolved(ends[0])


def test_six_events_in_every_order() -> None:
    """Consent, refusal by a short word, a send that it answers, two sends after it, and the second of those twice.

    Every step is taken by a desk that knows no more than the store of the one before.
    """
    story = (
        a_consent(at=NOW - DAY),
        a_send("first", at=NOW),
        a_reply("no", at=NOW + HOUR, text="R"),
        a_send("after", at=NOW + 2 * HOUR),
        a_send("after", at=NOW + 2 * HOUR),
        a_send("later", at=NOW + 60 * HOUR),
    )
    expected = judged(story)
    ends = list(every_end(Desk(), story))
    assert len(ends) == 360
    assert all(net(desk.flags, places=False) == net(expected.flags, places=False) for desk in ends)
    assert expected.rules == {"after": {"C5"}, "later": {"C5", "C9", "B1"}}


def every_end(desk: Desk, rest: tuple[Event, ...]) -> Iterator[Desk]:
    """The desks at the end of every order of the rest."""
    if not rest:
        yield desk
    for event in dict.fromkeys(rest):
        left = list(rest)
        left.remove(event)
        after = desk.fork().write(event)
        after.work()
        yield from every_end(after, tuple(left))


# -- what comes late -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "stands"), [(0, False), (1, True)])
def test_a_consent_counts_until_the_window_has_passed(late: int, stands: bool) -> None:
    """A consent that arrives 72 h after the send clears C1; a millisecond later it does not."""
    desk = judged([a_send()], [a_consent(at=NOW - DAY, arrived=NOW + WINDOW + late)])
    assert desk.rules == ({"s": {"C1"}} if stands else {})


@pytest.mark.parametrize(("late", "stands"), [(0, True), (1, False)])
def test_a_refusal_counts_until_the_window_has_passed(late: int, stands: bool) -> None:
    """A reply that arrives 72 h after the send raises C5; a millisecond later it does not."""
    desk = judged([a_consent(), a_send()], [a_reply(at=NOW - DAY, arrived=NOW + WINDOW + late)])
    assert desk.rules == ({"s": {"C5"}} if stands else {})


def test_what_comes_late_counts_for_later_sends_only() -> None:
    """A refusal too late for one send is in time for the next."""
    reply = a_reply(at=NOW - DAY, arrived=NOW + WINDOW + 1)
    desk = judged([a_consent(), a_send("early"), a_send("next", at=NOW + 1)], [reply])
    assert desk.rules == {"next": {"C5"}}


@pytest.mark.parametrize(("late", "stands"), [(0, True), (1, False)])
def test_a_neighbour_counts_until_the_window_has_passed(late: int, stands: bool) -> None:
    """A send that arrives 72 h after another makes it the second of its day; a millisecond later it does not."""
    consent = a_consent(max_per_day=1)
    desk = judged([consent, a_send("second", at=NOW)], [a_send("first", at=NOW - HOUR, arrived=NOW + WINDOW + late)])
    assert desk.rules == ({"second": {"C4"}} if stands else {})


def test_recorded_earlier_counts_as_arrived_earlier() -> None:
    """A consent that was recorded in time but came 20 h later counts; one that claims more than 24 h does not."""
    at = NOW + WINDOW
    recorded = a_consent(at=NOW - DAY, arrived=at + 20 * HOUR, recorded_at=at)
    assert judged([a_send()], [recorded]).rules == {}
    claimed = a_consent(at=NOW - DAY, arrived=at + 24 * HOUR + 1, recorded_at=at)
    assert judged([a_send()], [claimed]).rules == {"s": {"C1"}}


def test_a_correction_tells_what_changed_it() -> None:
    """The cleared flag has the id of the raised one, the next revision, and names the consent that came late."""
    desk = judged([a_send()], [a_consent("late", at=NOW - DAY, arrived=NOW + HOUR)])
    raised, cleared = desk.flags
    assert (raised.status, raised.revision, raised.because) == ("raised", 1, None)
    assert (cleared.status, cleared.revision, cleared.flag_id) == ("cleared", 2, raised.flag_id)
    assert cleared.because is not None
    assert (cleared.because.topic, cleared.because.id) == ("sms.consents", "late")


def test_evidence_that_changes_is_published_anew() -> None:
    """A flag that stands for another reason than it was raised for is raised again with the new one."""
    refused = a_withdrawal("earlier", at=NOW - 2 * DAY)
    desk = judged([refused, a_send()], [a_withdrawal("later", at=NOW - DAY, arrived=NOW + HOUR)])
    first, second = desk.flags
    assert (first.status, second.status, second.revision) == ("raised", "raised", 2)
    assert (first.evidence["refusal"], second.evidence["refusal"]) == ("earlier", "later")


def test_a_fact_that_changes_nothing_publishes_nothing() -> None:
    """A consent toward somebody else, a fact told twice, a reply that is no refusal."""
    desk = judged([a_send()], [a_consent("other", owner="O3"), a_consent("other", owner="O3"), a_reply(text="好的")])
    assert len(desk.flags) == 1


# -- repeats and conflicts -----------------------------------------------------------------------------------


def test_a_repeat_is_a_duplicate() -> None:
    """The same send again, in the same batch and in another: judged once, flagged once."""
    desk = judged([a_send(), a_send()], [a_send(arrived=NOW + HOUR)])
    assert (desk.books()["sends"].judged, desk.books()["sends"].duplicates) == (1, 2)
    assert len(desk.flags) == 1


def test_unknown_fields_make_no_conflict() -> None:
    """A repeat that differs only in fields that the contract doesn't know is a duplicate."""
    desk = judged([a_send()], [a_send(trace="7f")])
    assert desk.books()["sends"].duplicates == 1


def test_a_conflict_is_quarantined_and_the_earlier_one_judged() -> None:
    """The same recipient and id with other values: refused by name, and what was flagged stays."""
    desk = judged([a_send(), a_send(text=OTHER_TEXT)], [a_send(port="1")])
    assert (desk.books()["sends"].judged, desk.books()["sends"].quarantined) == (1, 2)
    assert quarantine_of(desk.messages) == {"sms.sends/0/1": "conflict", "sms.sends/0/2": "conflict"}
    assert desk.rules == {"s": {"C1"}}


def test_the_same_id_of_another_recipient_is_another_send() -> None:
    """Ids are the recipient's own."""
    desk = judged([a_send("s", recipient=ANNE), a_send("s", recipient=BODO)])
    assert desk.books()["sends"].judged == 2
    assert len({event.flag_id for event in desk.flags}) == 2


def test_a_conflict_with_an_unremarkable_text_is_found() -> None:
    """A code under the id of a kept advertisement is a conflict, although codes are not kept."""
    desk = judged([a_send(), a_send(text=CODE, category="otp")])
    assert quarantine_of(desk.messages) == {"sms.sends/0/1": "conflict"}


def test_of_repeated_facts_the_first_counts() -> None:
    """Two consents of one id: the later record is a duplicate whatever it says."""
    desk = judged([a_consent(expires_at=NOW - DAY)], [a_consent(), a_send()])
    assert desk.rules == {"s": {"C1"}}
    assert (desk.books()["consents"].accepted, desk.books()["consents"].duplicates) == (1, 1)


@pytest.mark.parametrize("gap", [96 * HOUR, 96 * HOUR + 1])
def test_a_send_is_kept_by_event_time_alone(gap: int) -> None:
    """A repeat is one as long as the first is kept: until the partition's event time has passed 96 h after it."""
    clock = a_send("clock", at=NOW + gap, recipient=BODO)
    desk = judged([a_send()], [clock], [a_send()])
    kept = gap <= 96 * HOUR
    assert (desk.books()["sends"].duplicates, desk.books()["sends"].judged) == ((1, 2) if kept else (0, 3))
    assert len([event for event in desk.flags if event.send.id == "s"]) == 1, "nothing new was said"
    assert len({event.flag_id for event in desk.flags if event.send.id == "s"}) == 1


# -- the end of the window within a batch --------------------------------------------------------------------

LONG_BATCHES: dict[str, list[list[Event]]] = {
    "a neighbour of a send is forgotten": [
        [a_consent(max_per_day=1)],
        [a_send("first"), a_send("second", at=NOW + HOUR), a_send("days later", at=NOW + 100 * HOUR)],
    ],
    "an earlier question is forgotten": [
        [
            a_send("asked", text=ASKING),
            a_send("asked again", at=NOW + 60 * HOUR, text=ASKING),
            a_send("days later", at=NOW + 100 * HOUR),
        ],
    ],
    "the send that a reply answered is forgotten": [
        [a_consent()],
        [a_send("answered"), a_reply(at=NOW + HOUR, text="R"), a_send("days later", at=NOW + 100 * HOUR)],
    ],
    "what a consent would have cleared is forgotten": [
        [a_send()],
        [a_consent(at=NOW - DAY, arrived=NOW + 60 * HOUR), a_send("days later", at=NOW + 100 * HOUR)],
    ],
    "a conflict is not seen": [
        [a_send(), a_send(text=CODE, category="otp"), a_send("days later", at=NOW + 100 * HOUR)],
    ],
}


@pytest.mark.parametrize("batches", LONG_BATCHES.values(), ids=LONG_BATCHES)
def test_a_batch_may_span_days(batches: list[list[Event]]) -> None:
    """A batch that reaches from before to after the end of what is kept gives what small batches give."""
    assert summary(judged(*batches)) == summary(judged(*[[event] for batch in batches for event in batch]))


# -- opt-outs ------------------------------------------------------------------------------------------------


def test_an_opt_out_is_published_once() -> None:
    """What a reply was resolved to is told when it is known, and not again with every later record."""
    desk = judged(
        [a_send(at=NOW - HOUR)],
        [a_reply(at=NOW)],
        [a_reply(at=NOW)],
        [a_send("after", at=NOW + HOUR)],
        [a_consent("x")],
    )
    (event,) = optouts_of(desk.messages)
    assert (event.reply, event.owners, event.answered_send, event.received_at) == ("m", ("O1",), "s", NOW)
    assert (event.source.topic, event.source.offset) == ("sms.replies", 0)
    assert event.recipient == desk.flags[0].send.recipient


def test_a_late_send_re_aims_a_reply() -> None:
    """R to a port is nothing until the send that it answered turns up; then it withdraws, and is published."""
    desk = judged([a_consent()], [a_reply(at=NOW, text="R")], [a_send("after", at=NOW + HOUR)])
    assert (desk.rules, optouts_of(desk.messages)) == ({}, [])
    desk.write(a_send("answered", at=NOW - HOUR, arrived=NOW + 2 * HOUR)).work()
    assert desk.rules == {"after": {"C5"}}
    (event,) = optouts_of(desk.messages)
    assert (event.owners, event.answered_send) == (("O1",), "answered")
    assert desk.flags[-1].because is not None
    assert desk.flags[-1].because.id == "answered"


def test_a_nearer_send_takes_a_reply_over() -> None:
    """A reply was taken for an answer to O1's send; a later one of O2 turns up: it refused O2, and O1 is free again."""
    both = [a_consent("c1"), a_consent("c2", owner="O2")]
    later = [a_send("one", at=NOW + HOUR), a_send("two", at=NOW + HOUR, text=OTHER_TEXT)]
    desk = judged([*both, a_send("far", at=NOW - 2 * HOUR)], [a_reply(at=NOW)], later)
    assert desk.rules == {"one": {"C5"}}
    desk.write(a_send("near", at=NOW - HOUR, text=OTHER_TEXT, arrived=NOW + 2 * HOUR)).work()
    assert desk.rules == {"two": {"C5"}}
    assert [event.owners for event in optouts_of(desk.messages)] == [("O1",), ("O2",)]


def test_a_send_that_comes_too_late_re_aims_nothing() -> None:
    """A send that arrives more than 72 h after the reply does not change what the reply meant."""
    desk = judged([a_consent(), a_reply(at=NOW, text="R"), a_send("after", at=NOW + HOUR)])
    desk.write(a_send("answered", at=NOW - HOUR, arrived=NOW + WINDOW + 1)).work()
    assert (desk.rules, optouts_of(desk.messages)) == ({}, [])


def test_a_refusal_of_nobody_in_particular_refuses_all_on_the_port() -> None:
    """退订 to a port without an answered send: toward every owner that is filed there."""
    desk = judged([a_reply(at=NOW)])
    (event,) = optouts_of(desk.messages)
    assert (event.owners, event.answered_send) == (("O1", "O2"), None)


# -- undecided -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("category", ["marketing", "otp"])
def test_without_a_text_asking_again_is_undecided(category: str) -> None:
    """Whether a send without a text asked for consent is not known, be it kept or not."""
    desk = Desk()
    outcome = desk.write(a_consent(), a_send(text=None, category=category)).work()
    assert outcome.counts.undecided["C7_ASKED_AGAIN", "text_unknown"] == 1


# -- the canary ----------------------------------------------------------------------------------------------


def test_the_canary_is_judged_and_kept_apart() -> None:
    """Flags of the canary's account go to its topic, and neither sends nor corrections of it are tallied."""
    judging = msgspec.structs.replace(JUDGING, canaries=frozenset({"sp9"}))
    desk = judged([a_send(sp="sp9", port="10690009")], [a_withdrawal(at=NOW - HOUR)], judging=judging)
    assert {message.topic for message in desk.messages} == {"canary"}
    assert desk.books()["sends"].judged == 1


def test_corrections_of_the_canary_are_not_tallied() -> None:
    """A canary's flag that is cleared by a late consent leaves no trace in the sums."""
    judging = msgspec.structs.replace(JUDGING, canaries=frozenset({"sp9"}))
    desk = judged([a_send(sp="sp9")], [a_consent(at=NOW - DAY, arrived=NOW + HOUR)], judging=judging)
    assert [each.tallies for each in desk.ledger] == [[], []]


# -- pure ----------------------------------------------------------------------------------------------------


def test_nothing_is_known_before_it_is_applied() -> None:
    """A batch that is worked on twice because it was never acknowledged gives the same twice."""
    desk = judged([a_send("s1")])
    desk.write(a_send("s2"), a_reply(at=NOW - HOUR))
    fetched = {kind: records[desk._read[kind] :] for kind, records in desk.topics.items()}
    following = {"sends": 2, "replies": 1}
    outcomes = [desk.process(fetched, following) for _ in range(2)]
    one, other = starmap(lambda *each: each, [(o.messages, o.record, o.changes, o.facts) for o in outcomes])
    assert one == other
    assert one[0]


def test_texts_are_not_kept() -> None:
    """Neither store nor ledger holds a text or a number."""
    desk = judged([a_send(), a_reply(at=NOW + HOUR), a_consent()])
    stored = b"".join(key + value for key, value in desk.partition.store.scan(b""))
    written = repr(desk.ledger)
    assert TEXT[6:12].encode() not in stored
    assert ANNE.encode() not in stored
    assert TEXT[6:12] not in written
    assert ANNE not in written


def test_quarter_past_ten_at_night_is_quiet() -> None:
    """The send's own hour counts, not when it was read."""
    desk = judged([a_consent(), a_send(at=NOW + 8 * HOUR + 15 * MINUTE, arrived=NOW + 20 * HOUR)])
    assert desk.rules == {"s": {"B1"}}


# -- parts of long messages, judged again ------------------------------------------------------------------------

HEAD: dict[str, Any] = {"part": {"ref": 7, "no": 1, "total": 2}, "text": TEXT[:15]}
TAIL: dict[str, Any] = {"part": {"ref": 7, "no": 2, "total": 2}, "text": TEXT[15:]}
REGISTRY_CHANGE = Because("sms.signatures", "f9")


def reviewed(desk: Desk, offset: int, seen: Mapping[str, Published] | None = None) -> Outcome:
    """What follows from reading one send again; it is committed."""
    records = [desk.topics["sends"][offset]]
    return desk.commit(review(desk.partition, desk.judging, records, NOW, {offset: seen or {}}, REGISTRY_CHANGE))


def test_a_long_message_that_is_judged_again_is_counted_once() -> None:
    """Whichever of its parts is read again; and it is so because of what changed."""
    desk = judged([a_send("head", **HEAD), a_send("tail", **TAIL)])
    assert desk.rules == {"head": {"C1"}}
    for offset in (0, 1):
        assert not reviewed(desk, offset).messages
    assert sum(tally.sends for each in desk.ledger for tally in each.tallies) == 1
    assert tallied(desk.ledger) == {"C1_CONSENT_MISSING": 1}


def test_what_another_owner_said_of_a_part_that_waits_is_withdrawn() -> None:
    """It had come further in event time; once judged here, the part has its flags, with a higher revision."""
    desk = judged([a_send("tail", port="10700000", **TAIL)])
    assert desk.rules == {}
    reviewed(desk, 0, {"G8_PORT_INVALID": Published("G8_PORT_INVALID", 1, raised=True)})
    assert [(flag.rule, flag.status, flag.revision) for flag in desk.flags] == [("G8_PORT_INVALID", "cleared", 2)]
    assert tallied(desk.ledger) == {}
    desk.write(a_send("later", NOW + HOUR, recipient=BODO, text=CODE, category="otp")).work()
    assert desk.rules["tail"] == {"G8"}
    assert desk.flags[-1].revision == 3
    assert tallied(desk.ledger) == {"G8_PORT_INVALID": 1}


def test_what_another_owner_said_is_not_what_was_counted() -> None:
    """It cleared a flag that stands, and raised one that never held: said anew, and the sums stay as they were."""
    desk = judged([a_send()])
    assert tallied(desk.ledger) == {"C1_CONSENT_MISSING": 1}
    strange = Published("G8_PORT_INVALID", 1, raised=True)
    reviewed(desk, 0, {"C1_CONSENT_MISSING": Published("C1_CONSENT_MISSING", 2, raised=False), strange.rule: strange})
    assert desk.rules == {"s": {"C1"}}
    assert [(flag.rule[:2], flag.status, flag.revision) for flag in desk.flags[1:]] == [
        ("C1", "raised", 3),
        ("G8", "cleared", 2),
    ]
    assert tallied(desk.ledger) == {"C1_CONSENT_MISSING": 1}


def test_a_correction_that_only_the_topic_knows_is_counted() -> None:
    """Its flags were published and its ledger record never written: nothing is to be said anew, but it is counted."""
    desk = judged([a_send()])
    recipient = desk.judging.pseudonyms.internal(ANNE)
    kept = desk.partition.load([recipient])[recipient].sends[0]
    cleared = Published("C1_CONSENT_MISSING", 2, raised=False)
    flagging = Flagging(desk.judging, 0, 1, NOW)
    held = {flag.rule for flag in kept.flags}
    kept.flags = [cleared]
    assert not flagging.settle(recipient, kept, Verdict(), None, REGISTRY_CHANGE, held)
    assert [row.corrections for row in flagging.tallies.rows()] == [{"C1_CONSENT_MISSING-": 1}]
