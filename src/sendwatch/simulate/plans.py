"""Everything that can be planted in a story, and how often relative to the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sendwatch.simulate import misfilings, misports, misworded, refusals

AT_NIGHT: Final = "at_night"
"""In order but for the hour: B1. Any other commercial plan that comes up at night is flagged with it as
well.
"""

if TYPE_CHECKING:
    from collections.abc import Collection

LINES: Final = misfilings.PLANS | misports.PLANS
"""Faulty lines of either kind."""

PLANS: Final[dict[str, int]] = (
    {name: weight for name, (_, weight) in LINES.items()}
    | {name: weight for name, (_, _, weight) in refusals.PLANS.items()}
    | {name: plan.weight for name, plan in misworded.PLANS.items()}
    | {AT_NIGHT: 6}
)


def share_of(names: Collection[str]) -> float:
    """What part of all planted sends those plans make up."""
    return sum(PLANS[name] for name in names) / sum(PLANS.values())
