"""Exact bounds for counts, against tables and against sums of the definition."""

from __future__ import annotations

from math import comb, exp, factorial, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendwatch.windows.poisson import at_least, chance, lower_bound

# Half the 5 % quantile of chi-square with 2c degrees of freedom, from printed tables.
PRINTED = {1: 0.0513, 2: 0.3554, 3: 0.8177, 4: 1.3663, 5: 1.9701, 10: 5.4254, 15: 9.2463, 50: 38.9647}


@pytest.mark.parametrize(("count", "bound"), PRINTED.items())
def test_the_lower_bound_is_that_of_the_tables(count: int, bound: float) -> None:
    """One-sided, 95 %."""
    assert lower_bound(count) == pytest.approx(bound, abs=6e-5)


def test_nothing_seen_bounds_nothing() -> None:
    """A rate of zero is compatible with no complaint."""
    assert lower_bound(0) == 0


@given(count=st.integers(1, 120), mean=st.floats(0.001, 120))
def test_the_probability_is_that_of_the_definition(count: int, mean: float) -> None:
    """One minus the probabilities of fewer, summed term by term."""
    if mean > count:
        return
    fewer = sum(exp(-mean) * mean**k / factorial(k) for k in range(count))
    assert isclose(at_least(count, mean), 1 - fewer, abs_tol=1e-9)


@given(st.integers(1, 100_000))
def test_at_the_bound_so_many_are_seen_one_time_in_twenty(count: int) -> None:
    """That is what the bound means; and it lies below the count, and grows with it."""
    bound = lower_bound(count)
    assert at_least(count, bound) == pytest.approx(0.05, rel=1e-3)
    assert lower_bound(count - 1) < bound < count


@given(now=st.integers(0, 60), before=st.integers(0, 200), share=st.floats(0.01, 0.99))
def test_more_than_chance_is_a_binomial_tail(now: int, before: int, share: float) -> None:
    """Of `now + before` events each falls into the first part with probability `share`."""
    total = now + before
    tail = sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(now, total + 1))
    if now > total * share:
        assert chance(now, before, share) == pytest.approx(tail, rel=1e-6, abs=1e-12)
    else:
        assert chance(now, before, share) == 1


def test_large_counts_neither_overflow_nor_take_long() -> None:
    """A nation's sends of an hour beside those of a week."""
    assert chance(2_000_000, 12_000_000, 1 / 8) < 1e-9
    assert chance(1_500_000, 10_500_000, 1 / 8) == 1
    assert lower_bound(1_000_000) == pytest.approx(998_355, rel=1e-5)
