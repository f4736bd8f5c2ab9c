"""Replay: a past range of sends judged again, by exactly the judge that runs live, with all that the topics hold now.

It tells what the flags would be by today's program and configuration, or what they would be under another law. The
audit asks whether the workers did right by rules of their own reading; a replay asks what this judge says today.

    rejudge.py      one partition's records in, its net flags out
    law.py          the law packs of a what-if
    difference.py   what differs from the flags that stand
    run.py          what is read, and in which order: a dry run
    amend.py        the difference as messages and ledger, for the owner of a partition
    publish.py      owning the partitions, and writing
    show.py         the difference for people and programs
"""

from sendwatch.replay.difference import Difference, compare
from sendwatch.replay.law import NoSuchPackError, packs_under
from sendwatch.replay.rejudge import rejudge
from sendwatch.replay.run import Wish, replay

__all__ = ["Difference", "NoSuchPackError", "Wish", "compare", "packs_under", "rejudge", "replay"]
