"""The latest net flags: what holds, what is wanted, pages, and bounds."""

from __future__ import annotations

from typing import Any

import pytest
from desk_builders import a_flag, late

from sendwatch.desk.flags import Flags, Wanted


def flags_of(*events: Any, most: int = 100) -> Flags:
    """Flags after these records."""
    flags = Flags(most)
    for event in events:
        flags.take(event)
    return flags


def ids(flags: Flags, wanted: Wanted | None = None, limit: int = 100) -> list[str]:
    """The sends of the wanted flags, newest change first."""
    page, _, _ = flags.page(wanted or Wanted(), limit, None, lambda _: None)
    return [held.event.send.id for held in page]


def test_the_last_record_of_a_flag_holds() -> None:
    """Raised, cleared, raised again: it stands once, as the newest change."""
    flags = flags_of(a_flag(1), a_flag(2), a_flag(1, status="cleared", revision=2, because=late()))
    assert ids(flags) == ["s2"]
    assert ids(flags, Wanted(status="cleared")) == ["s1"]
    flags.take(a_flag(1, revision=3, because=late()))
    assert ids(flags) == ["s1", "s2"]
    assert (flags.cleared, flags.raised_late) == (1, 1)


def test_a_record_that_was_published_again_is_no_change() -> None:
    """As after a crash: another epoch, the same words."""
    flags = flags_of(a_flag(1))
    assert flags.take(a_flag(1, epoch=2)) is None
    assert flags.seq == 1


def test_a_flag_that_rests_on_other_evidence_is_a_change() -> None:
    """Though it was raised and stays so."""
    flags = flags_of(a_flag(1))
    assert flags.take(a_flag(1, revision=2, evidence={"minutes": 7})) is not None


def test_the_flag_that_changed_longest_ago_gives_way() -> None:
    """However many there are, no more than so many are kept; and it is told from when on."""
    flags = flags_of(*(a_flag(number) for number in range(5)), most=3)
    assert (ids(flags), flags.oldest_at()) == (["s4", "s3", "s2"], a_flag(2).judged_at)
    flags.take(a_flag(2, revision=2, evidence={}))
    flags.take(a_flag(5))
    assert ids(flags) == ["s5", "s2", "s4"]


@pytest.mark.parametrize(
    ("filters", "fitting"),
    [
        ({"rule": ("C5",)}, True), ({"rule": ("C5_AFTER_OPT_OUT",)}, True), ({"rule": ("C",)}, False),
        ({"rule": ("C1", "C5")}, True), ({"port": ("1069",)}, True), ({"port": ("0001",)}, False),
        ({"owner": ("O1",)}, True), ({"owner": ("O",)}, False), ({"carrier": ("cm",), "province": ("11",)}, False),
        ({"signature": ("云岭商贸",)}, True), ({"severity": ("low", "high")}, True), ({"sp": ("sp2",)}, False),
        ({"since": a_flag(1).send.at}, True), ({"until": a_flag(1).send.at}, False), ({"status": "all"}, True),
        ({"disposed": "none"}, False), ({"disposed": "dismiss"}, True), ({"disposed": "confirm"}, False),
    ],
)  # fmt: skip
def test_filters_are_about_one_of_their_values_and_all_of_them(filters: dict[str, Any], fitting: bool) -> None:
    """A rule by its id or its beginning, a port by its beginning, all others exactly."""
    assert Wanted(**filters).takes(a_flag(1), "dismiss") is fitting


def test_pages_follow_one_another_though_flags_come_meanwhile() -> None:
    """The cursor is a place in the order of changes: nothing is told twice or left out."""
    flags = flags_of(*(a_flag(number) for number in range(10)))
    first, total, cursor = flags.page(Wanted(), 4, None, lambda _: None)
    flags.take(a_flag(10))
    second, _, last = flags.page(Wanted(), 4, cursor, lambda _: None)
    third, _, end = flags.page(Wanted(), 4, last, lambda _: None)
    assert [each.event.send.id for each in (*first, *second, *third)] == [f"s{number}" for number in range(9, -1, -1)]
    assert (total, end) == (10, None)


def test_what_changed_since_a_place_is_told_oldest_first() -> None:
    """For a page that comes back after its connection broke."""
    flags = flags_of(*(a_flag(number) for number in range(5)))
    assert [each.event.send.id for each in flags.since(3)] == ["s3", "s4"]
    assert list(flags.since(5)) == []
