"""The audit: what the flags should be, computed anew by brute force, held against what was published.

It reads the topics themselves and computes every verdict from all facts that count for the send, one recipient after
the other, with a fold of its own. With the engine it shares the rules and how one record and one text are read;
nothing of how facts are kept, found again, or corrected. Whoever doubts the flags needs to trust only this folder.

    terms.py        the settings, as far as a verdict depends on them
    logs.py         records of one partition of a topic, read and refused
    tables.py       registries as of a time        standing.py, chain.py    what they say of a send
    messages.py     repeats, conflicts, long messages
    recipients.py   what each reply refused, and what is known of each message
    compute.py      all of it, to an `Expected`
    topics.py       what Kafka holds: inputs and outputs, partition by partition, without a group
    books.py        the ledger: do its ranges join, and are its counts ours
    compare.py      the difference
    show.py         the difference for people and programs
"""

from sendwatch.audit.compare import Difference, Seen, compare
from sendwatch.audit.compute import Span, compute
from sendwatch.audit.expected import Expected, Flagged
from sendwatch.audit.run import audit, run
from sendwatch.audit.terms import Terms, terms_of

__all__ = [
    "Difference", "Expected", "Flagged", "Seen", "Span", "Terms", "audit", "compare", "compute", "run", "terms_of",
]  # fmt: skip
