"""What an audit expects to find, of a partition or of all.

Belongs here: the shape, and adding up. Not here: computing it (`compute.py`), comparing it (`compare.py`).
"""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field


class Flagged(Struct, frozen=True, gc=False):
    """One flag that stands. `evidence` is its JSON, names in order; `topic`: `flags` or `canary`."""

    flag_id: str
    rule: str
    send_id: str
    at: int
    topic: str
    partition: int
    offset: int
    evidence: bytes
    pack: str
    shadow: bool


class Expected(Struct):
    """Flags by id; undecided answers by (rule, reason); what every record is.

    `what`: by topic kind and partition, the kind of each offset in the books; an offset that is not in it is absent.
    `refused`: the reason by topic kind, partition and offset. `optouts`: owners by partition and offset of the reply.
    `sends`, `undecided_sends`: how many were judged, and about how many at least one rule could not say.
    """

    flags: dict[str, Flagged] = field(default_factory=dict)
    undecided: Counter[tuple[str, str]] = field(default_factory=Counter)
    sends: int = 0
    undecided_sends: int = 0
    what: dict[tuple[str, int], dict[int, str]] = field(default_factory=dict)
    refused: dict[tuple[str, int, int], str] = field(default_factory=dict)
    optouts: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)

    def add(self, other: Expected) -> None:
        """Add what is expected of another partition."""
        self.flags |= other.flags
        self.undecided += other.undecided
        self.sends += other.sends
        self.undecided_sends += other.undecided_sends
        self.what |= other.what
        self.refused |= other.refused
        self.optouts |= other.optouts
