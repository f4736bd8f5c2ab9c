"""Counts by bucket: whatever order they come in, every sum is that of a list of all events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sendwatch.windows.lines import OTHERS, Line, Subject, Table

events = st.lists(st.tuples(st.integers(0, 40), st.integers(-3, 9)), max_size=60)


@given(events, st.integers(0, 40), st.integers(0, 40))
def test_a_line_adds_up_to_its_events(events: list[tuple[int, int]], first: int, last: int) -> None:
    """Over any stretch, in any order of adding, corrections subtracting."""
    line = Line()
    for bucket, count in events:
        line.add(bucket, count)
    assert line.sum(first, last) == sum(count for bucket, count in events if first <= bucket <= last)
    assert list(line.at) == sorted({bucket for bucket, _ in events})


@given(events, st.integers(0, 50))
def test_a_table_holds_the_last_buckets_and_counts_what_is_too_old(events: list[tuple[int, int]], now: int) -> None:
    """Ten buckets of 100 ms; later ones are kept, the window leaves them out."""
    table, at_now = Table(width=100, buckets=10, most=5), now * 100 + 50
    for bucket, count in events:
        table.add(("a",), "sends", bucket * 100, count, at_now)
    table.forget(at_now)
    assert table.sum(("a",), "sends", at_now, 10) == sum(n for bucket, n in events if now - 10 < bucket <= now)
    assert table.too_old == sum(n for bucket, n in events if bucket <= now - 10)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40))
def test_no_more_subjects_than_there_is_room_for_and_nothing_is_lost(names: list[str]) -> None:
    """Those that come too late are added up under one row."""
    table = Table(width=100, buckets=10, most=3)
    for name in names:
        table.add((name,), "sends", 0, 1, 0)
    assert len(table.rows.keys() - {OTHERS}) <= 3
    assert sum(table.sum(subject, "sends", 0, 1) for subject in table.rows) == len(names)
    assert table.left_out == table.sum(OTHERS, "sends", 0, 1)


def test_a_subject_of_which_nothing_is_left_makes_room() -> None:
    """Memory stays flat while subjects come and go."""
    table = Table(width=100, buckets=2, most=1)
    for turn in range(1000):
        now = turn * 1000
        table.forget(now)
        table.add((str(turn),), "sends", now, 1, now)
        assert len(table.rows) == 1
    assert table.left_out == 0


@given(events, events)
def test_what_is_stored_is_what_was_counted(first: list[tuple[int, int]], then: list[tuple[int, int]]) -> None:
    """Changes written one after another, read back into an empty table."""
    table, store = Table(100, 10, 5), dict[bytes, bytes]()
    for part in (first, then):
        for bucket, count in part:
            table.add(("a", None), "sends", bucket * 100, count, 900)
        table.forget(900)
        for key, value in table.changes(b"t").items():
            if value is None:
                store.pop(key, None)
            else:
                store[key] = value
    other = Table(100, 10, 5)
    other.load(b"t", sorted(store.items()))
    assert {s: {n: list(line.within(0, 99)) for n, line in r.items()} for s, r in other.rows.items()} == {
        s: {n: list(line.within(0, 99)) for n, line in r.items()} for s, r in table.rows.items()
    }
    assert not table.changes(b"t")


@given(events, st.integers(0, 50), st.integers(0, 50))
def test_what_is_not_told_apart_is_one_number_where_it_was_last_seen(
    events: list[tuple[int, int]], now: int, later: int
) -> None:
    """The sums of what is told apart are as ever, and whatever was seen is still known to have been seen."""
    one, other, store = Table(100, 40, 5), Table(100, 40, 5, apart=8), dict[bytes, bytes | None]()
    for at_now in sorted((now * 100, later * 100)):
        for table in (one, other):
            for bucket, count in events:
                table.add(("a",), "sends", bucket * 100, count, at_now)
            table.forget(at_now)
        store |= other.changes(b"t")
    last = max(now, later)
    for buckets in range(9):
        assert other.sum(("a",), "sends", last * 100, buckets) == one.sum(("a",), "sends", last * 100, buckets)
    assert other.rows.keys() == one.rows.keys()
    read = Table(100, 40, 5, apart=8)
    read.load(b"t", sorted((key, value) for key, value in store.items() if value is not None))
    for table in (other, read):
        line = table.rows.get(("a",), {}).get("sends", Line())
        assert sum(bucket <= last - 8 for bucket in line.at) <= 1
        if one.rows:
            assert max(line.at) == max(one.rows["a",]["sends"].at)


def test_only_the_stretch_that_changed_is_stored_anew() -> None:
    """Of a row of thirty days, a day; what lies too far back is deleted from the store as well."""
    table, store = Table(100, 720, 5), dict[bytes, bytes]()
    for bucket in range(720):
        table.add_all("sends", bucket * 100, {("a",): 1}, bucket * 100)
    store |= {key: value for key, value in table.changes(b"t").items() if value is not None}
    table.add(("a",), "sends", 719 * 100, 1, 719 * 100)
    (one,) = table.changes(b"t").items()
    assert one[0] in store
    assert len(one[1] or b"") < 24 * 16 + 50
    table.forget(5000 * 100)
    assert table.changes(b"t") == dict.fromkeys(store)


def test_many_at_once_are_added_as_one_by_one() -> None:
    """Where there is room, and where there is none; too old a bucket is refused."""
    for at in (0, 5000):
        one, other = Table(100, 10, 3), Table(100, 10, 3)
        counts: dict[Subject, int] = {(name,): number for number, name in enumerate("abcdea", 1)}
        for turn in range(2):
            one.add_all("sends", at, counts, 5000 + 100 * turn)
            for subject, count in counts.items():
                other.add(subject, "sends", at, count, 5000 + 100 * turn)
        assert one.changes(b"t") == other.changes(b"t")
        assert (one.left_out, one.too_old, len(one.rows)) == (other.left_out, other.too_old, len(other.rows))


def test_a_series_begins_where_something_happened() -> None:
    """By start of bucket in ms; nothing of an unknown subject."""
    table = Table(100, 10, 5)
    table.add(("a",), "sends", 250, 2, 500)
    table.add(("a",), "sends", 410, 3, 500)
    assert table.series(("a",), "sends", 0, 999) == [(200, 2), (400, 3)]
    assert table.first_seen(("a",)) == 200
    assert table.series(("b",), "sends", 0, 999) == []
    assert table.first_seen(("b",)) is None
