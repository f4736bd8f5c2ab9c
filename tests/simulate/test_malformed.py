"""Each damage breaks one thing, and the decoder refuses it for the reason that the damage names."""

import json
from collections import Counter

import pytest

from sendwatch.events import Deletion, Rejected
from sendwatch.reader import Reader
from sendwatch.simulate import Story
from sendwatch.simulate.malformed import Damage, damages

STORY = Story(5, sends=600, recipients=500, owners=60, violations=0, malformed=0)
SOUND = {message.kind: message for message in (*STORY.facts(), *STORY.sends())}
CASES = [
    pytest.param(kind, damage, id=f"{kind}-{damage.name}")
    for kind in ("sends", "consents", "signatures", "ports", "letters", "templates", "owners")
    for damage in damages(kind, "number", None)
]


@pytest.mark.parametrize(("kind", "damage"), CASES)
def test_a_damaged_record_is_refused_for_its_reason(kind: str, damage: Damage) -> None:
    """Of a sound record of that kind, which is read without complaint."""
    message = SOUND[kind]
    reader = Reader(kind, recipient_form="number")
    sound = reader(message.key, message.value, message.timestamp, Counter())
    assert not isinstance(sound, Rejected | Deletion)
    assert message.key is not None
    damaged = damage.make(json.loads(message.value or b""), message.key, message.timestamp)
    refused = reader(damaged.key, damaged.value, message.timestamp, Counter())
    assert isinstance(refused, Rejected)
    assert refused.reason == damage.reason


def test_there_are_more_than_twenty_kinds_for_sends() -> None:
    """Reliability.md's list and more."""
    assert len({damage.name for damage in damages("sends", "number", 4)}) > 40


def test_misplaced_records_are_planted_only_where_there_is_another_partition() -> None:
    """One partition holds every key."""
    several, one, unknown = ({damage.reason for damage in damages("sends", "number", count)} for count in (2, 1, None))
    assert "misplaced" in several
    assert "misplaced" not in one | unknown
