"""What a batch did, in sums: for the metrics, once per batch."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field


class Counts(Struct):
    """Sums of one batch; keys are what the metrics' labels are made of."""

    consumed: Counter[tuple[str, str]] = field(default_factory=Counter)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    covered: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)
    flags: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    undecided: Counter[tuple[str, str]] = field(default_factory=Counter)
    corrections: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    flagged_sent_at: list[int] = field(default_factory=list)
    after_refusal: list[int] = field(default_factory=list)  # ms, of each send that came after one
