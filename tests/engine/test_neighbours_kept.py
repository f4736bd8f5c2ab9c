"""What is judged again is judged by all of its neighbours, though they be older than it by days."""

from __future__ import annotations

from engine_builders import DAY, HOUR, NOW, OTHER_TEXT, a_consent, a_send, judged
from histories import ASKING

WINDOW = 72 * HOUR
MORNING = NOW - 14 * HOUR + 9 * HOUR  # nine o'clock


def test_a_late_fact_does_not_make_the_first_of_two_questions_forgotten() -> None:
    """Asked again after 72 h, and a consent of that day comes two days later: asked again it was all the same."""
    asked, again = a_send("q1", at=NOW, text=ASKING), a_send("q2", at=NOW + WINDOW, text=ASKING)
    others = a_send("x", at=NOW + WINDOW + 30 * HOUR, text=OTHER_TEXT, port="10690002")
    late = a_consent("c2", at=NOW + WINDOW - HOUR, arrived=NOW + WINDOW + 48 * HOUR, owner="O2")
    before, after = (
        judged([a_consent(), asked], [again], [others]),
        judged([a_consent(), asked], [again], [others], [late]),
    )
    assert "C7" in before.rules["q2"]
    assert after.rules["q2"] == before.rules["q2"]


def test_a_late_fact_counts_all_sends_of_the_day() -> None:
    """Three sends from morning to evening; that only two a day were agreed to is known three days later."""
    consent = a_consent("c", at=NOW - 30 * DAY, arrived=MORNING + 12 * HOUR + WINDOW, max_per_day=2)
    day = [a_send(f"s{n}", at=MORNING + n * 6 * HOUR) for n in range(3)]
    others = a_send("x", at=MORNING + 12 * HOUR + WINDOW + 13 * HOUR, text=OTHER_TEXT, port="10690002")
    assert "C4" in judged(day, [consent], [others]).rules["s2"]
    assert "C4" in judged(day, [others], [consent]).rules["s2"]
