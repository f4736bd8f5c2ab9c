"""The law packs: which rules they hold, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from build import RULES
from sendwatch import law

PACKS = {pack.id: pack for pack in law.load()}
BEIJING = timezone(timedelta(hours=8))

BOTH = {"C1", "C2", "C4", "C5", "C6", "C7", "C8", "C9", "G1", "G5", "G6", "G8"}
HOLDS = {
    "miit-31": BOTH,
    "miit-74": BOTH | {"C3"},
    "practice": {"B1", "B2", "B7", "G2", "G3", "G4", "G7"},
}


def at(year: int, month: int, day: int) -> int:
    """Midnight of that day in UTC+8."""
    return int(datetime(year, month, day, tzinfo=BEIJING).timestamp() * 1000)


@pytest.mark.parametrize("pack", HOLDS)
def test_each_pack_holds_the_rules_that_the_contract_gives_it(pack: str) -> None:
    """Of those that are judged send by send."""
    assert {rule[:2] for rule in PACKS[pack].clauses} == HOLDS[pack]


def test_every_clause_is_of_a_rule_that_exists_and_every_rule_has_a_clause() -> None:
    """By their whole ids."""
    held = {rule for pack in PACKS.values() for rule in pack.clauses}
    assert held == set(RULES)
    assert all(clause for pack in PACKS.values() for clause in pack.clauses.values())


@pytest.mark.parametrize(
    ("pack", "since", "until"),
    [
        ("miit-31", at(2015, 6, 30), at(2026, 5, 1)),
        ("miit-74", at(2026, 5, 1), None),
        ("practice", 0, None),
    ],
)
def test_each_pack_is_in_force_from_its_first_day_up_to_not_including_its_last(
    pack: str, since: int, until: int | None
) -> None:
    """Days begin at midnight in UTC+8."""
    held = PACKS[pack]
    assert (held.since, held.until) == (since, until)
    assert held.in_force(since)
    assert not held.in_force(since - 1)
    if until is not None:
        assert held.in_force(until - 1)
        assert not held.in_force(until)


def test_order_74_begins_the_moment_order_31_ends() -> None:
    """2026-04-30 16:00 in UTC."""
    moment = int(datetime(2026, 4, 30, 16, tzinfo=UTC).timestamp() * 1000)
    assert PACKS["miit-31"].until == PACKS["miit-74"].since == moment


@pytest.mark.parametrize("pack", ["miit-31", "miit-74"])
def test_no_statute_is_shown_as_checked_before_a_person_has_checked_it(pack: str) -> None:
    """Whoever changes this has held the clauses against the official text."""
    assert not PACKS[pack].checked


def test_no_rule_is_held_twice_at_one_time() -> None:
    """Else it would not be clear which clause a flag rests on."""
    for moment in (at(2015, 6, 30), at(2026, 4, 30), at(2026, 5, 1), at(2040, 1, 1)):
        held = [rule for pack in PACKS.values() if pack.in_force(moment) for rule in pack.clauses]
        assert len(held) == len(set(held))


def test_order_74_wants_records_kept_longer() -> None:
    """Six months, where Order 31 wanted five."""
    assert (PACKS["miit-31"].retention_months, PACKS["miit-74"].retention_months) == (5, 6)


def test_every_pack_has_a_title_in_both_languages() -> None:
    """It is shown with every clause."""
    assert all(pack.title_en and pack.title_zh for pack in PACKS.values())


def test_packs_can_be_read_by_name() -> None:
    """For what-if: the law as one would have it."""
    assert [pack.id for pack in law.load(("miit-74",))] == ["miit-74"]
    with pytest.raises(FileNotFoundError):
        law.load(("miit-75",))
