"""A partition that a worker owns, and the names and places of its topics.

Belongs here: what is remembered of it beside the `Partition` itself. Not here: who changes it (`take_over.py`,
`again.py`, `worker.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from msgspec import Struct, field

from sendwatch.engine.batch import FACTS
from sendwatch.engine.partition import Partition  # noqa: TC001 - msgspec reads the annotations
from sendwatch.worker.lookback import LookBack

if TYPE_CHECKING:
    from sendwatch.dossier import Published
    from sendwatch.settings import Settings

SOURCES = ("sends", *FACTS)
FOLLOWED = (*SOURCES, "flags")


class Owned(Struct):
    """A partition that this worker owns, and how far it has to read before its sends may be judged.

    `silent`: facts are still folded up to the ledger's position; only when all of them are there may one after it
    correct anything. `held`: facts, flags and registries have not yet reached the ends seen at take-over.
    `awaited`: by topic kind, the ends seen at take-over. `strangers`: flags of other epochs, by offset of their
    send, that are still to be compared. `unseen`: topic kinds not fetched yet. `ahead_at`: the timestamp of the first
    send put off until facts have been read so far (`in_step.py`). For the gauges: `ends`, the ends last
    seen by topic kind; `read_at`, the Kafka time (ms) of the record read last, or of the first one to be read;
    `level_at`, when (ms) nothing was left to read; `taken_at`, when (ms) it was taken over.
    """

    partition: Partition
    awaited: dict[str, int]
    flags_next: int
    held: bool = True
    silent: bool = True
    strangers: dict[int, dict[str, Published]] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=lambda: {*FACTS, "flags"})
    look_back: LookBack = field(default_factory=LookBack)
    ahead_at: int | None = None
    ends: dict[str, int] = field(default_factory=dict)
    read_at: dict[str, int] = field(default_factory=dict)
    level_at: dict[str, int] = field(default_factory=dict)
    taken_at: int = 0

    @property
    def number(self) -> int:
        """Of the partition."""
        return self.partition.number

    def known(self, kind: str) -> int:
        """How far a source topic is accounted for: sends as committed, facts as folded."""
        position = self.partition.position
        return position.standing.positions.get(kind, 0) if kind == "sends" else position.facts.get(kind, 0)


class Topics:
    """The names of topics by kind, and the kinds of those that the worker follows by name."""

    def __init__(self, settings: Settings) -> None:
        """As configured."""
        self._topics = settings.topics
        self.kinds = {self.name(kind): kind for kind in FOLLOWED}

    def name(self, kind: str) -> str:
        """The name of the topic of this kind."""
        return self._topics.name(kind)

    def place(self, kind: str, number: int) -> TopicPartition:
        """The topic of this kind, this partition."""
        return TopicPartition(self.name(kind), number)
