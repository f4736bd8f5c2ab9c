"""A flag that so many others came after that the desk no longer has it at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from desk_builders import TOKEN, a_desk, a_flag, asked, told

from engine_builders import NOW
from sendwatch.archive.store import Store
from sendwatch.archive.tables import flag_row

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.desk.server import Desk

OLD = a_flag(7, evidence={"minutes": 5, "by": "reply"})
PATH = f"/v1/flags/{OLD.flag_id}"


def a_full_desk(folder: Path) -> Desk:
    """It keeps as few flags as it may, and an older one has given way."""
    desk = a_desk(desk__flags_kept="100", archive__folder=str(folder))
    for each in (OLD, *(a_flag(8 + number) for number in range(100))):
        desk.at_hand.flags.take(each)
    return desk


def archive(folder: Path, *flags: Any) -> None:
    """Keep flags, as they were published one after another."""
    rows = [flag_row(0, offset, NOW, msgspec.json.encode(each)) for offset, each in enumerate(flags)]
    Store(folder).take(rows)


async def test_it_is_told_as_the_archive_has_it(tmp_path: Path) -> None:
    """Its last record, with evidence and words, and without the recipient; who looks is noted all the same."""
    archive(tmp_path, OLD, a_flag(3), msgspec.structs.replace(OLD, revision=2, status="cleared"))
    desk = a_full_desk(tmp_path)
    async with asked(desk) as client, client.get(PATH) as answer:
        flag = await told(answer)
    assert (answer.status, flag["archived"], flag["status"], flag["revision"]) == (200, True, "cleared", 2), flag
    assert (flag["evidence"], flag["reason"]["zh"], flag["recipient"]) == ({"minutes": 5, "by": "reply"}, "为何", None)
    assert (flag["source"], flag["send"]["at"], flag["version"]["rules"]) == ("sms.sends:0:7", NOW + 7, "r")
    assert [each.flag_id for each in desk.at_hand.looks] == [OLD.flag_id]
    assert TOKEN not in str(flag)


async def test_why_it_was_raised_can_still_be_asked(tmp_path: Path) -> None:
    """By where its send lies; here there is no Kafka to ask further."""
    archive(tmp_path, OLD)
    desk = a_full_desk(tmp_path)
    async with asked(desk) as client, client.get(f"/v1/explain?flag={OLD.flag_id}") as answer:
        assert (answer.status, "Kafka" in (await told(answer))["detail"]) == (503, True)
    assert [each.source for each in desk.at_hand.looks] == ["sms.sends:0:7"]


async def test_where_the_archive_has_it_not_it_is_said_how_far_back_is_known_and_what_finds_it(tmp_path: Path) -> None:
    """For a flag, for why, and for a decision about it; with an archive and without one."""
    decision = {"about": {"kind": "flag", "id": OLD.flag_id}, "action": "confirm", "why": "looked at it"}
    folder = tmp_path / "archive"
    for kept in ("there is none here", "the archive, 2026-06-10 to 2026-06-10"):
        async with asked(a_full_desk(folder)) as client:
            answers = [
                await client.get(PATH),
                await client.get(f"/v1/explain?flag={OLD.flag_id}"),
                await client.post("/v1/dispositions", json=decision),
            ]
            for answer in answers:
                detail = (await told(answer))["detail"]
                assert answer.status == 404
                assert "the latest 100 (the oldest was judged 2026-06-10" in detail, detail
                assert kept in detail, detail
                assert f"`sendwatch evidence {OLD.flag_id}`" in detail, detail
                assert "`sendwatch explain sms.sends:" in detail, detail
        archive(folder, a_flag(3))
