"""Long messages: which parts belong together, in any order of arrival, and when they are judged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import CODE, MINUTE, NOW, TEXT, a_send
from sendwatch.events import Part
from sendwatch.parts import Key, Long, Message, Piece, key_of, offsets, put_together

TEN = 10 * MINUTE


def a_piece(no: int, offset: int, sent_at: int = NOW) -> Piece:
    """A part of a long message, named after its offset."""
    return Piece(no, f"s{offset}", offset, sent_at, sent_at, b"")


def long(*pieces: Piece, total: int = 3) -> Long:
    """The pieces of one key."""
    return Long("1069", "7", total, list(pieces))


def numbers(messages: list[Message]) -> list[list[tuple[int, int]]]:
    """Number and offset of every piece of every message."""
    return [[(piece.no, piece.offset) for piece in message] for message in messages]


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    """Parts of up to three numbers over half an hour, each with an offset of its own."""
    drawn = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 30)), max_size=8))
    return [a_piece(no, offset, NOW + minute * MINUTE) for offset, (no, minute) in enumerate(drawn)]


def oracle(some: list[Piece]) -> list[list[tuple[int, int]]]:
    """The contract, one sentence at a time."""
    found, rest = [], list(some)
    while rest:
        first = min(piece.sent_at for piece in rest)
        group = [piece for piece in rest if first <= piece.sent_at < first + TEN]
        found.append(
            [
                (no, min(piece.offset for piece in group if piece.no == no))
                for no in sorted({piece.no for piece in group})
            ]
        )
        rest = [piece for piece in rest if piece not in group]
    return found


@given(pieces().flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_messages_are_those_of_the_contract_whatever_the_order_of_arrival(
    pair: tuple[list[Piece], list[Piece]],
) -> None:
    """Against an oracle, and shuffled."""
    some, shuffled = pair
    assert numbers(long(*some).messages()) == oracle(some) == numbers(long(*shuffled).messages())


@pytest.mark.parametrize(("after", "messages"), [(TEN - 1, 1), (TEN, 2)])
def test_parts_within_ten_minutes_of_the_first_belong_together(after: int, messages: int) -> None:
    """[first, first + 10 min), by `sent_at`."""
    assert len(long(a_piece(1, 0), a_piece(2, 1, NOW + after)).messages()) == messages


def test_of_a_repeated_number_the_lower_offset_counts() -> None:
    """The other is a duplicate."""
    assert numbers(long(a_piece(1, 5), a_piece(1, 3), a_piece(2, 4)).messages()) == [[(1, 3), (2, 4)]]


def test_a_message_is_due_once_it_is_complete() -> None:
    """However soon."""
    two = (a_piece(1, 0), a_piece(2, 1))
    assert long(*two).due(NOW) == []
    assert len(long(*two, a_piece(3, 2)).due(NOW)) == 1


@pytest.mark.parametrize(("event_time", "due"), [(NOW + TEN - 1, 0), (NOW + TEN, 1)])
def test_an_incomplete_message_is_due_when_event_time_has_passed_the_ten_minutes(event_time: int, due: int) -> None:
    """Not by any clock on the wall."""
    incomplete = long(a_piece(2, 0))
    assert len(incomplete.due(event_time)) == due
    assert incomplete.deadline() == NOW + TEN


def test_the_ten_minutes_run_from_the_first_piece_even_if_that_is_but_a_repeated_one() -> None:
    """It does not count, but it came first."""
    one = long(a_piece(1, 5), a_piece(1, 3, NOW + MINUTE))
    assert one.deadline() == NOW + TEN
    assert [offsets(message) for message in one.due(NOW + TEN)] == [(3,)]


def test_a_message_is_judged_once_and_again_only_if_a_part_turns_up() -> None:
    """And says under which id it was judged before, where that is another now."""
    one = long(a_piece(2, 5), total=2)
    (incomplete,) = one.due(NOW + TEN)
    assert one.settle(incomplete) == []
    assert one.due(NOW + TEN) == []
    assert one.deadline() is None
    one.pieces.append(a_piece(1, 9, NOW + 1))
    (whole,) = one.due(NOW + TEN)
    assert offsets(whole) == (9, 5)
    assert one.settle(whole) == ["s5"]
    assert one.due(NOW + TEN) == []


def test_a_higher_part_that_turns_up_leaves_the_id_as_it_was() -> None:
    """It is that of the lowest-numbered part."""
    one = long(a_piece(1, 5), total=2)
    one.settle(one.due(NOW + TEN)[0])
    one.pieces.append(a_piece(2, 9))
    assert one.settle(one.due(NOW)[0]) == []


@pytest.mark.parametrize(("oldest", "kept"), [(NOW + TEN - 1, [0, 1]), (NOW + TEN, [])])
def test_a_message_is_forgotten_as_a_whole(oldest: int, kept: list[int]) -> None:
    """A rest of it would be taken for another message, and judged again."""
    one = long(a_piece(1, 0), a_piece(2, 1, NOW + TEN - 1), total=2)
    one.settle(one.due(NOW)[0])
    one.forget(oldest)
    assert [piece.offset for piece in one.pieces] == kept
    assert one.due(NOW + 10 * TEN) == []
    assert bool(one.judged) is bool(kept)


def test_what_came_after_a_forgotten_message_is_still_the_message_that_it_was() -> None:
    """The same reference is used again and again."""
    later = (a_piece(1, 2, NOW + TEN), a_piece(2, 3, NOW + TEN + 1))
    one = long(a_piece(1, 0), a_piece(2, 1), *later, total=2)
    for message in one.due(NOW):
        one.settle(message)
    one.forget(NOW + TEN)
    assert numbers(one.messages()) == [[(1, 2), (2, 3)]]
    assert (one.due(NOW + 10 * TEN), one.judged) == ([], [(2, 3)])


@pytest.mark.parametrize(
    ("part", "key"),
    [
        (None, None),
        (Part(ref=7, no=1, total=1), None),
        (Part(ref=7, no=1, total=2), ("10690001", 7, 2)),
        (Part(ref="7", no=1, total=2), ("10690001", "7", 2)),
        (Part(ref="a", no=2, total=3), ("10690001", "a", 3)),
    ],
)
def test_parts_have_port_reference_and_total_in_common(part: Part | None, key: Key | None) -> None:
    """A message of one part is whole by itself; a reference that is a number is not the same as its digits."""
    assert key_of(a_send(part=part)) == key


def parts(*texts: str | None, **fields: Any) -> list[Any]:
    """Sends that are the parts of one message."""
    return [
        a_send(f"s{no}", text=text, part=Part(ref=7, no=no, total=len(texts)), **fields)
        for no, text in enumerate(texts, 1)
    ]


def test_the_whole_message_has_the_lowest_parts_fields_and_all_the_text() -> None:
    """In the order of their numbers."""
    first, second = parts(TEXT[:9], TEXT[9:])
    assert put_together([first, second], 2) == a_send("s1")


@pytest.mark.parametrize("sends", [parts(TEXT, None), parts(TEXT, CODE)[:1]])
def test_without_all_the_text_there_is_none(sends: list[Any]) -> None:
    """Incomplete is as good as absent."""
    whole = put_together(sends, 2)
    assert (whole.text, whole.part, whole.id) == (None, None, "s1")
