"""The store: one contract for memory and RocksDB; and what RocksDB does when a disk or a neighbour misbehaves."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from sendwatch.aggregator.ledger_fold import Place
from sendwatch.dossier import Dossier
from sendwatch.engine.partition import Position
from sendwatch.engine.store import FORMAT, FORMAT_KEY, MemoryStore, RocksShared, RocksStore, StoreFailedError
from sendwatch.windows.aftermath import Aftermath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from sendwatch.engine.store import Store

SHARED = RocksShared(cache_mb=24, write_buffer_mb=16)
MEGABYTE = 1 << 20


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else RocksStore(tmp_path / "p0", SHARED)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database of 2,000 values, closed, of which one table file holds them all."""
    folder = tmp_path / "data" / "p0"
    written = RocksStore(folder, SHARED)
    written.write(values())
    written.close()
    return folder


def values() -> dict[bytes, bytes | None]:
    """Values that lz4 cannot make smaller, so that any byte of a table file matters."""
    return {b"d%04d" % number: os.urandom(100) for number in range(2000)}


def present(store: Store) -> int:
    """How many of `values` are there."""
    return sum(value is not None for value in store.get_many(list(values())))


def test_what_is_written_is_read(store: Store) -> None:
    """Values come back in the order of the keys asked for; None where there is none, as often as asked."""
    store.write({b"a": b"1", b"b": b"", b"c\x00": b"3"})
    assert store.get_many([b"c\x00", b"a", b"x", b"b", b"a"]) == [b"3", b"1", None, b"", b"1"]


def test_nothing_asked_nothing_told(store: Store) -> None:
    """No keys, no values; no changes, no change."""
    store.write({})
    assert store.get_many([]) == []


def test_the_last_write_of_a_key_holds(store: Store) -> None:
    """A value is replaced, and None deletes, also what is not there."""
    store.write({b"a": b"1", b"b": b"1"})
    store.write({b"a": b"2", b"b": None, b"c": None})
    assert store.get_many([b"a", b"b", b"c"]) == [b"2", None, None]


def test_a_prefix_is_scanned_in_order(store: Store) -> None:
    """Only the keys that begin so, in order of their bytes, the prefix itself and its deleted ones considered."""
    store.write({b"o": b"0", b"ob": b"2", b"oa": b"1", b"o\xff": b"3", b"p": b"9", b"n": b"9", b"od": b"9"})
    store.write({b"od": None})
    assert store.scan(b"o") == [(b"o", b"0"), (b"oa", b"1"), (b"ob", b"2"), (b"o\xff", b"3")]
    assert store.scan(b"q") == []


def test_keys_are_counted(store: Store) -> None:
    """About as many as there are."""
    store.write({b"%d" % number: b"v" for number in range(100)})
    assert 100 <= store.count() <= 102


def test_a_scan_outlives_writes(store: Store) -> None:
    """What was scanned is a list of its own: writing while going through it is fine."""
    store.write({b"oa": b"1", b"ob": b"2"})
    for key, _ in store.scan(b"o"):
        store.write({key: None})
    assert store.scan(b"o") == []


def test_a_database_is_found_again(folder: Path) -> None:
    """What was written before is there after reopening."""
    reopened = RocksStore(folder, SHARED)
    assert present(reopened) == 2000
    reopened.close()


def test_options_are_in_force_after_reopening(folder: Path) -> None:
    """The shared cache and the bloom filter are really used, and not those that RocksDB would take by itself."""
    reopened = RocksStore(folder, SHARED)
    assert reopened._db.property_int_value("rocksdb.block-cache-capacity") == 24 * MEGABYTE
    written = max(folder.glob("OPTIONS-*"), key=lambda path: int(path.name.rpartition("-")[2])).read_text()
    for line in ("compression=kLZ4Compression", f"write_buffer_size={64 * MEGABYTE}", "max_open_files=256"):
        assert f"\n  {line}\n" in written
    assert "\n  cache_index_and_filter_blocks=true\n" in written
    reopened.write({b"e" + key: value for key, value in values().items()})
    reopened._db.flush()
    told = reopened._db.property_value("rocksdb.aggregated-table-properties") or ""
    filters = re.search(r"filter block size=(\d+)", told)
    assert filters is not None
    assert int(filters[1]) * 8 >= 4000 * 10, "ten bits a key, or reads of what is not there would go to the disk"
    reopened.close()


