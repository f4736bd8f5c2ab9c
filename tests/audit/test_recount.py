"""What the tallies add up to, held against a count over the topics: each send once, under what it is in the end."""

from __future__ import annotations

import contextlib
from random import Random
from typing import TYPE_CHECKING

import pytest
from audit_builders import TERMS, laid_out
from audit_histories import ROWS, batches, changing_rows, history

from engine_builders import (
    ANNE,
    BODO,
    CODE,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    TEXT,
    Cluster,
    CrashError,
    Fault,
    a_consent,
    a_filing,
    a_judging,
    a_port,
    a_send,
    judged,
    settle,
)
from sendwatch.audit.compute import read_registries, tables_of
from sendwatch.audit.logs import read_log
from sendwatch.demo.recount import Recount, sums_of
from sendwatch.engine.judging import RECIPIENT_KINDS, REGISTRY_KINDS
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from engine_builders import Event
    from sendwatch.demo.recount import Sum
    from sendwatch.ledger import Range
    from sendwatch.outgoing import FlagEvent

COUNTED = ("sends", "undecided", "flagged", "flags")
AT_ONCE = 30  # histories of one test


def merged(ranges: Iterable[Range]) -> dict[Sum, int]:
    """What the aggregator makes of these ranges."""
    board = Board(Limits())
    for record in ranges:
        board.fold(record)
    return _of_tallies(sums_of(board))


def counted(events: Iterable[Event], rows: Iterable[Event], flags: Iterable[FlagEvent]) -> dict[Sum, int]:
    """What a count over the topics gives."""
    inputs, recount = laid_out(events, rows), Recount(frozenset())
    registries = read_registries({kind: inputs[kind, 0] for kind in REGISTRY_KINDS}, TERMS)
    logs = {kind: read_log(kind, 0, inputs[kind, 0], TERMS) for kind in RECIPIENT_KINDS}
    recount.count_partition(0, logs, tables_of(registries, TERMS), TERMS)
    recount.count_flags({flag.flag_id: flag for flag in flags}.values())
    return _of_tallies(recount.sums)


def _of_tallies(sums: Counter[Sum]) -> dict[Sum, int]:
    return {each: count for each, count in sums.items() if each[2] in COUNTED and count}


def differing(ours: dict[Sum, int], theirs: dict[Sum, int]) -> dict[Sum, tuple[int, int]]:
    """The sums that are not the same, as (merged, counted)."""
    every = ours.keys() | theirs.keys()
    return {each: (ours.get(each, 0), theirs.get(each, 0)) for each in every if ours.get(each) != theirs.get(each)}


@pytest.mark.parametrize("first", [0, AT_ONCE, pytest.param(-1, marks=pytest.mark.long)])
def test_merged_counts_are_those_of_the_topics(first: int) -> None:
    """Facts late and out of order, repeats, long messages, cut into batches anywhere: to the last send."""
    subtracted = 0
    for seed in range(first, first + AT_ONCE) if first >= 0 else range(1000, 1500):
        events = history(seed)
        desk = judged(*batches(seed, events), judging=a_judging(ROWS))
        assert differing(merged(desk.ledger), counted(events, ROWS, desk.flags)) == {}, seed
        subtracted += sum(tally.sends < 0 or tally.undecided < 0 for each in desk.ledger for tally in each.tallies)
    assert subtracted > AT_ONCE / 6, "too little was counted anew"


# -- registries that change: the sends are read again --------------------------------------------------------------


async def worked(cluster: Cluster, *batches: Sequence[Event]) -> list[Event]:
    """Have one worker work on these, one after another; what was written."""
    worker = await cluster.worker()
    for batch in batches:
        cluster.produce(*batch)
        await settle(worker)
    return [event for batch in batches for event in batch]


def difference(cluster: Cluster, written: Iterable[Event]) -> dict[Sum, tuple[int, int]]:
    """Where the ledger's sums are not those of the topics."""
    return differing(merged(cluster.ranges()), counted(written, (), cluster.flags()))


