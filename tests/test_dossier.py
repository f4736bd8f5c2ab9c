"""What is kept of a recipient: folding, what a reply refused, when rows end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import DAY, HOUR, NOW, a_grant, a_kept, a_reply, a_withdrawal
from sendwatch.dossier import (
    Answer,
    Dossier,
    Kept,
    Published,
    act_of,
    aim,
    answer_of,
    fold_act,
    fold_answer,
    is_commercial,
    pack,
    prune,
    put_kept,
    unpack,
)
from sendwatch.events import Consent, Proof, Reply
from sendwatch.history import Act
from sendwatch.parts import Piece

WINDOW = 72 * HOUR
ON_PORT = ("O1", "O9")


def owners_on_port(port: str, t: int) -> tuple[str, ...]:
    """Two owners file on 10690001; nobody anywhere else."""
    return ON_PORT if port == "10690001" and t else ()


def folded(*facts: Any) -> Dossier:
    """A dossier of acts, replies and sends, folded in this order, its replies aimed after each."""
    dossier = Dossier()
    for fact in facts:
        if isinstance(fact, Act):
            fold_act(dossier, fact)
        elif isinstance(fact, Answer):
            fold_answer(dossier, unpack(pack(Dossier(replies=[fact]))).replies[0])
        else:
            put_kept(dossier, fact)
        aim(dossier, WINDOW, owners_on_port)
    return dossier


def known(dossier: Dossier) -> tuple[Any, ...]:
    """Everything in it, in an order of its own."""
    by_id = lambda each: each.id
    return (
        sorted(dossier.acts, key=by_id),
        sorted(dossier.replies, key=by_id),
        sorted(dossier.sends, key=by_id),
    )


# -- folding ----------------------------------------------------------------------------------------------------


@st.composite
def facts(draw: st.DrawFn) -> list[Any]:
    """A few acts, replies and sends, close enough together to meet; facts may be repeated."""
    ids, times = st.sampled_from("abc"), st.integers(0, 6)
    act = st.builds(lambda i, o, t: a_grant(i, offset=o, effective_at=NOW + t * HOUR), ids, st.integers(0, 5), times)
    words = st.sampled_from(["退订", "T", "8", "你好"])
    reply = st.builds(
        lambda i, o, t, w: a_reply(i, w, offset=o, received_at=NOW + t * HOUR),
        ids,
        st.integers(0, 5),
        times,
        words,
    )
    send = st.builds(
        lambda i, t, owner, kind, word: a_kept(i, at=NOW + t * HOUR, owner=owner, type=kind, advertised=(word,)),
        st.sampled_from("stuvw"),
        times,
        st.sampled_from(["O1", "O2", None]),
        st.sampled_from(["marketing", "service"]),
        st.sampled_from("8t"),
    )
    drawn = draw(st.lists(st.one_of(act, reply, send), max_size=8))
    # One offset holds one fact, and one id of a send one send.
    seen: set[Any] = set()
    distinct = []
    for each in drawn:
        key = each.id if isinstance(each, Kept) else (type(each), each.id, each.offset)
        if key not in seen:
            seen.add(key)
            distinct.append(each)
    return distinct


@given(facts().flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_in_which_facts_arrive_never_matters(pair: tuple[list[Any], list[Any]]) -> None:
    """Acts, replies and sends, and what the replies then mean."""
    some, shuffled = pair
    assert known(folded(*some)) == known(folded(*shuffled))


@given(facts())
def test_folding_a_fact_again_changes_nothing(some: list[Any]) -> None:
    """As after a crash, when a batch is read again."""
    assert known(folded(*some, *some)) == known(folded(*some))


@given(facts())
def test_a_dossier_is_the_same_after_it_was_stored(some: list[Any]) -> None:
    """It is one value in the store."""
    dossier = folded(*some)
    assert unpack(pack(dossier)) == dossier


def test_of_one_id_the_lower_offset_counts() -> None:
    """And folding tells whether anything changed."""
    dossier = Dossier()
    assert fold_act(dossier, a_grant(offset=5, max_per_day=1))
    assert not fold_act(dossier, a_grant(offset=5, max_per_day=1))
    assert not fold_act(dossier, a_grant(offset=6, max_per_day=2))
    assert fold_act(dossier, a_grant(offset=4, max_per_day=3))
    assert [act.max_per_day for act in dossier.acts] == [3]


def test_a_reply_that_is_replaced_keeps_what_was_published_of_it() -> None:
    """Else the correction would never be published."""
    dossier = Dossier(replies=[a_reply(offset=5, published=("O1",))])
    assert fold_answer(dossier, a_reply(offset=4, text="你好"))
    assert [(each.word, each.published) for each in dossier.replies] == [("你好", ("O1",))]
    assert not fold_answer(dossier, a_reply(offset=9))


def test_a_send_takes_the_place_of_the_one_of_its_id() -> None:
    """With its flags."""
    dossier = Dossier(sends=[a_kept("a"), a_kept("b")])
    put_kept(dossier, a_kept("a", flags=[Published("C1", 1, raised=True)]))
    assert [(each.id, len(each.flags)) for each in dossier.sends] == [("a", 1), ("b", 0)]


def test_an_empty_dossier_need_not_be_stored() -> None:
    """Anything at all in it must be."""
    assert Dossier().empty
    for one in (Dossier(acts=[a_grant()]), Dossier(replies=[a_reply()]), Dossier(sends=[a_kept()])):
        assert not one.empty


# -- records ----------------------------------------------------------------------------------------------------


def test_a_consent_record_becomes_the_act_it_states() -> None:
    """Every field of it."""
    proof = Proof(id="p", sha256="0" * 64, captured_at=5)
    consent = Consent(
        id="c",
        recipient="r",
        owner="O1",
        action="withdraw",
        effective_at=7,
        types=("marketing.finance",),
        method="voice",
        expires_at=9,
        max_per_day=2,
        proof=proof,
    )
    assert act_of(consent, 3, 8) == Act(
        id="c",
        offset=3,
        arrived=8,
        effective_at=7,
        owner="O1",
        grant=False,
        types=("marketing.finance",),
        method="voice",
        expires_at=9,
        max_per_day=2,
        proof="p",
        captured_at=5,
    )


@pytest.mark.parametrize(
    ("text", "word"), [("  ＴＤ ", "td"), ("Unsubscribe", "unsubscribe"), ("请不要再给我发这样的短信了谢谢你们", "")]
)
def test_of_a_reply_only_a_word_is_kept(text: str, word: str) -> None:
    """Folded; what is too long to refuse anything is not kept at all."""
    reply = Reply(id="m", recipient="r", port="1069", text=text, received_at=7)
    assert answer_of(reply, 3, 8) == Answer("m", 3, 8, "1069", 7, word)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("marketing", True),
        ("marketing.finance", True),
        ("marketings", False),
        ("otp", False),
        (None, False),
    ],
)
def test_commercial_is_marketing_or_below(kind: str | None, said: bool) -> None:
    """By whole words between dots."""
    assert is_commercial(kind) is said


# -- what a reply refused ---------------------------------------------------------------------------------------


def refused(*facts: Any) -> tuple[str, ...]:
    """Toward whom the one reply among these facts withdraws."""
    return folded(*facts).replies[0].owners


@pytest.mark.parametrize(
    "text", ["退订", "拒收", "取消订阅", "拒绝", "TDZD", "tdzd", "Stop", "ＵＮＳＵＢＳＣＲＩＢＥ", " 退订 "]
)
def test_these_words_refuse_whatever_they_answer(text: str) -> None:
    """With no answered send: every owner with a filing on the port."""
    assert refused(a_reply(text=text)) == ON_PORT


@pytest.mark.parametrize("text", ["R", "t", "TD", "Ｎ", "D", "qx", "取消", "0000", "00000"])
def test_short_words_refuse_only_where_they_answer_a_commercial_send(text: str) -> None:
    """They also answer service menus."""
    assert refused(a_reply(text=text)) == ()
    assert refused(a_kept(at=NOW - DAY - HOUR), a_reply(text=text)) == ("O1",)


@pytest.mark.parametrize(("text", "owners"), [("8", ("O1",)), ("9", ()), ("退订8", ())])
def test_the_word_that_the_answered_send_advertised_refuses(text: str, owners: tuple[str, ...]) -> None:
    """And no other, nor more than it."""
    assert refused(a_kept(at=NOW - DAY - HOUR, advertised=("8",)), a_reply(text=text)) == owners


@pytest.mark.parametrize(
    ("before", "owners"),
    [(0, ("O2",)), (72 * HOUR, ("O2",)), (72 * HOUR + 1, ON_PORT), (-1, ON_PORT)],
)
def test_the_answered_send_lies_in_the_72_hours_before(before: int, owners: tuple[str, ...]) -> None:
    """To the millisecond, and not after the reply."""
    assert refused(a_kept(owner="O2", at=NOW - before), a_reply(received_at=NOW)) == owners


@pytest.mark.parametrize(
    "fields",
    [{"port": "106900012"}, {"port": "1069"}, {"type": "service"}, {"type": None}],
    ids=["a longer port", "a shorter port", "a service message", "type undecided"],
)
def test_only_a_commercial_send_from_that_very_port_is_answered(fields: dict[str, Any]) -> None:
    """Others are looked past."""
    other = a_kept("z", owner="O2", at=NOW - DAY - 1, **fields)
    assert refused(other, a_reply()) == ON_PORT
    assert refused(a_kept("a", owner="O3", at=NOW - 2 * DAY), other, a_reply()) == ("O3",)


def test_the_latest_send_is_answered_and_at_one_time_the_greater_id() -> None:
    """By time, then by id."""
    sends = (
        a_kept("a", owner="O1", at=NOW - DAY - 1),
        a_kept("c", owner="O3", at=NOW - DAY - 2),
        a_kept("b", owner="O2", at=NOW - DAY - 1),
    )
    assert refused(*sends, a_reply()) == ("O2",)


def test_where_the_answered_sends_owner_is_undecided_every_owner_on_the_port_is_refused() -> None:
    """It is answered all the same: its advertised word counts."""
    answered = a_kept(owner=None, at=NOW - DAY - 1, advertised=("8",))
    assert refused(answered, a_reply(text="8")) == ON_PORT


@pytest.mark.parametrize(("late", "owners"), [(WINDOW, ("O2",)), (WINDOW + 1, ON_PORT)])
def test_a_late_send_re_aims_a_reply_inside_the_window(late: int, owners: tuple[str, ...]) -> None:
    """It arrives after the reply was resolved; past the window the resolution stands."""
    reply = a_reply(received_at=NOW)
    assert refused(reply, a_kept(owner="O2", at=NOW - 1, arrived=NOW + late)) == owners


def test_what_a_reply_refused_outlives_the_send_that_it_answered() -> None:
    """The send is dropped, the refusal stays."""
    dossier = folded(a_kept(owner="O2", at=NOW - 1), a_reply(received_at=NOW))
    prune(dossier, NOW + 30 * DAY, WINDOW)
    assert aim(dossier, WINDOW, owners_on_port) is None
    assert (dossier.sends, dossier.replies[0].owners) == ([], ("O2",))


def test_an_answered_send_that_is_judged_otherwise_is_no_longer_answered() -> None:
    """A registry changed: it was a service message, so the short word refused nothing."""
    dossier = folded(a_kept(at=NOW - 1), a_reply(text="T", received_at=NOW))
    put_kept(dossier, a_kept(at=NOW - 1, type="service"))
    assert aim(dossier, WINDOW, owners_on_port) == NOW
    assert dossier.replies[0].owners == ()


def test_an_answered_send_that_turns_out_to_be_anothers_moves_the_refusal() -> None:
    """The same send, another owner."""
    dossier = folded(a_kept(at=NOW - 1), a_reply(received_at=NOW))
    put_kept(dossier, a_kept(at=NOW - 1, owner="O2"))
    assert aim(dossier, WINDOW, owners_on_port) == NOW
    assert dossier.replies[0].owners == ("O2",)


def test_aiming_tells_from_when_on_the_meaning_of_replies_changed() -> None:
    """The earliest of those that changed; nothing the second time."""
    dossier = Dossier(replies=[a_reply("b", received_at=NOW), a_reply("a", received_at=NOW - 5)])
    dossier.replies.append(a_reply("c", text="你好", received_at=NOW - 9))
    assert aim(dossier, WINDOW, owners_on_port) == NOW - 5
    assert aim(dossier, WINDOW, owners_on_port) is None


def test_a_reply_that_becomes_a_refusal_of_nobody_has_changed_its_meaning_too() -> None:
    """It no longer counts as the recipient's request, though no owner files on that port."""
    reply = a_reply(text="T", port="1068", received_at=NOW)
    dossier = folded(reply)
    put_kept(dossier, a_kept(port="1068", owner=None, at=NOW - 1))
    assert aim(dossier, WINDOW, owners_on_port) == NOW
    assert dossier.replies[0].refuses
    assert dossier.replies[0].owners == ()


