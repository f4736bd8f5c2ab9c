"""What many sends amount to, as Prometheus is told: bounded, and without a name."""

from __future__ import annotations

import re

import pytest

from sendwatch.aggregator.window_gauges import read, tell
from sendwatch.correlation import id_of
from sendwatch.metric_table import MOST_TOP
from sendwatch.metrics import Metrics
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits
from windows_builders import DAY, NOW, a_record, a_tally, blocked, complained

KEY = b"0123456789abcdef"
FLAGS = {"C5_AFTER_OPT_OUT": 3, "C9_OPT_OUT_IGNORED": 1}


def told(*records: object, key: bytes = KEY) -> Metrics:
    """What is told of a board that has folded these."""
    board, metrics = Board(Limits()), Metrics({}, {})
    for record in records:
        board.fold(record)  # type: ignore[arg-type]
        board.settle()
    tell(read(board, key), metrics)
    return metrics


def series(of: Metrics, name: str) -> dict[str, float]:
    """The values of a metric by what stands in its braces."""
    found = re.findall(rf"^sendwatch_{name}{{(.*)}} (.*)$", of.page().decode(), re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_sends_complaints_coverage_and_refusals_are_told_by_window() -> None:
    """What lies further back than a window is not in it."""
    old = a_record(NOW - 3 * DAY, [a_tally(NOW - 3 * DAY, 60, undecided=30)], complained=[complained(NOW - 3 * DAY, 4)])
    new = a_record(
        NOW, [a_tally(NOW, 20, undecided=1, flags=FLAGS)], complained=[complained(NOW, 2)],
        refused=[(NOW // 3_600_000, "O1", 7)],
    )  # fmt: skip
    seen = told(old, new)
    assert series(seen, "windows_sends") == {'window="1h"': 20, 'window="1d"': 20, 'window="30d"': 80}
    assert series(seen, "windows_complaints") == {'window="1d"': 2, 'window="30d"': 6}
    covered = series(seen, "windows_coverage_ratio")
    assert (covered['window="1d"'], covered['window="30d"']) == (1 - 1 / 20, 1 - 31 / 80)
    assert series(seen, "windows_opt_outs") == {'what="refusals"': 7, 'what="sent_after"': 3, 'what="ignored"': 1}


def test_an_open_breach_is_told_by_its_key_and_by_ids_only_the_key_of_which_tells_names() -> None:
    """Owner and port are not in the page; whoever has the key finds them."""
    seen = told(a_record(NOW, [a_tally(NOW, 100)], complained=[complained(NOW, 5)], blocked=[blocked(2)]))
    page, (first, second) = (
        seen.page().decode(),
        sorted(series(seen, "signature_breach"), key=lambda each: "B6" in each),
    )
    assert re.search(
        rf'port_id="{id_of(KEY, "10690001")}",rule="B3_COMPLAINT_RATE",signature_id="{id_of(KEY, "O1")}"', first
    )
    assert re.search(rf'port_id="",rule="B6_RETALIATION",signature_id="{id_of(KEY, "O1")}"', second)
    assert "O1" not in page
    assert "10690001" not in page
    assert "anne" not in page


def test_ids_are_others_under_another_key() -> None:
    """So that nobody finds them by trying names."""
    record = a_record(NOW, [a_tally(NOW, 100, flags=FLAGS)])
    one, other = (series(told(record, key=key), "top_signature_flag_rate") for key in (KEY, KEY[::-1]))
    assert len(one) == len(other) == 1
    assert one.keys() != other.keys()


def test_the_top_list_is_bounded_and_has_those_with_most() -> None:
    """In flags per second over a day."""
    tallies = [a_tally(NOW, 10, signature=f"某{n}", flags={"G2_SIGNATURE_UNFILED": 1 + n}) for n in range(2 * MOST_TOP)]
    rates = series(told(a_record(NOW, tallies)), "top_signature_flag_rate")
    assert len(rates) == MOST_TOP
    top = id_of(KEY, f"某{2 * MOST_TOP - 1}")
    assert next(rate for labels, rate in rates.items() if top in labels) == pytest.approx(2 * MOST_TOP / 86_400)


def test_an_id_is_16_hex_digits_or_nothing() -> None:
    """A send without a signature has none."""
    assert re.fullmatch(r"[0-9a-f]{16}", id_of(KEY, "云岭商贸"))
    assert id_of(KEY, None) == ""
