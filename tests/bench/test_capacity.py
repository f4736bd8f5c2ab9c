"""The arithmetic of capacity planning, the percentiles of latency, and the table of results, with made-up numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from bench.capacity import Place, as_lines, needs, partitions_for
from bench.gateway import Play
from bench.latency import percentile, step_of, steps_of
from bench.pinned import Course
from bench.pressure import Look, Outcome, outcome_of, unmet
from bench.results import append, keep_constants, kept_constants
from bench.scale_out import Constants

ROOT = Path(__file__).parents[2]

KNOWN = Constants(
    sends=1000, recipients=1000, workers=2, send_cpu_us=10.0, yardstick_ratio=0.5, scale_cost=1.2, fact_cpu_us=6.0,
    facts_per_recipient=2.0, recipient_disk_bytes=100.0, send_disk_bytes=50.0, peak_mb=300.0, send_bytes=100.0,
    ledger_bytes=40.0, flag_bytes=10.0, broker_cpu_us=4.0,
)  # fmt: skip


def test_workers_follow_from_the_cost_of_a_send_at_half_of_a_core() -> None:
    """12 µs a send with several workers: 50,000 a second are 0.6 of a core, and twice that with headroom."""
    found = needs(KNOWN, Place("here", 50_000, 1e6))
    assert found.cores == 2
    assert found.partitions == 12
    assert found.sends_per_worker == 25_000
    assert needs(KNOWN, Place("here", 500_000, 1e6)).cores == 12


def test_traffic_counts_what_is_written_and_who_reads_it() -> None:
    """Sends, ledger and flags come in; sends and ledger are read once, flags twice; copies go between brokers."""
    found = needs(KNOWN, Place("here", 100_000, 1e6))
    assert found.in_mb == pytest.approx(15.0)
    assert found.out_mb == pytest.approx(16.0)
    assert found.between_mb == pytest.approx(30.0)


def test_stores_hold_recipients_for_ever_and_sends_for_four_days() -> None:
    """1 M recipients of 100 bytes, and four days of sends of 50 bytes at the day's mean."""
    found = needs(KNOWN, Place("here", 1000, 1e6, mean=0.5))
    assert found.store_gb == pytest.approx(0.1 + 500 * 86_400 * 4 * 50 / 1e9)
    assert found.rebuild_all_minutes == pytest.approx(1e6 * 2 * 6e-6 / found.cores / 60)


def test_partitions_come_in_dozens_four_for_each_worker() -> None:
    """Never fewer than four for each."""
    assert [partitions_for(cores) for cores in (1, 3, 4, 100)] == [12, 12, 24, 408]


def test_a_percentile_is_the_least_that_so_many_do_not_exceed() -> None:
    """Of 1 to 100, half do not exceed 50."""
    numbers = list(range(1, 101))
    assert (percentile(numbers, 0.5), percentile(numbers, 0.99), percentile(numbers, 1.0)) == (50, 99, 100)
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) == 0.0


def test_latency_counts_from_when_a_send_was_due_and_not_from_when_it_came() -> None:
    """The tenth of 100 sends in 10 s is due after 0.95 s; those of the first second do not count."""
    play = Play(began_at=1000.0, seconds=10.0, slices={0: (500, 100)}, ended_at=1010.0)
    assert play.due_at(0, 509) == pytest.approx(1000.95)
    assert play.due_at(0, 600) is None
    assert play.due_at(1, 509) is None
    course = Course(990.0, looks=[(990.0, 0.0, 0.0), (1020.0, 15.0, 18.0)])
    flags = [(0, 505, 1_002_000), (0, 549, 1_004_957), (0, 599, 1_010_000), (0, 700, 1_010_001)]
    step = step_of("50%", 10.0, play, flags, course)
    assert (step.flags, step.p50, step.most) == (2, 7.0, 50.0)
    assert (step.core, step.others) == (0.5, 0.1)


def test_steps_share_the_sends_and_stay_below_the_best_rate() -> None:
    """Where 2,000 a second is more than three quarters of the best, it is left out."""
    steps = steps_of(10_000.0, 170_000)
    assert [rate for _, rate, _ in steps] == [2000.0, 2500.0, 5000.0, 7500.0]
    assert {seconds for _, _, seconds in steps} == {5.0}
    assert [load for load, _, _ in steps_of(2000.0, 1000)] == ["25%", "50%", "75%"]


def test_lag_is_what_was_due_less_what_is_accounted_for() -> None:
    """1,000 before, 200 a second for 10 s, then 45 a second; 100 a second are done."""
    pressure = Play(100.0, 10.0, {0: (0, 2000)}, 110.0)
    calm = Play(110.0, 25.0, {0: (2000, 1125)}, 135.0)
    looks = [Look(100.0 + at, 1000 + 100 * at, 200.0, True, 90.0 * at) for at in range(36)]
    found = outcome_of(100.0, 1000, pressure, calm, looks, 190.0)
    assert (found.offered_times, found.lag_most, found.ready_looks) == (2.0, 1000, 1.0)
    assert found.drained_times == pytest.approx(2.22)
    assert found.drained_after == 18.0
    assert unmet(found) == []


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("offered_times", 1.5), ("resident_most_mb", 400), ("lag_told_most", 10), ("ready_looks", 0.5),
        ("drained_times", 1.9),
    ],
)  # fmt: skip
def test_each_thing_that_must_hold_under_pressure_is_told_where_it_does_not(what: str, value: float) -> None:
    """One sentence for each."""
    good = Outcome(100, 2.0, 10, 1000, 900, 200, 210, 1.0, 0.0, 45, 2.2, 18)
    assert unmet(good) == []
    assert len(unmet(structs.replace(good, **{what: value}))) == 1


def test_a_row_is_added_to_its_own_table(tmp_path: Path) -> None:
    """The first row brings the head; later ones must have the same columns; other sections stay as they are."""
    path = tmp_path / "results.md"
    path.write_text("# R\n\n## One\n\nWords.\n\n## Two\n", encoding="utf-8")
    append("One", {"a": 1, "b": "x|y"}, path)
    append("One", {"a": 2, "b": "z"}, path)
    assert path.read_text(encoding="utf-8") == (
        "# R\n\n## One\n\nWords.\n\n| a | b |\n|---|---|\n| 1 | x/y |\n| 2 | z |\n\n## Two\n"
    )
    with pytest.raises(ValueError, match="other columns"):
        append("One", {"a": 3, "c": 0}, path)


def test_the_model_computes_with_what_was_kept(tmp_path: Path) -> None:
    """What is kept comes back, with where it is from; the table has a column for each place."""
    path = tmp_path / "constants.json"
    keep_constants(KNOWN, "a machine, 2 cores", path)
    words, known = kept_constants(path)
    assert known == KNOWN
    assert "a machine, 2 cores" in words
    assert as_lines(known)[0] == "| | province | nation |"


def test_the_runbook_has_the_table_of_the_constants_kept() -> None:
    """Whoever measures anew, puts the new table there, too."""
    _, known = kept_constants()
    runbook = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    assert "\n".join(as_lines(known)) in runbook