def test_a_refusal_that_was_read_back_stands_though_what_it_answered_is_gone() -> None:
    """`T` alone would refuse nothing; it is known toward whom it did."""
    reply = a_reply(text="T", received_at=NOW, owners=("O2",), published=("O2",), restored=True)
    dossier = Dossier(replies=[reply])
    assert aim(dossier, WINDOW, owners_on_port) is None
    assert (reply.refuses, reply.owners) == (True, ("O2",))
    put_kept(dossier, a_kept(at=NOW - 1))
    assert aim(dossier, WINDOW, owners_on_port) == NOW
    assert reply.owners == ("O1",)


def test_a_reply_that_was_read_back_and_refused_nobody_is_no_refusal() -> None:
    """It may be the recipient's request."""
    assert not a_reply(text="T", restored=True).refuses


def test_a_reply_that_took_longer_than_the_window_answers_nothing() -> None:
    """The send that it answered may be gone: a short word refuses nothing, a plain refusal everybody on the port."""
    late = NOW + WINDOW + 1
    short, plain = a_reply("m1", text="T", received_at=NOW, arrived=late), a_reply("m2", received_at=NOW, arrived=late)
    told = folded(a_kept(owner="O2", at=NOW - 1), short, plain).replies
    assert [answer.owners for answer in told] == [(), ON_PORT]


