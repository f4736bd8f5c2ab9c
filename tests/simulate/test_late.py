"""Late facts and long messages of a story: they come as promised, and change nothing in the end.

What follows from them is held against the audit, which computes it from the records alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from engine_builders import Rec, settings_of
from sendwatch.audit import compute, terms_of
from sendwatch.demo import Wish, story_of
from sendwatch.events import REGISTRIES
from sendwatch.partitions import partition_of
from sendwatch.rules import discover
from sendwatch.simulate import Story, compare
from sendwatch.simulate.late import LATEST
from sendwatch.simulate.longs import CASES
from sendwatch.simulate.truth import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.simulate import Message

PARTITIONS = 2
TERMS = terms_of(settings_of(topics__partitions=str(PARTITIONS)))
Flags = dict[tuple[str, str], frozenset[str]]


def small(seed: int = 1, late: float = 0.2, **settings: Any) -> Story:
    """A story with all that can be late or long in it."""
    chosen = {"sends": 2500, "recipients": 800, "owners": 80, "violations": 0.2, "malformed": 0.0, "repeats": 0.01}
    return Story(
        seed, partitions=PARTITIONS, neighbours=True, replies=True, long_messages=True, late=late, **(chosen | settings)
    )


def laid_out(messages: Iterable[Message]) -> dict[tuple[str, int], list[Rec]]:
    """The messages as the topics' records."""
    inputs: dict[tuple[str, int], list[Rec]] = defaultdict(list)
    for message in messages:
        number = 0 if message.kind in REGISTRIES else partition_of(message.key or b"", PARTITIONS)
        log = inputs[message.kind, number]
        log.append(Rec(message.kind, 0, len(log), message.timestamp, message.key, message.value))
    return inputs


def computed(story: Story, messages: Iterable[Message]) -> Flags:
    """What the audit makes of them, by recipient and send."""
    recipients = {send_id: recipient for recipient, send_id in story.truth.flags}
    flags: dict[tuple[str, str], set[str]] = defaultdict(set)
    for flag in compute(laid_out(messages), TERMS).flags.values():
        flags[recipients.get(flag.send_id, ""), flag.send_id].add(flag.rule)
    return {key: frozenset(each) for key, each in flags.items()}


def acts(messages: Iterable[Message]) -> set[str]:
    """The ids of all consents among them."""
    return {told(message)["id"] for message in messages if message.kind == "consents"}


def told(message: Message) -> dict[str, Any]:
    """A message's record."""
    record: dict[str, Any] = msgspec.json.decode(message.value or b"{}")
    return record


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.long)])
def test_in_the_end_the_flags_are_those_that_were_planted(seed: int) -> None:
    """Late facts and late parts included, and nothing that comes past the window."""
    story = small(seed)
    found = computed(story, [*story.facts(), *story.sends()])
    assert compare(story.truth.flags, found) == (Counter(), Counter())


def test_without_the_late_facts_the_flags_would_be_others() -> None:
    """Some would be missing, others too many: lateness matters."""
    story = small()
    on_time = [message for message in story.sends() if message.kind == "sends"]
    missed, extra = compare(story.truth.flags, computed(story, [*story.facts(), *on_time]))
    assert missed["C5_AFTER_OPT_OUT"] > 5
    assert missed["G3_SIGNATURE_LAPSED"] > 0
    assert extra["C1_CONSENT_MISSING"] > 20
    assert extra.keys() >= {"G2_SIGNATURE_UNFILED", "G5_SUBLEASE", "G7_TEMPLATE_DRIFT", "G8_PORT_INVALID"}


def test_no_fact_is_lost_and_a_fifth_of_them_is_late() -> None:
    """The same consents as without lateness, some of them twice."""
    late, punctual = small(late=0.2), small(late=0.0)
    before, among = acts(late.facts()), acts(late.sends())
    assert before | among >= acts(punctual.facts())
    assert 0.15 < len(among) / len(before | among) < 0.25


def test_late_facts_come_after_a_send_that_they_bear_on_and_within_the_window() -> None:
    """None later than 60 hours, by when it was recorded; what bears on no send of the week comes at its end."""
    story = small(late=0.5)
    planted = {message.value for message in story.world.latecomers}
    messages = [(message, told(message)) for message in story.sends()]
    first: dict[str, int] = {}
    for message, record in messages:
        if message.kind == "sends":
            first[record["recipient"]] = min(record["sent_at"], first.get(record["recipient"], story.end_at))
    delays, written = [], set[str]()
    for message, record in messages:
        assert record.get("received_at", 0) <= message.timestamp, "a reply was recorded before it was received"
        if message.kind == "consents" and message.value not in planted and message.timestamp < story.end_at:
            arrived = record.get("recorded_at", message.timestamp)
            if record["id"] not in written:  # sent again it doesn't count
                delays.append(arrived - first[record["recipient"]])
            assert 0 <= message.timestamp - arrived <= 40 * HOUR
            written.add(record["id"])
    assert 0 <= min(delays) < HOUR
    assert 50 * HOUR < max(delays) <= LATEST
    assert len(delays) > 100


def test_what_is_planted_at_the_edge_of_the_window_comes_up() -> None:
    """Each case at least once, on either side of it."""
    planted = small().truth.planted
    assert {name for name in planted if "window" in name} >= {
        "granted, at the end of the window", "granted, past the window",
        "withdrawn, recorded in the window, written after it",
        "refused, recorded in the window, written more than a day after",
        "filing, past the window", "letter, at the end of the window",
    }  # fmt: skip
    assert planted["after one that came late"] >= 4


def test_a_story_too_short_for_the_window_has_none_of_that() -> None:
    """Rather than facts that come after its end."""
    assert not small(days=3).world.latecomers


def test_parts_come_in_the_order_of_their_case_and_make_the_whole_text() -> None:
    """Put together by number they are a signed text; the ids are the parts' own."""
    story = small()
    parts: dict[tuple[str, Any], list[dict[str, Any]]] = defaultdict(list)
    for message in story.sends():
        record = told(message)
        part = record.get("part")
        if isinstance(part, dict) and part["no"] <= part["total"]:  # else it means nothing
            parts[record["recipient"], part["ref"]].append(record)
    orders = {tuple(each["part"]["no"] for each in some) for some in parts.values()}
    assert orders == {tuple(no for no, _, _ in sorted(case.slices, key=lambda each: each[2])) for case in CASES}
    for some in parts.values():
        numbered = {each["part"]["no"]: each["text"] for each in some}
        if len(numbered) == some[0]["part"]["total"]:
            text = "".join(numbered[no] for no in sorted(numbered))
            assert text[0] in "【[" or text[-1] == "】"
    assert any(len(each["text"]) == 2 for some in parts.values() for each in some), "no signature is cut through"


def test_the_demo_plants_something_for_every_rule() -> None:
    """With and without lateness, small as it may be."""
    for late in (0.0, 0.2):
        assert story_of(Wish(sends=2000, late=late)).truth.by_rule().keys() == discover().keys()
