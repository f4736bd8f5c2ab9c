"""A replay that publishes and dies: `python dying.py COMMITS`, with its settings in the environment.

It is killed, as by `kill -9`, when it has published the flags of its so-manieth commit and is about to append that to
the ledger; a commit is of few flags here, so that some are whole.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any, cast

from sendwatch import config, rules
from sendwatch.kafka.publish import Publisher
from sendwatch.replay import Wish, publish

AT_ONCE = 20


def main() -> None:
    """Replay everything, and do not come back."""
    commits = 0
    module, publisher = cast("Any", publish), cast("Any", Publisher)
    append, outcome_of = publisher.append, module.outcome_of

    def counting(*given: Any) -> Any:
        nonlocal commits
        commits += 1
        return outcome_of(*given)

    async def dying(self: Publisher, kind: str, *given: Any) -> Any:
        if kind == "ledger" and commits == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return await append(self, kind, *given)

    module.AT_ONCE, module.outcome_of = AT_ONCE, counting
    publisher.append = dying
    settings = config.read(None, os.environ, {}, rules=rules.discover()).settings
    asyncio.run(publish.publish(settings, Wish()))


if __name__ == "__main__":
    main()
