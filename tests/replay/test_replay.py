"""A replay finds what stands where nothing has changed, and tells what has."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from engine_builders import ANNE, DAY, HOUR, JUDGING, MINUTE, NOW, Rec, a_consent, a_reply, a_send, settings_of
from sendwatch import law
from sendwatch.audit import Flagged, compute, terms_of
from sendwatch.engine.explain import load_registries
from sendwatch.engine.judging import prepare
from sendwatch.events import REGISTRIES
from sendwatch.partitions import partition_of
from sendwatch.replay import NoSuchPackError, Wish, compare, packs_under, rejudge
from sendwatch.replay.difference import EXAMPLES
from sendwatch.replay.run import judging_by
from sendwatch.replay.show import as_json, as_lines
from sendwatch.simulate import START_AT, Story

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from engine_builders import Event
    from sendwatch.outgoing import FlagEvent

PARTITIONS = 2
SETTINGS = settings_of(topics__partitions=str(PARTITIONS))


@cache
def week() -> tuple[dict[tuple[str, int], list[Any]], Mapping[str, Flagged]]:
    """A small week with late facts and long messages: its topics' records, and the flags that an audit finds."""
    story = Story(
        4, 2500, recipients=800, owners=80, violations=0.2, partitions=PARTITIONS,
        neighbours=True, replies=True, long_messages=True, late=0.2,
    )  # fmt: skip
    inputs: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for messages in (story.facts(), story.sends()):
        for message in messages:
            own = 0 if message.kind in REGISTRIES or not message.key else partition_of(message.key, PARTITIONS)
            log = inputs[message.kind, own if message.partition is None else message.partition]
            log.append(Rec(message.kind, 0, len(log), message.timestamp, message.key, message.value))
    return inputs, compute(inputs, terms_of(SETTINGS)).flags


def replayed(wish: Wish) -> dict[str, FlagEvent]:
    """What a replay of the week finds, over all partitions."""
    inputs, _ = week()
    judging = judging_by(SETTINGS, wish)
    load_registries(judging, {kind: inputs[kind, 0] for kind in REGISTRIES})
    flags: dict[str, FlagEvent] = {}
    for number in range(PARTITIONS):
        own = {kind: some for (kind, place), some in inputs.items() if place == number and kind not in REGISTRIES}
        flags |= rejudge(number, own, judging, {}, NOW)
    return flags


def records(*events: Event) -> dict[str, Sequence[Any]]:
    """A few events as the records of one partition."""
    found: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        found[event.kind].append(Rec(event.kind, 0, len(found[event.kind]), *event[1:]))
    return dict(found)


def rules_of(flags: Mapping[str, FlagEvent]) -> dict[str, set[str]]:
    """The flags' rules by send, short."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in flags.values():
        found[event.send.id].add(event.rule.partition("_")[0])
    return dict(found)


def standing(flag: FlagEvent) -> Flagged:
    """A flag as it stands on its topic."""
    evidence, place = msgspec.json.encode(flag.evidence, order="sorted"), flag.source
    return Flagged(
        flag.flag_id, flag.rule, flag.send.id, flag.send.at, "flags", place.partition, place.offset, evidence,
        flag.law.pack, flag.shadow,
    )  # fmt: skip


# -- judging again -------------------------------------------------------------------------------------------


def test_where_nothing_has_changed_nothing_would_change() -> None:
    """A week with late facts, parts and repeats: the judge says today what an audit expects, evidence included."""
    found = compare(replayed(Wish()), week()[1])
    assert found.empty
    assert found.stands.total() > 400
    assert len(found.stands) == 20
    assert not found.examples


def test_under_the_former_order_proof_is_not_asked_for() -> None:
    """C3 would be cleared, all of it, and nothing else: the other clauses were there before."""
    theirs = week()[1]
    found = compare(replayed(Wish(law="miit-31")), theirs, same_law=False)
    assert found.cleared == {"C3_PROOF_MISSING": sum(flag.rule == "C3_PROOF_MISSING" for flag in theirs.values())}
    assert found.cleared.total() > 5
    assert not found.raised + found.changed
    assert compare(replayed(Wish(law="miit-31")), theirs).changed.total() > 100, "the law is no part of the difference"


def test_what_older_sends_were_answered_is_recalled() -> None:
    """A short word refuses only in answer to a send; that is long gone, and what it meant was published."""
    history = records(a_consent(at=NOW - 60 * DAY), a_reply("no", at=NOW - 30 * DAY, text="R"), a_send("after", at=NOW))
    assert rules_of(rejudge(0, history, JUDGING, {}, NOW)) == {}
    assert rules_of(rejudge(0, history, JUDGING, {0: ("O1",)}, NOW)) == {"after": {"C5", "C9"}}


def test_a_reply_within_the_range_is_understood_anew() -> None:
    """By the send that it answered, whatever comes first in the topics."""
    history = records(
        a_send("first", at=NOW), a_send("after", at=NOW + 2 * HOUR),
        a_reply("no", at=NOW + 20 * MINUTE, arrived=NOW + 60 * HOUR, text="R"), a_consent(),
    )  # fmt: skip
    assert rules_of(rejudge(0, history, JUDGING, {}, NOW)) == {"after": {"C5"}}


def test_a_fact_beyond_the_window_does_not_count() -> None:
    """Today's facts are those that the contract lets count for a send."""
    in_time = records(a_send(), a_consent(at=NOW - DAY, arrived=NOW + 72 * HOUR))
    too_late = records(a_send(), a_consent(at=NOW - DAY, arrived=NOW + 72 * HOUR + 1))
    assert rules_of(rejudge(0, in_time, JUDGING, {}, NOW)) == {}
    assert rules_of(rejudge(0, too_late, JUDGING, {}, NOW)) == {"s": {"C1"}}


