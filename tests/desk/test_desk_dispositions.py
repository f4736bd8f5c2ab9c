"""What people decide: which holds, how precise a rule is by it, whom it excepts."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from desk_builders import a_disposition

from sendwatch import rules
from sendwatch.desk import dispositions
from sendwatch.desk.dispositions import Dispositions, as_toml, wilson
from sendwatch.desk.say import Disposition, Precision, Subject
from sendwatch.settings import Settings
from sendwatch.typed import Source, Typist
from sendwatch.verdict import Words

TITLES = {"C5_AFTER_OPT_OUT": Words("a", "b"), "C1_CONSENT_MISSING": Words("c", "d")}
TODAY = date(2026, 6, 10)


def made(*some: Disposition) -> Dispositions:
    """Decisions, in their order."""
    found = Dispositions()
    for each in some:
        found.take(each)
    return found


def precision_of(found: Dispositions) -> Precision:
    """That of C5."""
    return found.precision(TITLES)[0]


def test_the_last_decision_about_a_flag_holds() -> None:
    """All of them stay in its history."""
    found = made(a_disposition(0, about="f"), a_disposition(1, about="f", action="appeal"))
    assert found.action_of("f") == "appeal"
    assert [each.action for each in found.history("f")] == ["confirm", "appeal"]
    assert found.by_action() == {"confirm": 0, "dismiss": 0, "except": 0, "suspend": 0, "appeal": 1}
    assert found.action_of("other") is None


def test_a_decision_that_is_read_back_counts_once() -> None:
    """It is taken in when Kafka acknowledges it, and comes again from the topic."""
    found = made(a_disposition())
    assert not found.take(dispositions.read(dispositions.encode(a_disposition())))
    assert len(found.history(a_disposition().about.id)) == 1


def test_precision_is_the_share_of_judged_flags_that_was_confirmed() -> None:
    """Of a flag that was judged twice the last counts; of a rule that nobody judged nothing is known."""
    found = made(
        *(a_disposition(number) for number in range(8)),
        *(a_disposition(number, action="dismiss") for number in (8, 9)),
        a_disposition(10, about=f"{0:032x}"),
    )
    told, unknown = found.precision(TITLES)
    assert (told.confirmed, told.dismissed, told.precision) == (8, 2, 0.8)
    assert (told.low, told.high) == (0.4902, 0.9433)
    assert (unknown.precision, unknown.low, unknown.confirmed) == (None, None, 0)


def test_an_appeal_opens_the_question_again_and_an_exception_answers_another() -> None:
    """Neither says that the rule was right, or wrong."""
    found = made(
        a_disposition(0), a_disposition(1, about=f"{0:032x}", action="appeal"), a_disposition(2, action="except")
    )
    assert (precision_of(found).confirmed, precision_of(found).dismissed) == (0, 0)


def test_a_recommended_suspension_stands_on_what_was_confirmed() -> None:
    """It counts once, and for the rule."""
    found = made(a_disposition(0), a_disposition(1, about=f"{0:032x}", action="suspend"))
    assert precision_of(found).confirmed == 1


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0)]
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """Against published values of the 95 % score interval."""
    assert tuple(round(each, 4) for each in wilson(hits, of)) == (low, high)


def test_exceptions_end_and_become_lines_that_the_configuration_takes() -> None:
    """The judge spares a sender only by its configuration: the lines are read by the program's own reader."""
    signed = Subject(None, '云岭"商贸')
    found = made(
        a_disposition(1, action="except", until="2026-12-31", why="agreed in writing"),
        a_disposition(2, action="except", until="2026-12-30", rule="B1_QUIET_HOURS", subject=signed),
        a_disposition(3, action="except", until="2026-06-09"),
    )
    listed = found.exceptions(TODAY, lambda _: 3)
    assert [each.expired for each in listed] == [True, False, False]
    text = as_toml(listed)
    assert "2026-06-09" not in text
    typist = Typist(lambda _: Source(), rules.discover())
    tables = {"kafka": {"bootstrap": "a:1"}, "recipients": {"form": "token"}, **tomllib.loads(text)}
    read = typist.struct(Settings, tables, ())
    assert not typist.problems
    (quiet,) = read.rule("B1_QUIET_HOURS").exceptions
    assert (quiet.signature, quiet.until) == ('云岭"商贸', date(2026, 12, 30))
    (refused,) = read.rule("C5_AFTER_OPT_OUT").exceptions
    assert (refused.owner, refused.reason) == ("O1", "agreed in writing (zhang)")


def test_pages_of_decisions_come_newest_first() -> None:
    """With a count of those that fit."""
    found = made(*(a_disposition(n, action="dismiss" if n % 2 else "confirm") for n in range(7)))
    first, total, following = found.page(None, "confirm", 3, 0)
    rest, _, end = found.page(None, "confirm", 3, following or 0)
    assert [each.disposition_id for each in (*first, *rest)] == ["d6", "d4", "d2", "d0"]
    assert (total, end) == (4, None)
