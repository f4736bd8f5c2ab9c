"""Top lists in bounded memory, held against exact counts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sendwatch.windows.lines import Subject
from sendwatch.windows.top import Top, merged

streams = st.lists(
    st.tuples(st.sampled_from([(name,) for name in "abcdefghijklmnop"]), st.integers(1, 20)), max_size=80
)


@given(streams, st.integers(1, 12))
def test_every_count_is_as_near_as_promised(stream: list[tuple[Subject, int]], most: int) -> None:
    """Never below the truth, at most N / most above it; whoever has more than that is in the list."""
    exact, top = Counter[Subject](), Top(most)
    for subject, count in stream:
        exact[subject] += count
        top.add(subject, count)
    total, listed = exact.total(), {ranked.subject: ranked for ranked in top.list(most)}
    assert len(listed) <= most
    for subject, ranked in listed.items():
        assert ranked.count - ranked.error <= exact[subject] <= ranked.count
        assert ranked.error <= total / most
    assert all(subject in listed for subject, count in exact.items() if count > total / most)


@given(streams, streams, st.integers(1, 12))
def test_sketches_of_two_hours_are_one_of_both(
    first: list[tuple[Subject, int]], then: list[tuple[Subject, int]], most: int
) -> None:
    """With the same promise, but that errors add up."""
    exact, tops = Counter[Subject](), [Top(most), Top(most)]
    for top, stream in zip(tops, (first, then), strict=True):
        for subject, count in stream:
            exact[subject] += count
            top.add(subject, count)
    for ranked in merged(tops, most).list(most):
        assert ranked.count - ranked.error <= exact[ranked.subject] <= ranked.count


def test_the_list_is_in_order_and_the_same_each_time() -> None:
    """Greatest first; of equals the lesser."""
    top = Top(10)
    for name, count in (("b", 2), ("a", 2), ("c", 5)):
        top.add((name,), count)
    assert [ranked.subject for ranked in top.list(2)] == [("c",), ("a",)]


def test_counting_for_long_takes_no_more_room() -> None:
    """Stale entries of the heap are cleared away."""
    top = Top(5)
    for turn in range(10_000):
        top.add((str(turn % 7),))
    assert len(top._least) <= 4 * 5 + 65
    assert len(top.counts) == 5
