"""The ledger: which records are void, whether ranges join, what the books add up to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import a_kept
from sendwatch.ledger import (
    Books,
    Claim,
    Gap,
    Range,
    Record,
    Row,
    Span,
    Standing,
    Tally,
    Version,
    audit,
    decode,
    encode,
)

VERSION = Version("1", "rules", "config")


def a_claim(epoch: int, worker: str = "w") -> Claim:
    """A claim of a worker."""
    return Claim(epoch=epoch, worker=worker, at=0, version=VERSION)


def a_range(epoch: int, first: int = 0, after: int = 0, **fields: Any) -> Range:
    """A range of sends, every offset of it judged."""
    usual: dict[str, Any] = {
        "version": VERSION,
        "at": 0,
        "event_time": 0,
        "spans": {"sends": Span(first, after, Books(judged=after - first))},
        "registries": {},
        "flags_next": 0,
    }
    return Range(epoch=epoch, **(usual | fields))


def standing_after(*records: Record) -> Standing:
    """Where the ledger stands after these."""
    standing = Standing()
    for record in records:
        standing.accept(record)
    return standing


def void(*records: Record) -> list[int]:
    """Which of these records are void, by their place."""
    standing = Standing()
    return [place for place, record in enumerate(records) if not standing.accept(record)]


# -- epochs -----------------------------------------------------------------------------------------------------


def test_a_claim_of_a_greater_epoch_is_taken_and_ranges_of_it_count() -> None:
    """The usual course."""
    standing = standing_after(a_claim(1), a_range(1, 0, 5), a_claim(2), a_range(2, 5, 9))
    assert (standing.epoch, standing.positions) == (2, {"sends": 9})


def test_what_a_former_owner_appends_after_the_next_claim_is_void() -> None:
    """It was frozen and did not know."""
    records = (a_claim(1), a_range(1, 0, 5), a_claim(2), a_range(1, 5, 9), a_range(2, 5, 7))
    assert void(*records) == [3]
    assert standing_after(*records).positions == {"sends": 7}


def test_of_two_claims_of_one_epoch_the_first_holds() -> None:
    """The other worker is told so, and claims again with the next."""
    assert void(a_claim(1, "a"), a_claim(1, "b"), a_claim(2, "b")) == [1]


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_claim_that_is_not_greater_is_void(epoch: int) -> None:
    """Lower or the same."""
    assert void(a_claim(2), a_claim(epoch)) == [1]


def test_the_beginning_of_a_ledger_may_have_expired_and_with_it_a_claim() -> None:
    """A range whose claim is gone still says how far was judged; what is of a lower epoch is void as ever."""
    records = (a_range(2, 5, 9), a_range(1, 5, 7), a_claim(2), a_claim(3), a_range(2, 9, 12), a_range(3, 9, 10))
    assert void(*records) == [1, 2, 4]
    assert standing_after(*records).positions == {"sends": 10}


def test_a_range_that_stands_twice_counts_once() -> None:
    """An append that was taken for failed, tried again, and written after all; at once or later."""
    one, other = a_range(1, 0, 5, number=1), a_range(1, 5, 9, number=2)
    assert void(a_claim(1), one, one, other, one, other) == [2, 4, 5]
    _, spans, gaps, skipped = audit([a_claim(1), one, one, other])
    assert (gaps, skipped, spans["sends"].books.judged) == ([], 1, 9)


def test_a_range_that_only_corrects_counts_once_too() -> None:
    """It accounts for no offset, and its corrections would be tallied twice."""
    correction = a_range(1, spans={}, number=2)
    assert void(a_claim(1), a_range(1, 0, 5, number=1), correction, correction, a_range(1, spans={}, number=3)) == [3]


def test_every_owner_counts_its_ranges_from_one() -> None:
    """Also where the claim has expired, and only its ranges are left."""
    one = (a_claim(1), a_range(1, 0, 5, number=1), a_range(1, 5, 6, number=2))
    assert void(*one, a_claim(2), a_range(2, 6, 9, number=1)) == []
    assert void(a_range(1, 5, 6, number=7), a_range(2, 6, 9, number=1), a_range(2, 6, 9, number=1)) == [2]


def test_offsets_judged_twice_under_two_numbers_are_told() -> None:
    """That is no repeated append: somebody judged them twice."""
    _, _, gaps, _ = audit([a_claim(1), a_range(1, 0, 5, number=1), a_range(1, 0, 5, number=2)])
    assert gaps == [Gap("sends", 0, 5, "two ranges account for these offsets")]


def test_a_void_range_changes_nothing() -> None:
    """Neither positions, nor flags, nor event time."""
    strange = a_range(1, 0, 9, flags_next=9, event_time=9, registries={"ports": 9})
    assert standing_after(a_claim(2), strange) == standing_after(a_claim(2))


def test_a_claim_that_skips_epochs_is_taken() -> None:
    """Another worker's attempts in between were void."""
    assert standing_after(a_claim(1), a_claim(7)).epoch == 7


def test_positions_are_those_of_the_last_range_for_each_topic() -> None:
    """A range that read nothing of a topic leaves its position."""
    consents = {"consents": Span(0, 3, Books(accepted=3))}
    standing = standing_after(a_claim(1), a_range(1, 0, 5), a_range(1, spans=consents, registries={"ports": 2}))
    assert standing.positions == {"sends": 5, "consents": 3}
    assert standing.registries == {"ports": 2}


