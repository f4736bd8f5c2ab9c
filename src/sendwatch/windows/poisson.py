"""Exact bounds for counts: how sure can one be of a rate of which only a few events were seen?

Belongs here: the Poisson lower bound, and whether one count is more than chance beside another. Not here: limits.

For the mean m of a Poisson count, the one-sided lower bound at confidence 1 - a, `c` events seen, is the m at which
`c` or more are seen with probability a: P(X >= c | m) = a. That is half the a-quantile of chi-square with 2c degrees
of freedom (Garwood 1936). P(X >= c | m) is the regularised lower incomplete gamma function P(c, m); its series
converges fast where m < c, and there the bound always lies.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

ERROR_RATE = 0.05
PRECISION = 1e-12


def at_least(count: int, mean: float) -> float:
    """The probability that a Poisson variable of this mean is `count` or more; for means up to `count`."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    term = total = 1.0
    number = count
    while term > total * PRECISION:
        number += 1
        term *= mean / number
        total += term
    return min(1.0, exp(count * log(mean) - mean - lgamma(count + 1)) * total)


@lru_cache(maxsize=4096)
def lower_bound(count: int, error_rate: float = ERROR_RATE) -> float:
    """The least mean that a Poisson count is compatible with, one-sided, at confidence 1 - `error_rate`."""
    if count <= 0:
        return 0.0
    low, high = 0.0, float(count)
    while high - low > PRECISION * count:
        middle = (low + high) / 2
        if at_least(count, middle) < error_rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def chance(now: int, before: int, share: float) -> float:
    """The probability of `now` or more of `now + before` events falling where only `share` of them is expected.

    Two Poisson counts of one rate, of which the first had `share` of the exposure of both: given their sum, the first
    is binomial. Small where `now` is more than chance.
    """
    total = now + before
    if now <= 0 or share >= 1:
        return 1.0
    if share <= 0:
        return 0.0
    if now <= total * share:
        return 1.0  # not more than expected: nobody asks how likely exactly
    odds = share / (1 - share)
    log_term = lgamma(total + 1) - lgamma(now + 1) - lgamma(before + 1) + now * log(share) + before * log(1 - share)
    term = sum_of_terms = 1.0
    for number in range(now, total):
        term *= (total - number) / (number + 1) * odds
        sum_of_terms += term
        if term < sum_of_terms * PRECISION:
            break
    return min(1.0, exp(log_term) * sum_of_terms)
