"""The examples that the rules carry, and the lawful world that they differ from."""

from __future__ import annotations

import msgspec
import pytest

from build import RULEBOOK, RULES
from sendwatch.events import KINDS
from sendwatch.example import LAWFUL, PRESENT, Example, T, clean, facts_of_example, flagged, undecided
from sendwatch.facts import Parameters
from sendwatch.judge import Answer, answers
from sendwatch.verdict import Outcome

EVERY = [(rule, example) for rule, module in RULES.items() for example in module.EXAMPLES]


def answer(rule: str, example: Example) -> Answer:
    """What the rule says of the example."""
    return next(each for each in answers(facts_of_example(example), RULEBOOK) if each.rule == rule)


@pytest.mark.parametrize(("rule", "example"), EVERY, ids=[f"{rule[:2]} {e.name}" for rule, e in EVERY])
def test_every_example_is_answered_as_it_says(rule: str, example: Example) -> None:
    """Through the same judge that runs live."""
    said = answer(rule, example)
    assert said.outcome is example.outcome, said.reason


def test_in_the_lawful_world_every_rule_is_in_force_and_finds_nothing() -> None:
    """So that an example shows the one thing that differs."""
    said = answers(facts_of_example(clean("lawful")), RULEBOOK)
    assert {each.outcome for each in said} == {Outcome.CLEAN}


@pytest.mark.parametrize("kind", LAWFUL)
def test_the_lawful_records_are_records_of_the_contract(kind: str) -> None:
    """Field by field."""
    record = msgspec.convert(LAWFUL[kind], KINDS[kind])
    assert all(getattr(record, name) is not None for name in LAWFUL[kind])


def test_an_example_says_only_what_differs() -> None:
    """Records of a kind replace all that the lawful world has of it."""
    example = flagged("two", consents=({}, {"id": "other", "owner": "owner-2"}))
    first, second = example.of("consents")
    assert (first.id, first.owner, first.effective_at) == ("consent-1", "owner-1", second.effective_at)
    assert (second.id, second.owner) == ("other", "owner-2")
    assert list(clean("none", consents=()).of("consents")) == []
    assert len(list(clean("lawful").of("consents"))) == 1
    assert [kind for kind in LAWFUL if list(clean("lawful").of(kind))] == [k for k in LAWFUL if k in PRESENT]


def test_an_example_may_be_undecided() -> None:
    """As where the text is not at hand."""
    assert answer("G1_SIGNATURE_MISSING", undecided("", {"text": None})).outcome is Outcome.UNDECIDED


def test_an_example_can_be_tried_with_a_carriers_own_numbers() -> None:
    """The same send under a shorter night."""
    at_night = flagged("at 23:00", {"sent_at": T + 9 * 3_600_000})
    said = answers(facts_of_example(at_night, Parameters(quiet_from=0, quiet_until=5)), RULEBOOK)
    assert said[0].outcome is Outcome.CLEAN


def test_a_record_that_is_no_record_is_refused() -> None:
    """A mistyped field in an example does not pass unseen."""
    with pytest.raises(msgspec.ValidationError):
        facts_of_example(clean("", {"sent_at": "noon"}))
    with pytest.raises(msgspec.ValidationError):
        facts_of_example(clean("", consents=({"ownr": "owner-2"},)))
