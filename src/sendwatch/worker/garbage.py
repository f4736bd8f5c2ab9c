"""Python's collector of cycles, made rare: what a worker holds is long-lived, and what it throws away has no cycles.

Belongs here: when the collector runs. By default it looked through all registries and all remembered texts again and
again: 20 % of a worker's CPU time while it judged, 52 % while it folded facts (500,000 sends, 1 M recipients, 21,000
filings; `make bench ARGS='--rules full --profile'` at 3f10b65 prints it).
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 1_000_000, 50, 100  # objects made; collections of the young; of the middle-aged


def rarely() -> None:
    """Collect after so many objects rather than after 700; cycles come from exceptions and connections only."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def set_aside() -> None:
    """Never look again through what is there now: modules, settings, registries."""
    gc.collect()
    gc.freeze()
