"""`sendwatch run`, but nothing is kept of a send: `python -m bench.forgetful run`. What keeping rows costs shows so.

Belongs here: leaving out what a batch of sends would write to the store and, as rows, to the ledger. Without its rows a
worker can correct nothing, and finds no flag that rests on neighbours (`NEIGHBOURS`); each send is judged as ever.
"""

from __future__ import annotations

import runpy
import sys
from typing import TYPE_CHECKING, Any

from sendwatch.worker import worker

if TYPE_CHECKING:
    from sendwatch.engine.partition import Outcome

NEIGHBOURS = frozenset({"B2_FREQUENCY", "C4_CONSENT_EXCEEDED", "C7_ASKED_AGAIN"})


def main() -> None:
    """Run the command line with a worker that forgets."""
    module: Any = worker
    whole = module.process

    def forget(*given: Any) -> Outcome:
        outcome: Outcome = whole(*given)
        if "sends" in given[2]:  # of a batch; facts come before sends and are kept
            outcome.record.rows, outcome.changes = [], {}
        return outcome

    module.process = forget
    sys.argv[0] = "sendwatch"
    runpy.run_module("sendwatch", run_name="__main__")


if __name__ == "__main__":
    main()
