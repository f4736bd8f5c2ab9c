"""The archive: a day taken in twice is the same day, recipients are hidden, and who is erased is gone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_builders import ANNE, AT, BERT, DAY, a_flag, breach, disposition, flag
from sendwatch import law
from sendwatch.archive.keys import Keys
from sendwatch.archive.rows import Positions
from sendwatch.archive.store import BusyError, Store, kept_until, months_later
from sendwatch.archive.tables import SCHEMAS, ledger_rows
from sendwatch.evidence.chain import BEGIN, Chained, linked
from windows_builders import a_record, a_tally, complained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty archive."""
    return Store(tmp_path / "archive")


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    """An empty key file."""
    with Keys(tmp_path / "keys.sqlite") as made:
        yield made


def read(store: Store, kind: str = "flags") -> list[dict[str, Any]]:
    """All rows of a kind, by the days."""
    return [
        row for day in store.days(kind) for row in pq.read_table(store.path(kind, day), partitioning=None).to_pylist()
    ]


def test_rows_lie_by_the_day_in_utc_plus_8(store: Store) -> None:
    """Whatever the day in UTC is."""
    midnight = AT - 8 * 3_600_000 - 4000
    store.take([flag(0, midnight - 1), flag(1, midnight), flag(2, midnight + DAY)])
    assert store.days("flags") == ["2026-11-08", "2026-11-09", "2026-11-10"]
    assert [row["flag_id"] for row in read(store)] == ["f0", "f1", "f2"]


@given(st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=6))
def test_taking_in_again_changes_nothing(tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]) -> None:
    """However often and in whatever pieces records come: each is there once, in the order of places."""
    store = Store(tmp_path_factory.mktemp("archive"))
    new = sum(store.take([flag(offset, AT + offset % 3 * DAY) for offset in batch]) for batch in batches)
    every = sorted({offset for batch in batches for offset in batch})
    assert new == len(every)
    assert sorted(row["offset"] for row in read(store)) == every
    for day in store.days("flags"):
        offsets = pq.read_table(store.path("flags", day), columns=["offset"], partitioning=None).column(0).to_pylist()
        assert offsets == sorted(offsets)


def test_a_run_that_is_cut_off_before_its_positions_are_kept_is_taken_up_again(store: Store) -> None:
    """Its rows are there, and come again."""
    assert store.positions == Positions()
    store.take([flag(0), flag(1)])
    assert store.take([flag(0), flag(1), flag(2)]) == 1
    done = Positions()
    done.of("flags", 0).next = 3
    store.keep(done)
    assert store.positions.of("flags", 0).next == 3


def test_a_file_that_was_being_written_when_the_power_went_is_never_read(store: Store) -> None:
    """It does not have its name yet."""
    store.take([flag(0)])
    store.path("flags", "2026-11-09").with_name(".flags.parquet.new").write_bytes(b"half")
    assert store.take([flag(1)]) == 1
    assert len(read(store)) == 2


def test_one_process_writes_at_a_time(store: Store) -> None:
    """The second is refused."""
    with store.writing(), pytest.raises(BusyError), Store(store.folder).writing():
        pass