def test_event_time_never_goes_back() -> None:
    """It is the greatest `sent_at` ever seen."""
    assert standing_after(a_claim(1), a_range(1, event_time=9), a_range(1, event_time=5)).event_time == 9


# -- the audit --------------------------------------------------------------------------------------------------


def test_ranges_that_join_have_no_gap() -> None:
    """Their books add up to one span."""
    standing, spans, gaps, skipped = audit([a_claim(1), a_range(1, 0, 5), a_range(1, 5, 9)])
    assert (gaps, skipped, standing.positions) == ([], 0, {"sends": 9})
    assert (spans["sends"].first, spans["sends"].next, spans["sends"].books.judged) == (0, 9, 9)


def test_a_hole_between_two_ranges_is_told() -> None:
    """Offsets that no range accounts for."""
    _, _, gaps, _ = audit([a_claim(1), a_range(1, 0, 5), a_range(1, 7, 9)])
    assert gaps == [Gap("sends", 5, 7, "no range accounts for these offsets")]


def test_a_hole_before_the_first_range_is_told() -> None:
    """Offsets begin at 0, and what retention took before the first worker came is absent, not left out."""
    _, _, gaps, _ = audit([a_claim(1), a_range(1, 3, 5)])
    assert gaps == [Gap("sends", 0, 3, "no range accounts for these offsets")]


def test_a_ledger_whose_beginning_has_expired_may_begin_anywhere() -> None:
    """Nobody can say what it held; from there on everything must join."""
    _, spans, gaps, _ = audit([a_range(1, 3, 5), a_range(1, 5, 9)], whole=False)
    assert (gaps, spans["sends"].first, spans["sends"].next) == ([], 3, 9)


def test_an_overlap_of_two_ranges_is_told() -> None:
    """Offsets that were judged twice."""
    _, _, gaps, _ = audit([a_claim(1), a_range(1, 0, 5), a_range(1, 3, 9)])
    assert gaps == [Gap("sends", 3, 5, "two ranges account for these offsets")]


@pytest.mark.parametrize("judged", [4, 6])
def test_books_that_do_not_add_up_to_the_range_are_told(judged: int) -> None:
    """Each offset is exactly one of the kinds."""
    wrong = a_range(1, spans={"sends": Span(0, 5, Books(judged=judged))})
    _, _, gaps, _ = audit([a_claim(1), wrong])
    assert gaps == [Gap("sends", 0, 5, f"{judged} offsets are accounted for")]


def test_void_ranges_are_counted_and_not_checked() -> None:
    """What a former owner wrote neither joins nor leaves a gap."""
    records: list[Record] = [a_claim(1), a_range(1, 0, 5), a_claim(2), a_range(1, 5, 9), a_range(2, 5, 9)]
    _, spans, gaps, skipped = audit(records)
    assert (gaps, skipped, spans["sends"].books.judged) == ([], 1, 9)


def test_each_topic_is_checked_by_itself() -> None:
    """A gap in one is no gap in the other."""
    both = {"sends": Span(5, 6, Books(judged=1)), "replies": Span(0, 1, Books(accepted=1))}
    _, _, gaps, _ = audit([a_claim(1), a_range(1, 0, 5), a_range(1, spans=both)])
    assert gaps == []


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.randoms())
def test_a_ledger_with_a_range_left_out_is_never_whole(lengths: list[int], random: Any) -> None:
    """Whatever the ranges, unless the one left out was empty, or nothing came after it."""
    ranges, at = [], 0
    for length in lengths:
        ranges.append(a_range(1, at, at + length))
        at += length
    _, spans, gaps, _ = audit([a_claim(1), *ranges])
    assert gaps == []
    assert spans["sends"].books.offsets == at
    lost = random.randrange(len(ranges))
    _, _, gaps, _ = audit([a_claim(1), *ranges[:lost], *ranges[lost + 1 :]])
    assert bool(gaps) == (lost < len(ranges) - 1 and lengths[lost] > 0)


# -- books and records ------------------------------------------------------------------------------------------


def test_books_add_up_kind_by_kind() -> None:
    """Ignored fields by name; they are no offsets."""
    one = Books(judged=1, accepted=2, duplicates=3, parts=4, quarantined=5, absent=6, ignored={"sends.province": 1})
    assert one.offsets == 21
    one.add(Books(judged=1, absent=1, ignored={"sends.province": 2, "replies.carrier": 1}))
    assert (one.judged, one.absent, one.offsets) == (2, 7, 23)
    assert one.ignored == {"sends.province": 3, "replies.carrier": 1}


def test_a_record_is_the_same_after_it_was_written_and_read() -> None:
    """Claims and ranges, with everything that a range can hold."""
    tally = Tally(1, "cm", None, "sp", "1069", "O1", "云岭商贸", "marketing", 3, 2, 1, {"C1": 1}, {"C1-": 1})
    whole = a_range(
        3,
        0,
        5,
        tallies=[tally],
        rows=[Row(b"\x00\xff", a_kept())],
        lanes=[(None, "1069", "sp"), ("云岭商贸", "1069", "sp")],
    )
    for record in (a_claim(2), whole):
        assert decode.decode(encode(record)) == record


def test_a_reader_of_the_future_may_add_fields() -> None:
    """Unknown ones are skipped."""
    raw = encode(a_claim(2)).replace(b'"worker"', b'"later":[1],"worker"')
    assert decode.decode(raw) == a_claim(2)
