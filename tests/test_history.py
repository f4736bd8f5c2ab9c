"""The as-of lookup over consent acts, against brute force, and in any order of arrival."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import a_grant, a_withdrawal
from sendwatch.dossier import Dossier, fold_act
from sendwatch.history import Act, counting, covers, explicit, latest

WINDOW = 5
OWNERS = ("O1", "O2", "*")
TYPES = ("marketing", "marketing.retail", "marketing.finance", "service")


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """A few acts with few distinct times, ids and owners, so that they meet."""
    few = draw(st.lists(st.tuples(*[st.integers(0, 12)] * 2, st.sampled_from("abcdef")), max_size=9))
    return [
        Act(
            id=name,
            offset=offset,
            arrived=arrived,
            effective_at=at,
            owner=draw(st.sampled_from(OWNERS)),
            grant=draw(st.booleans()),
            types=tuple(draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2))),
        )
        for offset, (at, arrived, name) in enumerate(few)
    ]


def folded(some: list[Act]) -> list[Act]:
    """The acts as a dossier keeps them."""
    dossier = Dossier()
    for act in some:
        fold_act(dossier, act)
    return dossier.acts


def oracle(some: list[Act], owner: str, kind: str, t: int) -> Act | None:
    """The contract, sentence by sentence, and slow."""
    facts = [act for act in some if not any(o.id == act.id and o.offset < act.offset for o in some)]
    speak = []
    for act in facts:
        in_time = act.arrived <= t + WINDOW and act.effective_at <= t
        covered = any(kind.split(".")[: len(each.split("."))] == each.split(".") for each in act.types)
        if in_time and covered and act.owner in (owner, "*"):
            speak.append(act)
    last = [act for act in speak if act.effective_at == max(each.effective_at for each in speak)]
    refusals = [act for act in last if not act.grant]
    candidates = refusals or last
    return max(candidates, key=lambda act: act.id) if candidates else None


@given(acts(), st.sampled_from(OWNERS[:2]), st.sampled_from(TYPES), st.integers(0, 15))
def test_it_is_what_the_contract_says(some: list[Act], owner: str, kind: str, t: int) -> None:
    """Against an oracle that shares no code with it."""
    assert latest(folded(some), owner, kind, t, WINDOW) == oracle(some, owner, kind, t)


@given(acts().flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))), st.integers(0, 15))
def test_the_order_of_arrival_never_changes_an_answer(pair: tuple[list[Act], list[Act]], t: int) -> None:
    """Folded in any order, looked up with the same result."""
    some, shuffled = pair
    for owner in OWNERS[:2]:
        for kind in TYPES:
            one = latest(folded(some), owner, kind, t, WINDOW)
            assert latest(folded(shuffled), owner, kind, t, WINDOW) == one


@given(acts(), st.integers(0, 15))
def test_what_arrives_too_late_might_as_well_not_have(some: list[Act], t: int) -> None:
    """Records that arrive after the window leave every answer as it was."""
    on_time = [act for act in folded(some) if act.arrived <= t + WINDOW]
    for kind in TYPES:
        assert latest(folded(some), "O1", kind, t, WINDOW) == latest(on_time, "O1", kind, t, WINDOW)


@given(acts(), st.integers(0, 15))
def test_the_latest_act_is_one_of_those_that_count(some: list[Act], t: int) -> None:
    """And there is none only where none counts."""
    for kind in TYPES:
        counted = counting(folded(some), "O1", kind, t, WINDOW)
        found = latest(folded(some), "O1", kind, t, WINDOW)
        assert (found in counted) if counted else found is None


@pytest.mark.parametrize(
    ("types", "kind", "covered"),
    [
        (("marketing",), "marketing", True),
        (("marketing",), "marketing.finance", True),
        (("marketing",), "marketing.finance.loan", True),
        (("marketing.finance",), "marketing", False),
        (("marketing.finance",), "marketing.fin", False),
        (("marketing.fin",), "marketing.finance", False),
        (("market",), "marketing", False),
        (("otp", "marketing.retail"), "marketing.retail", True),
        ((), "marketing", False),
    ],
)
def test_a_dotted_type_covers_itself_and_what_is_below_it(types: tuple[str, ...], kind: str, covered: bool) -> None:
    """By whole words between dots."""
    assert covers(types, kind) is covered


def test_at_one_instant_a_withdrawal_beats_a_grant_whatever_their_ids() -> None:
    """And of two grants the greater id counts."""
    grant, refusal = a_grant("z", effective_at=7), a_withdrawal("a", effective_at=7)
    assert latest([grant, refusal], "O1", "marketing", 7, 0) == refusal
    assert latest([refusal, grant], "O1", "marketing", 7, 0) == refusal
    one, other = a_grant("a", effective_at=7), a_grant("b", effective_at=7)
    assert latest([other, one], "O1", "marketing", 7, 0) == other


def test_a_withdrawal_from_every_owner_beats_an_older_grant_to_one() -> None:
    """`*` speaks for each owner; time decides, not closeness."""
    acts = [a_grant(effective_at=5), a_withdrawal(effective_at=6, owner="*")]
    found = latest(acts, "O1", "marketing", 9, 0)
    assert found is not None
    assert found.id == "w1"


@pytest.mark.parametrize(
    ("method", "said"),
    [("written", True), ("mo_request", True), ("silence", False), (None, None), ("", None), ("其他", None)],
)
def test_a_method_is_express_tacit_or_unknown(method: str | None, said: bool | None) -> None:
    """Anything else, or none, is unknown."""
    assert explicit(method) is said
