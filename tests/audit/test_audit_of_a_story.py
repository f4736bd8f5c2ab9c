"""The audit of a simulated week must expect exactly what was planted in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from engine_builders import Rec, settings_of
from sendwatch import rules
from sendwatch.audit import compute, terms_of
from sendwatch.events import REGISTRIES
from sendwatch.partitions import partition_of
from sendwatch.simulate import Refused, Story, compare

if TYPE_CHECKING:
    from sendwatch.simulate import Message

PARTITIONS = 3
TERMS = terms_of(settings_of(topics__partitions=str(PARTITIONS)))


def place_of(message: Message) -> tuple[str, int]:
    """The topic and partition that a message goes to."""
    if message.kind in REGISTRIES or message.key is None:
        return (message.kind, 0)
    own = partition_of(message.key, PARTITIONS)
    return (message.kind, own if message.partition is None else message.partition)


def laid_out(story: Story) -> dict[tuple[str, int], list[Rec]]:
    """The whole story as the topics' records."""
    inputs: dict[tuple[str, int], list[Rec]] = defaultdict(list)
    for messages in (story.facts(), story.sends()):
        for message in messages:
            log = inputs[place_of(message)]
            log.append(Rec(message.kind, 0, len(log), message.timestamp, message.key, message.value))
    return inputs


SEEDS = [2, 3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 24))]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_week_is_expected_as_it_was_planted(seed: int) -> None:
    """Every planted flag and refused record, and nothing else."""
    story = Story(seed, 3000, recipients=1000, owners=200, partitions=PARTITIONS)
    inputs = laid_out(story)
    found, truth = compute(inputs, TERMS), story.truth
    recipients = {send_id: recipient for recipient, send_id in truth.flags}
    flags: dict[tuple[str, str], set[str]] = defaultdict(set)
    for flag in found.flags.values():
        flags[recipients.get(flag.send_id, ""), flag.send_id].add(flag.rule)
    planted = truth.within(frozenset(rules.discover()))
    assert sum(map(len, planted.values())) > 100
    assert compare(planted, {key: frozenset(each) for key, each in flags.items()}) == (Counter(), Counter())
    values = {place: inputs[place[:2]][place[2]].value or b"" for place in found.refused}
    refused = Counter(
        Refused(place[0], why, sha256(values[place]).hexdigest(), len(values[place]))
        for place, why in found.refused.items()
    )
    assert refused == truth.quarantine
    for place, what in found.what.items():
        assert len(what) == len(inputs.get(place, ())), "a record is not accounted for"
