"""What came back about sends goes into the ledger with them, and adds up to breaches: from records to the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from engine_builders import (
    ANNE,
    BODO,
    CODE,
    DAY,
    HOUR,
    JUDGING,
    NOW,
    REGISTRIES,
    TEXT,
    Desk,
    a_complaint,
    a_consent,
    a_filing,
    a_judging,
    a_reply,
    a_report,
    a_send,
    an_event,
    judged,
)
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits

if TYPE_CHECKING:
    from sendwatch.engine.judging import Judging

HONEYPOT = "19900000001"
LIMITS = Limits(honeypots=frozenset({HONEYPOT}))


def watching(*rows: Any) -> Judging:
    """What is judged with, honeypots set out, and these rows in the registries."""
    return msgspec.structs.replace(a_judging([*REGISTRIES, *rows]), limits=LIMITS)


def open_after(desk: Desk) -> dict[str, tuple[str | None, ...]]:
    """The open breaches by rule, with their subjects, when all ledger records have been added up."""
    board = Board(LIMITS)
    for record in desk.ledger:
        board.fold(record)
        board.settle()
    return {breach.rule[:2]: tuple(breach.subject.values()) for breach in board.outbreaks.open.values()}


def a_stat(send_id: str, stat: str, at: int, recipient: str = ANNE) -> Any:
    """A status report."""
    return an_event("reports", at, None, {"send_id": send_id, "recipient": recipient, "stat": stat, "done_at": at})


def test_five_complaints_about_five_sends_open_b3() -> None:
    """Each about a message of its own; a sixth about the fifth's counts for nothing."""
    people = [f"1391234000{each}" for each in range(5)]
    sends = [a_send(f"s{each}", NOW - HOUR, recipient=one) for each, one in enumerate(people)]
    told = [
        an_event("complaints", NOW, None, {
            "id": f"x{each}", "recipient": one, "channel": "12321", "port": "10690001", "received_at": NOW,
        })
        for each, one in enumerate(people)
    ]  # fmt: skip
    then = [a_send("then", NOW, recipient="13500000000", text=CODE)]
    assert "B3" not in open_after(judged(sends, told[:4], told[:4], then))
    assert open_after(judged(sends, told, then))["B3"] == ("O1", "10690001")
    assert open_after(judged(told, sends, then))["B3"] == ("O1", "10690001")


def test_a_complaint_and_its_send_in_one_batch_find_each_other() -> None:
    """Facts are folded before sends, and joined after them."""
    then = a_send("then", NOW, recipient=BODO, text=CODE)
    (record,) = judged([a_complaint(), a_send(at=NOW - HOUR), then]).ledger
    ((complained, count),) = record.sums.complained
    assert (complained.owner, complained.type, complained.carrier, count) == ("O1", "marketing.retail", "cm", 1)


def test_a_send_to_a_honeypot_opens_b4() -> None:
    """Whatever it says."""
    desk = judged([a_send(recipient=HONEYPOT, text=CODE)], judging=watching())
    assert open_after(desk) == {"B4": ("sp1", "10690001")}


def test_reports_that_say_not_delivered_open_b4() -> None:
    """Twenty of them in an hour, also those that are read before their sends."""
    people = [f"138123400{each:02}" for each in range(20)]
    sends = [a_send(f"s{each}", recipient=one) for each, one in enumerate(people)]
    reports = [a_stat(f"s{each}", "UNDELIV", NOW + 5, one) for each, one in enumerate(people)]
    assert open_after(judged(sends, reports))["B4"] == ("sp1", "10690001")
    assert open_after(judged(reports, sends))["B4"] == ("sp1", "10690001")
    assert "B4" not in open_after(judged(sends, reports[:19]))


def test_one_text_under_five_signatures_opens_b5() -> None:
    """Digits and links apart."""
    body = "会员日全场女装八折，满300减50，详情 a.cn/x1 拒收请回复R"
    names = ["云岭商贸", "湖畔书屋", "三家", "四家", "五家"]
    sends = [a_send(f"s{n}", text=f"【{name}】{body.replace('300', str(n))}") for n, name in enumerate(names)]
    rows = [a_filing(f"g{n}", signature=name, owner="O1") for n, name in enumerate(names)]
    assert "B5" in open_after(judged(sends, judging=watching(*rows)))
    assert "B5" not in open_after(judged(sends[:4], judging=watching(*rows)))


def test_codes_that_are_blocked_after_a_complaint_open_b6() -> None:
    """Also when another worker takes the partition over from the ledger alone, in the middle of it."""
    desk = judged([a_send(at=NOW - HOUR), a_complaint()], [a_send("c1", NOW + HOUR, text=CODE, category="otp")])
    desk.write(a_stat("c1", "MBBLACK", NOW + HOUR)).work()
    other = Desk()
    other.topics, other.ledger = desk.topics, list(desk.ledger)
    for record in desk.ledger:
        other.partition.replay(record.rows, record.longs, record.cases)
    other._read = {kind: len(records) for kind, records in desk.topics.items()}
    for each in (desk.fork(), other):
        each.write(
            a_send("c2", NOW + 2 * HOUR, text=CODE, category="otp"), a_stat("c2", "BLACK", NOW + 2 * HOUR)
        ).work()
        token = JUDGING.pseudonyms.token(ANNE)
        assert open_after(each)["B6"] == (token, "O1")


def test_a_code_that_was_delivered_between_is_no_retaliation() -> None:
    """Nor is it when nobody complained."""
    codes = [a_send(f"c{each}", NOW + each * HOUR, text=CODE, category="otp") for each in (1, 2, 3)]
    stats = [a_stat(f"c{n}", stat, NOW + n * HOUR) for n, stat in ((1, "BLACK"), (2, "DELIVRD"), (3, "BLACK"))]
    assert "B6" not in open_after(judged([a_send(), a_complaint()], [*codes, *stats]))
    assert "B6" not in open_after(judged([a_send()], codes, [a_stat(f"c{n}", "BLACK", NOW + DAY) for n in (1, 2, 3)]))


def test_refusals_are_counted_when_they_are_resolved() -> None:
    """Toward whom, and when; once."""
    desk = judged([a_consent(), a_send(at=NOW - HOUR)], [a_reply(at=NOW)], [a_send("s2", NOW + HOUR)])
    assert [each for record in desk.ledger for each in record.sums.refused] == [(NOW // HOUR, "O1", 1)]


@pytest.mark.parametrize("recipient", [ANNE, BODO])
def test_what_goes_into_the_ledger_names_nobody(recipient: str) -> None:
    """Pseudonyms and tokens only."""
    desk = judged([a_send(recipient=recipient), a_complaint()], [a_report()])
    for record in desk.ledger:
        written = msgspec.json.encode(record.sums).decode()
        assert recipient not in written
        assert TEXT not in written
