"""A planned campaign: how its table is read, and what people are told."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from sendwatch.cli import main
from sendwatch.report.readiness import BadPlanError, as_json, as_lines, plans_in
from sendwatch.windows.readiness import Concern, Plan, Readiness

HEADING = "signature,port,sp,type,sends,at,carrier"
NOON = 1_781_755_200_000  # 2026-06-18 12:00 in UTC+8


def test_a_plan_is_read_from_a_table_with_columns_in_any_order() -> None:
    """Empty cells are not known; times are in UTC+8 unless they say otherwise."""
    lines = [
        "sends,signature,port,sp,type,at,carrier,province",
        "2000000, 云岭商贸 ,10690001,sp1,marketing.retail,2026-06-18T12:00,,53",
    ]
    assert plans_in(lines) == [Plan("云岭商贸", "10690001", "sp1", "marketing.retail", 2_000_000, NOON, None, "53")]
    assert plans_in([HEADING, f"云岭商贸,1069,sp1,otp,5,{NOON},cm"]) == [
        Plan("云岭商贸", "1069", "sp1", "otp", 5, NOON, "cm")
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["signature,sendz", "a,1"], "line 1: no columns sendz"),
        ([HEADING, f"a,1069,sp1,otp,many,{NOON},"], "line 2: Expected `int`"),
        ([HEADING, f"a,1069,sp1,otp,0,{NOON},"], "line 2: 0 sends"),
        ([HEADING, f"a,1069,sp1,otp,5,{NOON},", "a,1069,sp1,otp,5,soon,"], "line 3: Invalid isoformat"),
        ([HEADING, f"a,,sp1,otp,5,{NOON},"], "line 2: Object missing required field `port`"),
    ],
)
def test_a_line_that_says_too_little_is_named(lines: list[str], said: str) -> None:
    """By its number."""
    with pytest.raises(BadPlanError, match=said):
        plans_in(lines)


def test_people_are_told_what_will_and_what_may_break_and_how_much_room_there_is() -> None:
    """In both languages."""
    plan = Plan("云岭商贸", "10690001", "sp1", "marketing.retail", 2_000_000, NOON)
    concerns = [
        Concern("G3_SIGNATURE_LAPSED", sure=True, evidence={"signature": "云岭商贸", "ended": NOON}),
        Concern("B3_COMPLAINT_RATE", sure=False, evidence={"owner": None, "room": 1}),
    ]
    told = list(as_lines([Readiness(plan, "O1", 6.5, 1, concerns), Readiness(plan, None, 0.0, 4)]))
    lapsed = "G3_SIGNATURE_LAPSED  Signature filing lapsed 签名报备已失效"
    assert told == [
        "【云岭商贸】 / 10690001 / sp1: 2,000,000 marketing.retail at 2026-06-18 12:00",
        f"    will break 将违反  {lapsed}  signature 云岭商贸, ended 2026-06-18 12:00",
        "    may break 可能违反  B3_COMPLAINT_RATE  Too many complaints 投诉率过高  owner –, room 1",
        "    owner O1: 6.5 complaints expected, room for 1 until B3 opens 预计投诉 6.5 次，距 B3 超限还可承受 1 次",
        "【云岭商贸】 / 10690001 / sp1: 2,000,000 marketing.retail at 2026-06-18 12:00",
        "    nothing stands against it 未发现问题",
        "    owner –: 0 complaints expected, room for 4 until B3 opens 预计投诉 0 次，距 B3 超限还可承受 4 次",
    ]
    assert as_json([Readiness(plan, "O1", 6.5, 1, concerns)])[0]["concerns"][1] == {
        "rule": "B3_COMPLAINT_RATE", "sure": False, "evidence": {"owner": None, "room": 1},
    }  # fmt: skip


def test_a_bad_plan_ends_before_anything_is_asked_of_kafka() -> None:
    """With the usage status, and the line."""
    environment = {"SENDWATCH_KAFKA__BOOTSTRAP": "127.0.0.1:1", "SENDWATCH_RECIPIENTS__FORM": "token"}
    answer = CliRunner(env=environment).invoke(main, ["readiness", "-"], input=f"{HEADING}\na,1069,sp1,otp,x,{NOON},\n")
    assert answer.exit_code == 2
    assert "line 2" in answer.output