def test_every_kind_can_be_read_by_any_tool(store: Store) -> None:
    """By DuckDB, say, over all days at once."""
    record = a_record(AT, [a_tally(AT, 3, flags={"C5_AFTER_OPT_OUT": 1})], complained=[complained(AT, 2)])
    record.sums.refused.append((AT // 3_600_000, "O1", 4))
    rows = [flag(0), breach(1), disposition(2), *ledger_rows(0, 7, record)]
    assert store.take(rows) == len(rows)
    for kind, schema in SCHEMAS.items():
        if kind != "books":
            found = duckdb.execute(f"select * from '{store.folder}/{kind}/*/*.parquet'").description or []
            assert set(schema.names) <= {each[0] for each in found}
    (row,) = duckdb.execute(f"select sends, flags, sp from '{store.folder}/tallies/*/*.parquet'").fetchall()
    assert row == (3, '{"C5_AFTER_OPT_OUT":1}', "sp1")


def test_the_digest_is_that_of_the_evidence_chain() -> None:
    """So rows can be held against a pack."""
    row, one = flag(5), Chained(0)
    one.take(5, AT + 9, b"f5", msgspec.json.encode(a_flag(5)))
    assert one.root().chain == linked(BEGIN, row.values["digest"]).hex()


# -- recipients --------------------------------------------------------------------------------------------------


def test_recipients_are_hidden_and_can_be_shown(store: Store, keys: Keys) -> None:
    """The same one the same way, in flags and breaches; nowhere in the files is the token."""
    store.take([flag(0, hide=keys.hide), flag(1, hide=keys.hide), flag(2, recipient=BERT, hide=keys.hide),
                breach(0, hide=keys.hide)])  # fmt: skip
    flags, (broken,) = read(store), read(store, "breaches")
    shown = [keys.show(row["recipient_key"], row["recipient"]) for row in flags]
    assert shown == [ANNE, ANNE, BERT]
    assert keys.show(broken["recipient_key"], broken["recipient"]) == ANNE
    assert flags[0]["recipient"] == flags[1]["recipient"] != flags[2]["recipient"]
    for path in store.folder.rglob("*.parquet"):
        assert ANNE.encode() not in path.read_bytes()
    assert ANNE not in str(broken)


def test_who_is_erased_is_gone_for_good(store: Store, keys: Keys, tmp_path: Path) -> None:
    """No file changes, nobody else is touched, the digest still holds; taking the day in again brings nobody back."""
    store.take([flag(0, hide=keys.hide), flag(1, recipient=BERT, hide=keys.hide)])
    before = store.path("flags", "2026-11-09").read_bytes()
    keys.commit()
    (raw,) = keys._file.execute("SELECT key FROM keys WHERE id = 1").fetchone()
    assert raw in (tmp_path / "keys.sqlite").read_bytes()
    assert keys.erase(ANNE)
    assert raw not in (tmp_path / "keys.sqlite").read_bytes()
    assert store.path("flags", "2026-11-09").read_bytes() == before
    assert [keys.show(row["recipient_key"], row["recipient"]) for row in read(store)] == [None, BERT]
    store.take([flag(7, hide=keys.hide)])
    assert [row["recipient"] for row in read(store) if row["offset"] == 7] == [None]
    with Keys(tmp_path / "keys.sqlite") as reopened:
        assert reopened.hide(ANNE) == (1, None)
        assert reopened.show(2, reopened.hide(BERT)[1]) == BERT


def test_who_was_never_known_is_kept_out_too(keys: Keys) -> None:
    """It is said that there was nothing."""
    assert not keys.erase("nobody")
    assert keys.hide("nobody")[1] is None
    assert not keys.erase("nobody")


def test_a_key_that_was_not_kept_is_none(tmp_path: Path) -> None:
    """A run that ends before `commit` leaves no row, and no key."""
    with Keys(tmp_path / "keys.sqlite") as keys:
        keys.hide(ANNE)
    with Keys(tmp_path / "keys.sqlite") as keys:
        assert keys.show(1, b"x") is None
        assert keys.keep_only([]) == 0


def test_keys_are_for_their_owner_only(tmp_path: Path, keys: Keys) -> None:
    """Nobody else may read them."""
    assert (tmp_path / "keys.sqlite").stat().st_mode & 0o777 == 0o600


# -- retention ---------------------------------------------------------------------------------------------------


def test_the_term_is_that_of_the_law_of_the_day() -> None:
    """Six months under order 74, and by practice; of packs in force at once the longest counts."""
    packs = law.load()
    assert kept_until("2026-11-09", packs) == date(2027, 5, 9)
    order_31 = [pack for pack in packs if pack.id == "miit-31"]
    assert kept_until("2026-01-31", order_31) == date(2026, 6, 30)
    assert kept_until("2026-11-09", order_31) == date(2026, 11, 9)


@given(st.dates(date(2026, 1, 1), date(2030, 12, 31)), st.integers(0, 40))
def test_so_many_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int) -> None:
    """Never another month."""
    later = months_later(day, months)
    assert later.year * 12 + later.month == day.year * 12 + day.month + months
    assert later.day == day.day or (later.day < day.day and (later.replace(day=28) <= later))


def test_days_go_when_their_term_has_passed_and_keys_with_them(store: Store, keys: Keys) -> None:
    """Not a day sooner; who still has a row keeps his key, who was erased stays erased."""
    store.take([flag(0, hide=keys.hide), flag(1, AT + DAY, recipient=BERT, hide=keys.hide)])
    keys.erase("nobody")
    packs = law.load()
    assert store.prune(packs, date(2027, 5, 9)) == []
    assert store.prune(packs, date(2027, 5, 10), dry_run=True) == ["flags 2026-11-09"]
    assert len(read(store)) == 2
    assert store.prune(packs, date(2027, 5, 10)) == ["flags 2026-11-09"]
    assert keys.keep_only(store.recipient_keys()) == 1
    (left,) = read(store)
    assert keys.show(left["recipient_key"], left["recipient"]) == BERT
    assert keys.hide("nobody")[1] is None
