"""G1: texts without a signature."""

from __future__ import annotations

from typing import Any

import pytest

from build import CODE, PART, UNSIGNED, a_filing, a_send, about, evidence, flagged, outcome


def test_a_text_without_brackets_is_flagged() -> None:
    """The evidence names the port it came from."""
    assert evidence("G1", about(a_send(text=UNSIGNED))) == {"port": "10690001"}


@pytest.mark.parametrize(
    "text",
    [
        f"【云岭商贸】{UNSIGNED}",
        f"{UNSIGNED}【云岭商贸】",
        f"[云岭商贸]{UNSIGNED}",
        f"  【云岭商贸】{UNSIGNED}",
        f"【账单提醒】{UNSIGNED}【云岭商贸】",
    ],
)
def test_a_bracketed_name_at_head_or_tail_makes_it_clean(text: str) -> None:
    """Full width or half width, either end, both ends."""
    assert outcome("G1", about(a_send(text=text))) == "clean"


@pytest.mark.parametrize("text", ["", "   ", f"会员日【云岭商贸】{UNSIGNED}", f"【】{UNSIGNED}"])
def test_brackets_in_the_middle_or_around_nothing_are_no_signature(text: str) -> None:
    """Nor has an empty text one."""
    assert outcome("G1", about(a_send(text=text))) == "flagged"


def test_it_holds_for_codes_and_for_whatever_is_not_known() -> None:
    """Every port message must be signed."""
    unsigned_code = CODE.removeprefix("【云岭商贸】")
    assert outcome("G1", about(a_send(text=unsigned_code, category="otp"))) == "flagged"
    assert outcome("G1", about(a_send(text="您好。", category=None), without=type(a_filing()))) == "flagged"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided(fields: dict[str, Any]) -> None:
    """The signature may stand in what is not there."""
    assert outcome("G1", about(a_send(**fields))) == "undecided: text_unknown"


def test_it_excludes_g2_to_g4() -> None:
    """A signature that is missing is neither unfiled, lapsed nor out of scope."""
    narrow = a_filing(uses=("otp",), valid_until=1)
    assert flagged(about(a_send(text=UNSIGNED), narrow)) & {"G1", "G2", "G3", "G4"} == {"G1"}
