"""Published records as people read them, which of them are wanted, and which hold."""

from __future__ import annotations

from typing import Any

import pytest

from sendwatch.follow import since
from sendwatch.report.records import KINDS, Repeats, Standing, Wanted, line

AT = 1_794_182_404_000


def a_flag(**fields: Any) -> dict[str, Any]:
    """A flag as it stands on the topic, with a field that no reader knows."""
    usual: dict[str, Any] = {
        "flag_id": "5c5a", "revision": 1, "epoch": 1, "status": "raised", "shadow": False,
        "rule": "C5_AFTER_OPT_OUT", "severity": "high",
        "send": {"id": "s1", "recipient": "3615", "sp": "SP1", "port": "106901", "signature": "云岭商贸", "owner": "O1",
                 "at": AT},
        "reason": {"en": "O1 sent marketing after the recipient refused.", "zh": "接收方拒绝后，O1 仍发送营销短信。"},
        "source": {"topic": "sms.sends", "partition": 1, "offset": 13}, "of_tomorrow": 1,
    }  # fmt: skip
    return usual | fields


def a_breach(**fields: Any) -> dict[str, Any]:
    """A breach as it stands on the topic."""
    usual = {
        "breach_id": "b1", "status": "open", "rule": "B3_COMPLAINT_RATE", "subject": {"owner": "O1", "port": "106901"},
        "measures": {"complaints": 7}, "limit": {"per_million": 0.25}, "opened_at": AT, "closed_at": None,
    }  # fmt: skip
    return usual | fields


OPTOUT = {"reply": "r1", "recipient": "3615", "owners": ["O1", "O2"], "received_at": AT, "answered_send": "s1"}
REFUSED = {
    "source": {"topic": "sms.sends", "partition": 1, "offset": 13},
    "reason": "not_json", "detail": "40 bytes", "sha256": "00", "size": 40,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "english", "chinese"),
    [
        (
            "flags",
            a_flag(),
            (
                "11-09 08:00:04  high      raised    C5_AFTER_OPT_OUT          SP SP1  106901  【云岭商贸】  "
                "O1 sent marketing after the recipient refused.  5c5a"
            ),
            (
                "11-09 08:00:04  高        违规      C5_AFTER_OPT_OUT          SP SP1  106901  【云岭商贸】  "
                "接收方拒绝后，O1 仍发送营销短信。  5c5a"
            ),
        ),
        (
            "optouts",
            OPTOUT,
            "11-09 08:00:04  3615  refuses  O1, O2  in answer to s1",
            "11-09 08:00:04  3615  拒收  O1, O2  答复 s1",
        ),
        (
            "quarantine",
            REFUSED,
            "sms.sends:1:13  not_json          40 bytes  40 bytes",
            "sms.sends:1:13  not_json          40 bytes  40 bytes",
        ),
        (
            "breaches",
            a_breach(),
            (
                "11-09 08:00:04  open      B3_COMPLAINT_RATE         owner=O1 port=106901  complaints=7  "
                "limit per_million=0.25  b1"
            ),
            (
                "11-09 08:00:04  越限      B3_COMPLAINT_RATE         owner=O1 port=106901  complaints=7  "
                "限值 per_million=0.25  b1"
            ),
        ),
    ],
)
def test_a_record_is_one_line(kind: str, value: dict[str, Any], english: str, chinese: str) -> None:
    """In either language; what lacks is left out, what is not known is not shown."""
    assert line(kind, value, "en") == english
    assert line(kind, value, "zh") == chinese


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_of_another_version_is_still_a_line(kind: str) -> None:
    """A field that is gone must not end a reader."""
    assert "\n" not in line(kind, {}, "zh")


def test_shadow_and_cleared_flags_say_so() -> None:
    """Nobody should act on them as on others."""
    assert "raised (shadow)" in line("flags", a_flag(shadow=True), "en")
    assert "已撤销" in line("flags", a_flag(status="cleared"), "zh")


@pytest.mark.parametrize(
    ("kind", "value", "filters", "taken"),
    [
        ("flags", a_flag(), {"rule": ("C5",)}, True),
        ("flags", a_flag(), {"rule": ("C5_AFTER_OPT_OUT", "B1")}, True),
        ("flags", a_flag(), {"rule": ("C",)}, False),
        ("flags", a_flag(), {"severity": ("high",), "sp": ("SP1",), "owner": ("O1",)}, True),
        ("flags", a_flag(), {"severity": ("high",), "sp": ("SP2",)}, False),
        ("flags", a_flag(), {"port": ("1069",)}, True),
        ("flags", a_flag(), {"port": ("0690",)}, False),
        ("flags", a_flag(send={}), {"owner": ("O1",)}, False),
        ("optouts", OPTOUT, {"owner": ("O2",)}, True),
        ("optouts", OPTOUT, {"owner": ("O3",)}, False),
        ("breaches", a_breach(), {"port": ("1069",), "rule": ("B3",)}, True),
        ("quarantine", REFUSED, {"rule": ()}, True),
    ],
)
def test_only_what_is_wanted_is_taken(kind: str, value: Any, filters: Any, taken: bool) -> None:
    """Every filter must fit, any of its values will do."""
    assert Wanted(kind, filters).takes(value) is taken


def test_a_filter_that_nothing_could_pass_is_known_beforehand() -> None:
    """Or one would wait for ever."""
    assert Wanted("quarantine", {"rule": ("C5",), "sp": (), "owner": ("O1",)}).unknown() == ["owner", "rule"]
    assert not Wanted("flags", {"rule": ("C5",)}).unknown()


def test_the_last_record_of_a_key_holds() -> None:
    """A cleared flag and a closed breach do not."""
    standing = Standing()
    standing.take(b"a", a_flag())
    standing.take(b"b", a_flag(flag_id="b"))
    standing.take(b"a", a_flag(status="cleared", revision=2))
    standing.take(b"c", a_breach(status="closed"))
    standing.take(b"d", OPTOUT)
    standing.take(b"e", REFUSED)
    standing.take(b"e", None)
    assert standing.holding() == [a_flag(flag_id="b"), OPTOUT]


def test_what_is_published_again_is_told_once() -> None:
    """The same revision by another owner of the partition says nothing new; the next revision does."""
    repeats = Repeats(most=2)
    assert repeats.is_new(b"a", a_flag())
    assert not repeats.is_new(b"a", a_flag(epoch=2, judged_at=AT + 1))
    assert repeats.is_new(b"a", a_flag(status="cleared", revision=2))
    assert repeats.is_new(b"b", a_flag())
    assert repeats.is_new(b"c", a_flag())
    assert repeats.is_new(b"a", a_flag(status="cleared", revision=2)), "it was to be forgotten"


def test_times_to_begin_at_are_understood() -> None:
    """So long ago, or an ISO date in Beijing's time."""
    assert since("15m", now=1000.0) == 100_000
    assert since("2d", now=172_801.0) == 1000
    assert since("beginning") == 0
    assert since("2026-11-11") == 1_794_326_400_000
    with pytest.raises(ValueError, match="yesterday"):
        since("yesterday")
