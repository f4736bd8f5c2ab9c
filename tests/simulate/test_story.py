"""A story is the same every time, in order of time, and its truth is what the contract says of its messages."""

import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from story_auditor import Auditor

from sendwatch.simulate import START_AT, Canary, Story, Truth, compare
from sendwatch.simulate.plans import PLANS
from sendwatch.simulate.truth import B2, C3, C4, C7, C9, DAY, HOUR

NUMBER, SENTENCE = "13900001234", "窗外的云很轻。"


def small(seed: int = 1, **settings: object) -> Story:
    """A story small enough to be read slowly, with much in it."""
    chosen = {"sends": 3000, "recipients": 800, "owners": 80, "violations": 0.2, "malformed": 0.02, "partitions": 4}
    return Story(seed, **(chosen | settings))  # type: ignore[arg-type]


def digest(story: Story) -> str:
    """One digest of all messages, in their order."""
    all_bytes = sha256()
    for messages in (story.facts(), story.sends()):
        for message in messages:
            all_bytes.update(repr(message).encode())
    return all_bytes.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Iterated twice, and made anew."""
    story = small()
    assert digest(story) == digest(story) == digest(small())
    everything: dict[str, Any] = {"neighbours": True, "replies": True, "long_messages": True, "late": 0.2}
    story = small(**everything)
    assert digest(story) == digest(story) == digest(small(**everything))


def test_another_seed_gives_another_story() -> None:
    """Or there would be one only."""
    assert digest(small(1)) != digest(small(2))


def test_no_hash_order_gets_into_the_bytes() -> None:
    """Processes with other hash seeds make the same story."""
    script = "from test_story import digest, small; print(digest(small()))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert digests == {digest(small()) + "\n"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"seed": 7, "recipient_form": "token"},
        {"seed": 8, "canary": Canary(NUMBER, SENTENCE)},
        {"seed": 9, "start_at": START_AT + 13 * HOUR + 123, "days": 2},
        {"seed": 10, "start_at": START_AT - 365 * DAY},
        {"seed": 11, "owners": 60, "recipients": 500},
        {"seed": 12, "violations": 0.0, "malformed": 0.0},
        {"seed": 13, "neighbours": True, "replies": True},
        {"seed": 14, "neighbours": True, "replies": True, "start_at": START_AT + 11 * HOUR},
    ],
    ids=[
        "plain",
        "tokens",
        "canary",
        "from midday",
        "before order 74",
        "smallest",
        "clean",
        "neighbours",
        "neighbours from noon",
    ],
)
def test_the_truth_is_what_the_contract_says(settings: dict[str, object]) -> None:
    """A slow reader that knows no plan finds the same flags and the same refusals, none more, none fewer."""
    story = small(**settings)  # type: ignore[arg-type]
    auditor = Auditor(story.facts(), story.sends(), story.settings.recipient_form, partitions=4)
    found = {key: frozenset(flags) for key, flags in auditor.flags.items()}
    assert compare(story.truth.flags, found) == (Counter(), Counter())
    assert auditor.refused == Counter({tuple(refused): n for refused, n in story.truth.quarantine.items()})


def test_every_plan_and_every_rule_comes_up() -> None:
    """In a story of the demo's size each plan several times, each rule often; what needs neighbours never."""
    truth = Story(3).truth
    assert not {plan for plan in PLANS if truth.planted[plan] < 3}
    assert {rule[0] for rule in truth.by_rule()} == {"B", "C", "G"}
    assert len(truth.by_rule()) == 16
    assert min(truth.by_rule().values()) >= 20
    assert not truth.by_rule().keys() & {B2, C4, C7, C9}
    assert 0.02 < len(truth.flags) / truth.counts["sends"] < 0.04


def test_what_needs_neighbours_and_replies_comes_up_when_asked_for() -> None:
    """The remaining rules, some of them with company."""
    found = small(neighbours=True, replies=True).truth.by_rule()
    assert not {B2, C4, C7, C9} - found.keys()
    assert len(found) == 20


def test_without_violations_only_the_edges_are_flagged() -> None:
    """What is planted nowhere is found nowhere."""
    truth = small(violations=0.0).truth
    assert not truth.planted.keys() & (PLANS.keys() - {"at_night"})
    assert len(truth.flags) < 30


def test_proof_is_not_asked_for_before_order_74() -> None:
    """Order 31 knows no duty to hold it."""
    assert C3 not in small(start_at=START_AT - 365 * DAY).truth.by_rule()


def test_sends_come_in_order_of_time_and_facts_before_them() -> None:
    """Each message arrives shortly after it was sent, facts before the week, nothing long after it."""
    story = small(malformed=0.0)
    facts = [message.timestamp for message in story.facts()]
    assert facts == sorted(facts)
    assert START_AT - 3 * DAY < facts[0] < facts[-1] < START_AT
    arrivals = [message.timestamp for message in story.sends()]
    latest = START_AT
    for at in arrivals:
        assert latest - 5000 < at
        latest = max(latest, at)
    assert story.end_at - HOUR < latest < story.end_at + HOUR


def test_the_number_of_sends_is_the_one_asked_for() -> None:
    """Repeats and malformed records come on top."""
    truth = small().truth
    assert truth.counts["sends"] == 3000
    assert truth.counts["repeats"] > 0


def test_what_the_truth_says_on_the_way_is_right_for_what_went_out() -> None:
    """So a demo can be stopped at any moment."""
    story, truth = small(), Truth()
    some = list(islice(story.sends(truth), 1200))
    auditor = Auditor(story.facts(), some, partitions=4)
    assert {key: set(flags) for key, flags in truth.flags.items()} == auditor.flags


def test_a_story_too_small_to_hold_every_plan_is_refused() -> None:
    """Rather than to leave some out in silence."""
    with pytest.raises(ValueError, match="60 owners"):
        Story(owners=10)


def test_the_canary_sits_wherever_a_number_and_a_text_may() -> None:
    """In clean sends, flagged ones, consents, and refused records of either kind."""
    story = small(canary=Canary(NUMBER, SENTENCE))
    number, sentence = NUMBER.encode(), SENTENCE.encode()
    holding = [message for message in (*story.facts(), *story.sends()) if number in (message.value or b"")]
    kinds = Counter(message.kind for message in holding)
    assert kinds["consents"] > 10
    assert kinds["sends"] > 40
    assert sum(sentence in (message.value or b"") for message in holding) > 40
    assert {len(rules) for (recipient, _), rules in story.truth.flags.items() if recipient == NUMBER} == {1}
    assert sum(planted for name, planted in story.truth.planted.items() if name.startswith("canary")) == 35


def test_no_ordinary_recipient_has_a_number_that_could_be_anybodys() -> None:
    """All begin with digits that no carrier has been given."""
    story = small()
    names = {story.world.recipients.name(index) for index in range(2000)}
    assert len(names) == 2000
    assert all(len(name) == 11 and name.startswith("154") for name in names)