def test_partitions_share_one_cache_and_one_bound(tmp_path: Path) -> None:
    """A block read by one partition takes room in the cache of the other: there is one for the process."""
    one, other = RocksStore(tmp_path / "p1", SHARED), RocksStore(tmp_path / "p2", SHARED)
    one.write(values())
    one._db.flush()
    before = other._db.property_int_value("rocksdb.block-cache-usage") or 0
    one.get_many(list(values()))
    assert (other._db.property_int_value("rocksdb.block-cache-usage") or 0) > before + 100_000
    one.close()
    other.close()


@pytest.mark.parametrize("other", [b"sendwatch-0", b"sendwatch-99", None])
def test_a_store_of_another_format_is_built_anew(
    folder: Path, other: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Values that an older or a newer version wrote are not served, and the log says why; what comes then stays."""
    older = RocksStore(folder, SHARED)
    older.write({FORMAT_KEY: other})
    older.close()
    anew = RocksStore(folder, SHARED)
    assert present(anew) == 0
    told: Any = caplog.records[-1]
    assert told.getMessage() == "the store is built anew from the topics"
    assert told.reason == f"of format {(other or b'none').decode()}, not {FORMAT.decode()}"
    anew.write({b"a": b"1"})
    anew.close()
    again = RocksStore(folder, SHARED)
    assert again.get_many([b"a", FORMAT_KEY]) == [b"1", FORMAT]
    again.close()


def shape_of(kind: Any, known: dict[str, str]) -> dict[str, str]:
    """The fields of a struct and of all that it holds, in order, by name of the struct."""
    if hasattr(kind, "__struct_fields__") and kind.__name__ not in known:
        hints = get_type_hints(kind)
        known[kind.__name__] = ", ".join(f"{name}: {hints[name]}" for name in kind.__struct_fields__)
        for name in kind.__struct_fields__:
            shape_of(hints[name], known)
    for inner in get_args(kind):
        shape_of(inner, known)
    return known


def test_what_lies_in_a_store_is_what_its_format_says() -> None:
    """Where this fails, what is written to stores has changed: give FORMAT another number, or old ones are misread."""
    known: dict[str, str] = {}
    for kind in (Dossier, Position, Aftermath, Place):
        shape_of(kind, known)
    assert {"Act", "Answer", "Kept", "Long", "Piece", "Standing"} < known.keys()
    fields = re.sub(r"\w+\.", "", repr(sorted(known.items())))  # in which module a class is, is no matter
    digest = blake2b(fields.encode(), digest_size=8).hexdigest()
    assert (FORMAT, digest) == (b"sendwatch-3", "44ac5af3d0f9c762"), known


def flip(path: Path) -> None:
    """Turn all bits of a byte in the first third of a file: of a table file that lies among the values."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def flip_end(path: Path) -> None:
    """Damage the end of a file, where a table file has its footer."""
    content = bytearray(path.read_bytes())
    content[-9] ^= 0xFF
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path: Path) -> None:
    path.unlink()


MISSING_MANIFEST = pytest.param("MANIFEST-*", remove)


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*.sst", flip_end),
        ("*.sst", halve),
        ("*.sst", remove),
        ("MANIFEST-*", flip),
        ("MANIFEST-*", halve),
        ("MANIFEST-*", remove),
        ("CURRENT", flip),
        ("CURRENT", halve),
        ("CURRENT", remove),
    ],
)
def test_a_damaged_database_is_built_anew(folder: Path, pattern: str, damage: Callable[[Path], None]) -> None:
    """Files that are broken, cut or gone: the store opens empty, works, and is whole when it is opened again."""
    for path in folder.glob(pattern):
        damage(path)
    anew = RocksStore(folder, SHARED)
    assert present(anew) == 0
    anew.write({b"a": b"1"})
    anew.close()
    again = RocksStore(folder, SHARED)
    assert again.get_many([b"a"]) == [b"1"]
    again.close()


def test_a_damaged_block_is_noticed_when_it_is_read(folder: Path) -> None:
    """A flipped bit among the values is not seen on opening, but never served: reading it raises."""
    for path in folder.glob("*.sst"):
        flip(path)
    damaged = RocksStore(folder, SHARED)
    with pytest.raises(StoreFailedError, match=r"next start builds it anew.*Corruption"):
        present(damaged)
    damaged.close()


def test_a_damaged_block_is_noticed_when_it_is_scanned(folder: Path) -> None:
    """A scan does not end at it as if that were all there is; the next opening builds the store anew."""
    for path in folder.glob("*.sst"):
        flip(path)
    damaged = RocksStore(folder, SHARED)
    with pytest.raises(StoreFailedError, match="Corruption"):
        damaged.scan(b"d")
    damaged.close()
    anew = RocksStore(folder, SHARED)
    assert anew.scan(b"d") == []
    anew.close()


