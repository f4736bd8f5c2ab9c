"""Which record of a row is its truth for a send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from registry_builders import WINDOW, a_port

from sendwatch.registry.rows import FOREVER, Index, Rows, Span

if TYPE_CHECKING:
    from sendwatch.events import Port

A, B, C, D = (a_port("p", holder=each) for each in "abcd")


def truth(rows: Rows[Port], t: int) -> str | None:
    row = rows.truth("p", Span(t))
    return row.holder if row else None


def test_a_record_counts_from_its_arrival_less_the_window() -> None:
    """It may arrive as late as the window after the send, and not a millisecond later."""
    rows: Rows[Port] = Rows(WINDOW)
    rows.put("p", 0, 500, A)
    assert truth(rows, 399) is None
    assert truth(rows, 400) == "a"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2, 1, 0)])
def test_the_greatest_offset_of_those_that_count_speaks(order: tuple[int, ...]) -> None:
    """In whatever order they are put, and however often; the second arrived before the first."""
    records = [(0, 500, A), (1, 300, B), (2, 700, C)]
    rows: Rows[Port] = Rows(WINDOW)
    for number in order:
        rows.put("p", *records[number])
    assert [truth(rows, t) for t in (199, 200, 400, 599, 600)] == [None, "b", "b", "b", "c"]


def test_whoever_no_longer_speaks_for_some_time_is_told() -> None:
    """The one before, whose time ends earlier, and all whose place the new one takes; nobody, if told twice."""
    rows: Rows[Port] = Rows(WINDOW)
    assert rows.put("p", 0, 300, A) == []
    assert rows.put("p", 1, 500, B) == [A]
    assert rows.put("p", 2, 700, C) == [B]
    assert rows.put("p", 3, 400, D) == [A, B, C]
    assert rows.put("p", 3, 400, D) == []
    assert rows.put("p", 4, 400, None) == [A, D]
    assert rows.put("p", 5, 600, B) == []


def test_a_row_recorded_in_error_never_was_and_can_be_recorded_again() -> None:
    """A null value is the truth like any record, until a higher offset counts."""
    rows: Rows[Port] = Rows(WINDOW)
    for offset, arrived, row in ((0, 100, A), (1, 300, None), (2, 500, B)):
        rows.put("p", offset, arrived, row)
    assert [truth(rows, t) for t in (0, 199, 200, 399, 400)] == ["a", "a", None, None, "b"]


def test_a_correction_speaks_for_all_times() -> None:
    """A row that ended by its last record is not valid, though an earlier record had it open."""
    rows: Rows[Port] = Rows(WINDOW)
    rows.put("p", 0, 0, a_port("p", valid_from=0))
    rows.put("p", 1, 150, a_port("p", valid_from=0, valid_until=20))
    assert rows.valid("p", Span(49)) is not None
    assert rows.valid("p", Span(50)) is None
    assert rows.truth("p", Span(50)) is not None


def test_an_index_follows_the_row_to_its_new_key() -> None:
    """A row is found under what the record that speaks at `t` says, each for its own span."""
    index: Index[Port] = Index(lambda row: (row.holder,))
    rows = Rows(WINDOW, index)
    rows.put("p", 0, 100, A)
    rows.put("p", 1, 300, B)
    assert [(each.since, each.until) for each in index.under("a")] == [(0, 200)]
    assert [(each.since, each.until) for each in index.under("b")] == [(200, FOREVER)]
    rows.put("p", 2, 100, None)
    assert not index.under("a")
    assert not index.under("b")


def test_a_span_is_narrowed_to_where_every_answer_stays() -> None:
    """Each bound that was looked at and lies beside `t` cuts it; half-open as validity is."""
    span = Span(50)
    assert span.within(10, 90)
    assert not span.within(60, 70)
    assert not span.within(20, 50)
    assert (span.since, span.until) == (50, 60)
