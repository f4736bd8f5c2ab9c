"""Tokens: whom they stand for, for how long; how often one may ask."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sendwatch.desk.access import NOBODY, BadTokensError, Tokens, Who, new_token, read_tokens
from sendwatch.desk.pace import Pace

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 10, tzinfo=UTC)


def ms(at: datetime) -> int:
    """A time as the program has it."""
    return int(at.timestamp() * 1000)


def test_a_token_stands_for_its_holder_until_it_expires(tmp_path: Path) -> None:
    """Only its hash is in the file: what is in there does not let anybody in."""
    token, line = new_token("analyst", 30, "Li Si 李四", NOW)
    path = tmp_path / "tokens"
    path.write_text(f"# people\n\n{line}\n", encoding="utf-8")
    tokens = Tokens(path)
    who = tokens.who(token, ms(NOW))
    assert (who.name, who.role, who.open, who.expires_at) == (
        "Li Si 李四",
        "analyst",
        False,
        ms(NOW + timedelta(days=30)),
    )
    assert tokens.who(token, ms(NOW + timedelta(days=30))) is NOBODY
    assert token not in line
    for wrong in (None, "", line.split()[0], token[:-1], "sw_else"):
        assert tokens.who(wrong, ms(NOW)) is NOBODY


def test_a_token_is_taken_back_by_deleting_its_line(tmp_path: Path) -> None:
    """The file is read again when it changes, and not otherwise."""
    token, line = new_token("viewer", 1, "a", NOW)
    path = tmp_path / "tokens"
    path.write_text(line + "\n", encoding="utf-8")
    tokens = Tokens(path)
    path.write_text("", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert tokens.who(token, ms(NOW)).role == "viewer"
    tokens.look()
    assert tokens.who(token, ms(NOW)).role is None


def test_a_file_that_is_spoiled_while_it_is_used_takes_nobody_s_token(tmp_path: Path) -> None:
    """The desk goes on, with the lines as they were: what it catches is a ValueError."""
    token, line = new_token("viewer", 30, "Li Si", NOW)
    path = tmp_path / "tokens"
    path.write_text(line + "\n", encoding="utf-8")
    tokens = Tokens(path)
    path.write_text(line + "\nhalf a li", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        tokens.look()
    assert tokens.who(token, ms(NOW)).role == "viewer"


@pytest.mark.parametrize(
    "line", ["abc viewer 2026-01-01T00:00:00Z a", f"{'0' * 64} king 2026-01-01T00:00:00Z a", f"{'0' * 64} viewer x a"]
)
def test_a_line_that_is_none_is_told_by_its_number_alone(line: str) -> None:
    """It may hold a token by mistake."""
    with pytest.raises(BadTokensError, match=r"^line 2: expected") as error:
        read_tokens(f"#\n{line}")
    assert line.split(maxsplit=1)[0] not in str(error.value)


def test_each_role_may_what_the_lesser_ones_may() -> None:
    """And nobody without one may anything."""
    least = ("viewer", "analyst", "admin")
    assert [[Who("a", role).may(each) for each in least] for role in least] == [  # type: ignore[arg-type]
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert not NOBODY.may("viewer")


def test_without_a_tokens_file_this_machine_is_trusted_with_less_than_everything() -> None:
    """It may decide, and may not see who looked."""
    who = Tokens(None).who(None, 0)
    assert (who.role, who.open) == ("analyst", True)


def test_who_asks_too_often_waits_and_others_do_not() -> None:
    """Three seconds' worth at once, then so many a second."""
    pace = Pace(10)
    assert [pace.wait("a", 0.0) for _ in range(30)] == [0.0] * 30
    assert pace.wait("a", 0.0) == pytest.approx(0.1)
    assert pace.wait("b", 0.0) == 0
    assert pace.wait("a", 0.1) == 0
    assert pace.wait("a", 0.1) > 0


def test_a_question_that_costs_more_than_the_bucket_holds_can_be_asked_once_it_is_full() -> None:
    """Or it could never be."""
    pace = Pace(1)
    assert pace.wait("a", 0.0, 1000) == 0
    assert pace.wait("a", 1.0, 1000) == pytest.approx(2.0)
    assert pace.wait("a", 3.0, 1000) == 0
