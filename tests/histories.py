"""Small histories of two people and two companies, for the property tests of the engine.

Usually all times lie within 92 hours, so that nothing that a history begins with is forgotten before it ends; with
`LONG_TIMES` some of it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from engine_builders import ANNE, BODO, CODE, HOUR, NOW, OTHER_TEXT, Event, a_consent, a_reply, a_send

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = HOUR // 60
TIMES = [-20 * HOUR, -HOUR, -30_000, 0, 20_000, 30 * MINUTE, HOUR, 10 * HOUR, 23 * HOUR, 49 * HOUR, 71 * HOUR]
LONG_TIMES = [*TIMES, 90 * HOUR, 97 * HOUR, 170 * HOUR]
DELAYS = [0, 0, 2 * HOUR, 60 * HOUR, 72 * HOUR, 72 * HOUR + 1, 80 * HOUR]

ASKING = "【云岭商贸】您是否同意接收我们的优惠短信？同意请回复Y，每月至多4条。"
SENDS: list[dict[str, Any]] = [
    {},
    {},
    {"text": OTHER_TEXT, "port": "10690002"},
    {"text": OTHER_TEXT, "port": "10690001"},
    {"text": "【云岭商贸】会员日全场女装八折，欢迎选购。回TD退订", "port": "10690002"},
    {"text": ASKING},
    {"text": CODE, "category": "otp"},
    {"text": None},
    {"text": "会员日全场女装八折，满300减50。", "category": None},
    {"text": "【云岭商贸】您好。", "category": None},
    {"part": {"ref": 7, "no": 1, "total": 2}, "text": "【云岭商贸】会员日全场女装八折，"},
    {"part": {"ref": 7, "no": 2, "total": 2}, "text": "满300减50，欢迎选购。拒收请回复R"},
    {"part": {"ref": 7, "no": 2, "total": 2}, "text": "满300减50，欢迎选购。"},
    {"part": {"ref": 8, "no": 1, "total": 2}, "port": "10700000", "text": "【云岭商贸】会员日全场女装八折，"},
    {"part": {"ref": 8, "no": 2, "total": 2}, "port": "10700000", "text": "满300减50，欢迎选购。拒收请回复R"},
    {"part": {"ref": 7, "no": 1, "total": 1}},
    {"request": "e0"},
    {"request": "e1"},
]
CONSENTS: list[dict[str, Any]] = [
    {},
    {"owner": "O2"},
    {"owner": "*"},
    {"method": "pre_ticked"},
    {"method": None},
    {"proof": None},
    {"max_per_day": 1},
    {"types": ["marketing.finance"]},
    {"action": "withdraw"},
    {"action": "withdraw", "owner": "O2"},
    {"action": "withdraw", "owner": "*"},
]
REPLIES: list[dict[str, Any]] = [
    {},
    {"text": "R"},
    {"text": "td "},
    {"text": "您好"},
    {"port": "10690002"},
    {"port": "10690002", "text": "R"},
]
KINDS: list[tuple[Any, list[dict[str, Any]]]] = [(a_send, SENDS), (a_consent, CONSENTS), (a_reply, REPLIES)]


@st.composite
def an_event(draw: st.DrawFn, number: int, times: Sequence[int]) -> Event:
    """Any event; its id is `e` and a number, so that sends can name replies before those are known."""
    made, variants = draw(st.sampled_from(KINDS))
    fields = {"recipient": draw(st.sampled_from([ANNE, ANNE, BODO])), **draw(st.sampled_from(variants))}
    at = NOW + draw(st.sampled_from(times))
    if made is a_consent and draw(st.booleans()):
        fields["expires_at"] = at + HOUR
    event: Event = made(f"e{number}", at, at + draw(st.sampled_from(DELAYS)), **fields)
    return event


@st.composite
def histories(draw: st.DrawFn, *, most: int, repeats: bool = True, times: Sequence[int] = TIMES) -> Sequence[Event]:
    """Events in the order in which they come; some of them come twice.

    Over long times nothing comes later than its window allows, or what had been forgotten by then would matter.
    """
    events = [draw(an_event(number, times)) for number in range(draw(st.integers(2, most)))]
    again = draw(st.lists(st.sampled_from(events), max_size=2)) if repeats and events else []
    if times is LONG_TIMES:  # as in production: what has come is never older than what comes
        return sorted(events + again, key=lambda event: event.timestamp)
    return draw(st.permutations(events + again))
