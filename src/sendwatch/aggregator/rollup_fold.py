"""The fold over rollups, where several processes add up the ledger's partitions and one adds up all: the second stage.

Belongs here: taking rollups in, and leaving out those that do not count. Not here: which those are (`rollups.py`), what
is stored and published (`ledger_fold.py`), Kafka (`aggregator.py`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sendwatch.aggregator.ledger_fold import READ, Folding
from sendwatch.aggregator.rollups import Accepted, unpack
from sendwatch.windows import rollup

if TYPE_CHECKING:
    from sendwatch.engine.store import Store
    from sendwatch.windows.board import Board

log = logging.getLogger("sendwatch.aggregator")


class RollupFolding(Folding):
    """A board, and how far it is in the topic of rollups, which has one partition. `void`: rollups left out."""

    shape = b"2 of rollups"

    def __init__(self, board: Board, store: Store) -> None:
        """Take up where the store stopped."""
        super().__init__(board, store)
        (read,) = store.get_many([READ])
        self._read = int(read) if read else 0
        self._accepted = Accepted(self.places)
        self.places = self._accepted.places

    @property
    def positions(self) -> dict[int, int]:
        """The next offset of the topic of rollups, if it was begun."""
        return {0: self._read} if self._read else {}

    def added_up_at(self, partitions: int) -> int | None:
        """By what rollups tell; 0 where they have not told of every partition."""
        return min((self.places[number].at if number in self.places else 0 for number in range(partitions)), default=0)

    def take(self, _partition: int, offset: int, value: bytes) -> None:
        """Fold a rollup, and ask the windowed rules; one below the position was folded before."""
        if offset < self._read:
            return
        self._read = offset + 1
        record = unpack(value)
        for number, (first, end) in self._accepted.missing(record).items():
            log.error("ledger records are in no rollup", extra={"partition": number, "first": first, "end": end})
        if not self._accepted.take(record):
            self.void += 1
            return
        self.board.fold_rollup(rollup.decode(record.sums))
        self.settle()

    def _more(self) -> dict[bytes, bytes | None]:
        return {READ: str(self._read).encode()}