@pytest.mark.parametrize("part", [0.0, 0.001, 0.01, 0.3, 0.6, 0.9, 0.97, 0.99, 0.999])
def test_wherever_a_byte_is_wrong_nothing_wrong_is_served(
    folder: Path, part: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Noticed when it is opened or read, or it changes nothing; at the latest the second opening is of a sound one."""
    before = RocksStore(folder, RocksShared(8, 8))
    whole = before.scan(b"d")
    before.close()
    for path in folder.glob("*.sst"):
        content = bytearray(path.read_bytes())
        content[int(len(content) * part)] ^= 0xFF
        path.write_bytes(content)
    for _ in range(2):
        store = RocksStore(folder, RocksShared(8, 8))  # a cache that has seen the sound file would hide it
        try:
            found = store.scan(b"d")
        except StoreFailedError:
            continue
        finally:
            store.close()
        told = [record.getMessage() for record in caplog.records]
        assert found == whole or (found == [] and "the store is built anew from the topics" in told)
        return
    pytest.fail("it was not built anew")


def test_a_damaged_block_leads_to_a_new_store(folder: Path) -> None:
    """Once a damaged block has been read, the next opening builds the store anew."""
    for path in folder.glob("*.sst"):
        flip(path)
    damaged = RocksStore(folder, SHARED)
    with pytest.raises(Exception, match="Corruption"):
        present(damaged)
    damaged.close()
    anew = RocksStore(folder, SHARED)
    try:
        assert present(anew) == 0
    finally:
        anew.close()


def hold(folder: Path, held: Event, done: Event) -> None:
    """Keep a store open until told."""
    holding = RocksStore(folder, RocksShared(8, 8))
    held.set()
    done.wait(30)
    holding.close()


def test_a_store_that_another_process_holds_is_left_alone(folder: Path) -> None:
    """It is an error that names the lock, and what the other has written stays."""
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(folder, held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(Exception, match=r"(?i)lock"):
            RocksStore(folder, SHARED)
    finally:
        done.set()
        other.join(30)
    assert other.exitcode == 0
    after = RocksStore(folder, SHARED)
    assert present(after) == 2000
    after.close()


def test_a_store_that_is_open_already_is_left_alone(folder: Path) -> None:
    """The same process, twice: an error, and nothing is destroyed."""
    first = RocksStore(folder, SHARED)
    with pytest.raises(Exception, match=r"(?i)lock"):
        RocksStore(folder, SHARED)
    assert present(first) == 2000
    first.close()


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """What was written stands although the store was never closed: its log is read again."""
    folder = tmp_path / "p0"
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=write_and_die, args=(folder,))
    writer.start()
    writer.join(30)
    assert writer.exitcode == 9
    after = RocksStore(folder, SHARED)
    assert after.get_many([b"a", b"b"]) == [b"1", b"2"]
    after.close()


def write_and_die(folder: Path) -> None:
    """Write, and end without closing anything."""
    writer = RocksStore(folder, RocksShared(8, 8))
    writer.write({b"a": b"1"})
    writer.write({b"b": b"2"})
    os._exit(9)


def write_until_full(folder: Path, most: int) -> None:
    """Write to a store until no file may be longer than that; then close it, and end with 9 if all was told well."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    full, number = RocksStore(folder, RocksShared(8, 8)), 0
    try:
        while number < 10_000:
            full.write({b"d%05d" % number: os.urandom(1000)})
            number += 1
    except StoreFailedError as error:
        told = str(error)
    else:
        os._exit(1)
    full.close()
    (folder.parent / "written").write_text(str(number))
    os._exit(9 if "no room on the disk" in told and str(folder) in told else 2)


def test_a_full_disk_is_told_and_what_was_written_before_stands(tmp_path: Path) -> None:
    """The error names the folder and what to do; closing fails no more; with room again it goes on where it was."""
    folder = tmp_path / "data" / "p0"
    writer = multiprocessing.get_context("spawn").Process(target=write_until_full, args=(folder, 1_000_000))
    writer.start()
    writer.join(60)
    assert writer.exitcode == 9
    written = int((folder.parent / "written").read_text())
    assert written > 500
    after = RocksStore(folder, SHARED)
    assert len(after.scan(b"d")) == written
    after.write({b"e": b"1"})
    after.close()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """A file where the folder should be, as a bad mount or a typing error leaves it: an error with its name."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreFailedError, match=str(tmp_path / "data")):
        RocksStore(tmp_path / "data" / "p0", SHARED)