def test_a_refusal_reply_is_one_act_for_each_owner() -> None:
    """Of all marketing, from the moment it was received."""
    dossier = folded(a_withdrawal(), a_reply(received_at=NOW, arrived=NOW + 5))
    by_reply = [act for act in dossier.every_act() if act.by_reply]
    assert [act.owner for act in by_reply] == ["O1", "O9"]
    for act in by_reply:
        assert (act.grant, act.types, act.effective_at, act.arrived) == (False, ("marketing",), NOW, NOW + 5)
    assert [act.id for act in dossier.every_act()] == ["w1", "m1", "m1"]


# -- when rows end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event_time", "kept"), [(NOW + 168 * HOUR, 1), (NOW + 168 * HOUR + 1, 0)])
def test_a_row_stays_while_it_can_bear_on_a_send_that_is_kept(event_time: int, kept: int) -> None:
    """72 h + 24 h, in event time, and the 72 h in which it is answered or asked again."""
    sends = [a_kept("older", at=NOW - HOUR), a_kept(at=NOW)]
    dossier = Dossier(acts=[a_grant()], replies=[a_reply()], sends=sends)
    prune(dossier, event_time, WINDOW)
    assert (len(dossier.sends), len(dossier.acts), len(dossier.replies)) == (kept, 1, 1)


def test_a_long_message_is_kept_as_long_and_then_forgotten_with_its_parts() -> None:
    """By the time at which its parts were sent."""
    dossier = Dossier()
    dossier.long(("1069", "7", 2)).pieces.append(Piece(1, "s", 0, NOW, NOW, b""))
    prune(dossier, NOW + 96 * HOUR, WINDOW)
    assert len(dossier.longs) == 1
    prune(dossier, NOW + 97 * HOUR, WINDOW)
    assert dossier.longs == []