LATE = {
    "another owner": a_filing(owner="O9"),
    "another owner on that port": a_filing("f9", owner="O9", ports=["10690001"]),
    "filed at last": a_filing("f9", signature="湖畔书屋", owner="O9"),
    "the port was given back": a_port(valid_until=NOW - DAY),
    "revoked": a_filing(status="revoked", valid_until=NOW - DAY),
    "never was": a_filing()._replace(value=None),
}
"""What becomes known an hour after the sends: some are flagged and kept from then on, others are somebody else's."""
OTHER_CODE = "【湖畔书屋】您的验证码是824193，5分钟内有效，请勿泄露。"
ROWS_BEFORE = (a_filing(), a_port())
SENDS = (
    a_consent(at=NOW - DAY),
    a_send("s1"),
    a_send("s2", NOW + MINUTE, text=CODE, category="otp"),
    a_send("s3", NOW + MINUTE, recipient=BODO, text=CODE, category="otp"),
    a_send("s3", NOW + MINUTE, NOW + HOUR, recipient=BODO, text=CODE, category="otp"),
    a_send("s4", NOW + MINUTE, recipient=BODO, text="【云岭商贸】您好。", category=None, carrier=None),
    a_send("s5", NOW + MINUTE, recipient=BODO, text=OTHER_CODE, category="otp"),
)
LONG = tuple(
    a_send(f"l{no}", NOW + no, text=text, recipient=to, part={"ref": 7, "no": no, "total": 2}, category="otp")
    for to, whole in ((ANNE, TEXT), (BODO, CODE))
    for no, text in ((1, whole[:20]), (2, whole[20:]))
)


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("sends", [SENDS, LONG], ids=["kept and not", "long messages"])
async def test_what_a_registry_says_late_moves_sends(sends: Sequence[Event], late: str) -> None:
    """They are subtracted where they were counted and added where they belong, with their flags, kept or not."""
    cluster = Cluster(registries=())
    written = await worked(cluster, ROWS_BEFORE, sends, [LATE[late]._replace(timestamp=NOW + HOUR)])
    assert difference(cluster, written) == {}


async def test_moved_sends_are_moved_back() -> None:
    """And once more: of sends that are not kept, too, it is known how they are counted now."""
    cluster = Cluster(registries=())
    changes = [[a_filing(owner=owner)._replace(timestamp=NOW + HOUR)] for owner in ("O9", "O1", "O9", "O8")]
    written = await worked(cluster, ROWS_BEFORE, SENDS, *changes)
    assert sum(tally.sends < 0 for each in cluster.ranges() for tally in each.tallies) > len(changes)
    assert difference(cluster, written) == {}


@pytest.mark.parametrize("at", range(1, 14))
@pytest.mark.parametrize("is_written", [False, True])
async def test_a_crash_while_sends_are_moved_counts_none_twice(at: int, is_written: bool) -> None:
    """The ledger's record is the commit: what it does not tell of is moved by the next owner, the rest is not."""
    cluster = Cluster(registries=())
    first = await worked(cluster, ROWS_BEFORE, SENDS)
    late = [LATE[each]._replace(timestamp=NOW + HOUR) for each in ("another owner", "the port was given back")]
    cluster.produce(*late)
    cluster.faults = [Fault(cluster.writes + at, CrashError(), is_written)]
    with contextlib.suppress(CrashError):
        await settle(await cluster.worker())
    cluster.faults = []
    await settle(await cluster.worker())
    assert difference(cluster, [*first, *late]) == {}


@pytest.mark.parametrize("seed", [*range(5000, 5020), *(pytest.param(n, marks=pytest.mark.long) for n in range(400))])
async def test_registries_that_change_between_sends_are_counted_alike(seed: int) -> None:
    """Rows that come before, between and after the sends; now and then another worker goes on without its disk.

    Each send comes once: of those that are kept for a while only, repeats are judged or not as they come.
    """
    cluster, random = Cluster(registries=()), Random(f"between {seed}")
    once = list({(event.kind, event.value): event for event in history(seed)}.values())
    events, rows = batches(seed, once), changing_rows(seed)
    written: list[Event] = []
    cuts = sorted(random.randrange(len(ROWS), len(rows) + 1) for _ in events)
    for some, start, end in zip(events, [0, *cuts], [*cuts, None], strict=False):
        batch = [*rows[start:end], *some]
        cluster.produce(*batch)
        written += batch
        if random.random() < 0.3:
            cluster.disks = {}
        await settle(await cluster.worker())
    rest = rows[cuts[-1] :]
    cluster.produce(*rest)
    await settle(await cluster.worker())
    assert difference(cluster, [*written, *rest]) == {}
