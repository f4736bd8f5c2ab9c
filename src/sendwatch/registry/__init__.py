"""The five registries in memory, as of a time: filings, ports, letters, templates, owners.

Belongs here: which record of a row counts for a send at `t`, and every answer that the registries give to the
per-send rules. Not here: reading topics (`engine/`), what follows from an answer (`rules/`).

    rows.py        records -> versions of a row, each true for sends of one span of time; the indexes
    filings.py     which filing covers a send, which comes nearest, whose send it is
    letters.py     the chain of letters from the holder of a port to the SP, or where it breaks
    standing.py    the whole answer for names, port, SP, carrier, province at `t`, with the span it holds for
    answers.py     the bounded memory of standings
    registry.py    the registry itself: put, ask

What is kept for long is out of the garbage collector's sight (`gc=False`; there are no cycles): its rounds
would otherwise take several times as long as the lookups.

A record that arrived at `a` counts for sends with  t >= a - window;  among those the greatest offset speaks.
"""

from sendwatch.registry.filings import Fit
from sendwatch.registry.letters import Broken, Chain
from sendwatch.registry.registry import Registry
from sendwatch.registry.standing import Standing

__all__ = ["Broken", "Chain", "Fit", "Registry", "Standing"]
