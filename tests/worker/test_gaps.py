"""Records that are gone: a worker refuses to go on, an operator accepts it, and the books say so for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from engine_builders import (
    DAY,
    HOUR,
    NOW,
    PREPARED,
    SETTINGS,
    Cluster,
    Consumer,
    Outlet,
    a_consent,
    a_send,
    settings_of,
    settle,
)
from sendwatch import ledger
from sendwatch.cli import main
from sendwatch.kafka.log_reader import LogReader
from sendwatch.worker.gaps import Acceptance, CannotAcceptError, place_of
from sendwatch.worker.take_over import LostRecordsError

if TYPE_CHECKING:
    from sendwatch.engine.store import Store

WHY = "a disk was full over the holidays"


async def accept(cluster: Cluster, kind: str, until: int, outlet: Any = None) -> str:
    """Accept that what lay below an offset of partition 0 is gone."""
    publisher: Any = outlet or Outlet(cluster)
    acceptance = Acceptance(cluster.names, LogReader(Consumer(cluster)), publisher, PREPARED.version)
    return await acceptance.accept(kind, 0, until, WHY, NOW)


async def with_lost_sends() -> Cluster:
    """One send was judged, two were deleted before they were, one is there."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    await settle(await cluster.worker())
    cluster.produce(a_send("s2"), a_send("s3"), a_send("s4"))
    cluster.expire("sends", 3)
    return cluster


@pytest.mark.parametrize("disk", ["kept", "lost"])
async def test_a_worker_goes_on_after_the_gap_was_accepted(disk: str) -> None:
    """What is there is judged; what is gone is absent in the books, and stands there with the reason."""
    cluster = await with_lost_sends()
    with pytest.raises(LostRecordsError):
        await settle(await cluster.worker())
    assert "[1, 3) are accounted for as absent" in await accept(cluster, "sends", 3)
    if disk == "lost":
        cluster.disks = {}
    await settle(await cluster.worker())
    books = cluster.books()["sends"]
    assert (books.judged, books.absent) == (2, 2)
    assert {flag.send.id for flag in cluster.flags()} == {"s1", "s4"}
    assert ledger.given_up(cluster.entries()) == [ledger.GivenUp("sends", 3, NOW, WHY)]


async def test_a_worker_that_still_runs_is_void_from_then_on() -> None:
    """It was frozen while somebody looked: what it appends counts no more, and it notices."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    disk: dict[int, Store] = {}
    frozen = await settle(await cluster.worker(disk=disk))
    cluster.produce(a_send("s2"))
    fetched = await frozen._consumer.getmany(max_records=200)
    cluster.produce(a_send("s3"))
    cluster.expire("sends", 2)
    await accept(cluster, "sends", 2)
    await frozen._round(fetched)
    assert frozen.owned == {}
    await settle(await cluster.worker(disk={}))
    assert cluster.books()["sends"].absent == 1


@pytest.mark.parametrize("disk", ["kept", "lost"])
async def test_consents_can_be_accepted_as_gone(disk: str) -> None:
    """Those not yet read, and, where the table is to be built anew, those that it was built of."""
    cluster = Cluster()
    cluster.produce(a_consent("c1"), a_send("s1"))
    await settle(await cluster.worker())
    late = a_consent("c4", at=NOW - DAY, arrived=NOW + HOUR)
    cluster.produce(a_consent("c2"), a_consent("c3"), late, a_send("s2"))
    cluster.expire("consents", 3)
    if disk == "lost":
        cluster.disks = {}
    with pytest.raises(LostRecordsError):
        await settle(await cluster.worker())
    await accept(cluster, "consents", 3)
    await settle(await cluster.worker())
    books = cluster.books()
    assert (books["consents"].accepted, books["consents"].absent) == (2, 2)
    assert books["sends"].judged == 2


async def test_a_table_can_be_built_anew_without_its_beginning() -> None:
    """Every consent was read, retention took the first, and the disk was lost: nothing is unread."""
    cluster = Cluster()
    cluster.produce(a_consent("c1"), a_consent("c2"), a_send())
    await settle(await cluster.worker())
    cluster.expire("consents", 1)
    cluster.disks = {}
    with pytest.raises(LostRecordsError):
        await settle(await cluster.worker())
    assert "no offset is unread" in await accept(cluster, "consents", 1)
    worker = await settle(await cluster.worker())
    assert worker.ready
    assert (cluster.books()["consents"].accepted, cluster.books()["consents"].absent) == (2, 0)


async def test_more_than_was_accepted_is_refused_again() -> None:
    """Retention went on: an acceptance is for those offsets, not for whatever comes."""
    cluster = await with_lost_sends()
    await accept(cluster, "sends", 2)
    with pytest.raises(LostRecordsError, match=r"\[2, 3\)"):
        await settle(await cluster.worker())


@pytest.mark.parametrize(("until", "why"), [(4, "are not gone"), (1, "accounted for"), (0, "accounted for")])
async def test_only_what_is_gone_and_missed_can_be_accepted(until: int, why: str) -> None:
    """Neither what can still be read nor what was judged; nothing is written then."""
    cluster = await with_lost_sends()
    before = cluster.writes
    with pytest.raises(CannotAcceptError, match=why):
        await accept(cluster, "sends", until)
    assert cluster.writes == before


async def test_a_gap_is_accepted_once() -> None:
    """The second time it is there already."""
    cluster = await with_lost_sends()
    await accept(cluster, "sends", 3)
    with pytest.raises(CannotAcceptError, match="already"):
        await accept(cluster, "sends", 3)


async def test_a_worker_that_starts_in_the_middle_is_noticed() -> None:
    """Its claim comes between ours and the acceptance, which is void then; whoever wanted it is told."""
    cluster = await with_lost_sends()
    outlet: Any = Outlet(cluster)
    append = outlet.append

    async def with_another(kind: str, number: int, key: bytes | None, value: bytes) -> int:
        if key is None:
            await append("ledger", 0, b"claim", ledger.encode(ledger.Claim(9, "another", NOW, PREPARED.version)))
        return int(await append(kind, number, key, value))

    outlet.append = with_another
    with pytest.raises(CannotAcceptError, match="meanwhile"):
        await accept(cluster, "sends", 3, outlet)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("sms.reports:0:5", "records are missed only of sms.sends"),
        ("sms.sends:0", "not of the form"),
        ("sms.sends:0:-1", "not of the form"),
        ("sms.sends:1:5", "has 1 partitions"),
    ],
)
def test_a_place_that_is_none_is_refused(told: str, why: str) -> None:
    """With a sentence that says what is wrong with it."""
    with pytest.raises(CannotAcceptError, match=why):
        place_of(SETTINGS, told)


@pytest.mark.parametrize("given", [["--accept-gap", "sms.sends:0:3"], ["--reason", "because"]])
def test_a_gap_is_accepted_with_a_reason_or_not_at_all(given: list[str]) -> None:
    """Who looks into the books later must find one."""
    answer = CliRunner().invoke(main, ["books", *given])
    assert answer.exit_code == 2
    assert "belong together" in answer.output


def test_topics_are_named_as_they_are_configured() -> None:
    """As the worker's own message names them."""
    settings = settings_of(topics__prefix="north.", topics__partitions="4")
    assert place_of(settings, "north.sms.consents:3:17") == ("consents", 3, 17)