# -- the difference ------------------------------------------------------------------------------------------


def some_flags(count: int) -> dict[str, FlagEvent]:
    """C1 flags of so many sends, a minute apart."""
    sends = [a_send(f"s{number}", at=NOW + number * MINUTE, recipient=ANNE) for number in range(count)]
    flags = rejudge(0, records(*sends), JUDGING, {}, NOW)
    return {flag_id: event for flag_id, event in flags.items() if event.rule.startswith("C1")}


def test_what_does_not_stand_would_be_raised_and_what_should_not_would_be_cleared() -> None:
    """And what rests on other evidence is told apart from both."""
    ours = some_flags(3)
    gone, other, same = ours
    theirs = {flag_id: standing(event) for flag_id, event in ours.items()}
    theirs["f" * 32] = replace(theirs.pop(gone), flag_id="f" * 32)
    theirs[other] = replace(theirs[other], evidence=b"{}")
    found = compare(ours, theirs)
    assert (found.raised.total(), found.cleared.total(), found.changed.total(), found.stands.total()) == (1, 1, 1, 1)
    assert {each.what: each.flag_id for each in found.examples} == {
        "raised": gone, "cleared": "f" * 32, "changed": other
    }  # fmt: skip
    assert same not in as_json(found)


def test_examples_are_the_earliest_few_over_all_partitions() -> None:
    """However many flags differ."""
    ours = some_flags(4 * EXAMPLES)
    early = {flag_id: event for flag_id, event in ours.items() if event.send.at < NOW + 2 * EXAMPLES * MINUTE}
    late = {flag_id: event for flag_id, event in ours.items() if flag_id not in early}
    found = compare(late, {})
    found.add(compare(early, {}))
    assert found.raised.total() == 4 * EXAMPLES
    assert [each.send_id for each in found.examples] == [f"s{number}" for number in range(EXAMPLES)]


def test_no_number_and_no_text_is_told() -> None:
    """Neither in lines nor in JSON."""
    found = compare(some_flags(2), {})
    told = as_json(found) + "\n".join(as_lines(found))
    assert "s0" in told
    assert ANNE not in told
    assert "女装" not in told


def test_only_what_was_asked_for_is_told() -> None:
    """By time, up to and not including the end; by rule."""
    wish = Wish(since=NOW, until=NOW + HOUR, rules=frozenset({"C1_CONSENT_MISSING"}))
    asked = [wish.takes("C1_CONSENT_MISSING", at) for at in (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)]
    assert asked == [False, True, True, False]
    assert not wish.takes("C2_CONSENT_NOT_EXPLICIT", NOW)
    assert Wish().takes("C2_CONSENT_NOT_EXPLICIT", 0)


# -- another law ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "packs"), [("miit-31", ["miit-31", "practice"]), ("practice", ["practice"])])
def test_one_pack_is_the_law_at_all_times_beside_the_carriers_own(name: str, packs: list[str]) -> None:
    """Packs with dates give way to it."""
    found = packs_under(name)
    assert [pack.id for pack in found] == packs
    assert all(pack.in_force(0) and pack.in_force(START_AT) for pack in found)


def test_a_pack_may_be_a_file(tmp_path: Path) -> None:
    """A law that is not there yet, in the form of the program's own."""
    path = tmp_path / "draft.toml"
    path.write_text(
        'title = {en = "draft", zh = "草案"}\nfrom = 2030-01-01\nchecked_by_person = false\nretention_months = 5\n'
        '[rules]\nC1_CONSENT_MISSING = "§ 1"\n',
        encoding="utf-8",
    )
    judging = judging_by(SETTINGS, Wish(law=str(path)))
    asked = {each.rule.id: each.pack for part in judging.rulebook.asked(NOW)[:2] for each in part}
    assert asked["C1_CONSENT_MISSING"] == "draft"
    assert "C2_CONSENT_NOT_EXPLICIT" not in asked
    assert asked["B1_QUIET_HOURS"] == "practice"


@pytest.mark.parametrize("content", [None, "no toml", "[rules]\n"])
def test_what_is_no_pack_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    """With the packs that there are, or what is wrong with the file."""
    path = tmp_path / "other.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(NoSuchPackError, match="miit-74" if content is None else "no law pack"):
        packs_under(str(path))


def test_the_settings_of_the_rules_hold_under_any_law() -> None:
    """A rule that the carrier has switched off is not asked in a what-if either."""
    settings: Any = settings_of(rules__C1_CONSENT_MISSING__mode="off")
    rulebook = judging_by(settings, Wish(law="miit-31")).rulebook
    assert rulebook.settings == prepare(settings).rulebook.settings
    assert "C1_CONSENT_MISSING" not in {each.rule.id for part in rulebook.asked(NOW)[:2] for each in part}
    assert {pack.id for pack in rulebook.packs} < {pack.id for pack in law.load()}
