"""Where the dossiers of one partition lie: RocksDB on local disk, or memory, behind one interface.

Belongs here: reading and writing values by key, atomically. Not here: what a value means (`dossier.py`,
`partition.py`). The store is a materialised fold: whatever is lost here can be rebuilt from the topics.

    damaged, or of another format   destroyed and built anew, never served; where it is noticed only on reading or
                                    writing, the worker ends and the next start does it
    any other failure of the disk   (full, read-only, locked) the worker ends and says so; the store stays as it is

RocksDB, measured with rocksdict 0.3.29 (see `tests/bench`): it reopens a database with the options stored in it
unless the column family is named, which would leave an 8 MB cache and no bloom filter; and every partition has its
own write buffers, so one manager bounds them all together.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Protocol, cast

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger("sendwatch.worker")

FORMAT = b"sendwatch-3"  # of all that lies in a store: a test tells when it must be another
FORMAT_KEY = b"\x00format"
MEGABYTE = 1 << 20
DAMAGE = ("Corruption", "Invalid argument")
NO_ROOM = ("No space left", "quota exceeded", "File too large")
READ_ONLY, FEW_FILES = ("Read-only file system", "Permission denied"), "Too many open files"
DAMAGED = "sendwatch-damaged"


class StoreFailedError(Exception):
    """The disk fails a store; the message says where, what becomes of it and what to do, then RocksDB's own words."""


class Store(Protocol):
    """What a partition needs of its store."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of these keys, None where there is none."""

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Put all these values at once, or none; None deletes."""

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Every key that begins so, with its value, in order of keys."""

    def count(self) -> int:
        """About how many keys it holds."""

    def close(self) -> None:
        """Flush and let go."""


class MemoryStore:
    """A store for tests and small runs; it ends with the process."""

    def __init__(self) -> None:
        """Start empty."""
        self._values: dict[bytes, bytes] = {}

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of these keys, None where there is none."""
        return [self._values.get(key) for key in keys]

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Put all these values; None deletes."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Every key that begins so, with its value, in order of keys."""
        return sorted((key, value) for key, value in self._values.items() if key.startswith(prefix))

    def count(self) -> int:
        """How many keys it holds."""
        return len(self._values)

    def close(self) -> None:
        """Nothing to let go of."""


class RocksShared:
    """What all partitions of a process share: one block cache, one bound on write buffers."""

    def __init__(self, cache_mb: int, write_buffer_mb: int) -> None:
        """Sizes in MiB, for the whole process."""
        self.cache = Cache(cache_mb * MEGABYTE)
        self.write_buffers = WriteBufferManager(write_buffer_mb * MEGABYTE, allow_stall=False)

    def options(self) -> Options:
        """Options for one partition's database."""
        blocks = BlockBasedOptions()
        blocks.set_block_cache(self.cache)
        blocks.set_bloom_filter(10, block_based=False)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self.write_buffers)
        options.set_write_buffer_size(64 * MEGABYTE)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_level_compaction_dynamic_level_bytes(True)
        options.set_max_background_jobs(2)
        options.set_max_open_files(256)
        options.set_keep_log_file_num(2)
        return options


class RocksStore:
    """One partition's database in `folder`."""

    def __init__(self, folder: Path, shared: RocksShared) -> None:
        """Open it, or build it anew where it cannot be read or is of another format.

        Raises StoreFailedError where the disk, or whoever else has it open, does not let us.
        """
        self._folder = folder
        self._shared = shared
        with self._telling():
            found = self._look()
            if found is not None:
                log.warning("the store is built anew from the topics", extra={"folder": str(folder), "reason": found})
                shutil.rmtree(folder)
                self._db = self._open()
                self._db.put(FORMAT_KEY, FORMAT)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of these keys, None where there is none; sorted keys read faster."""
        with self._telling():
            return cast("list[bytes | None]", self._db.get(list(keys)))

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Put all these values in one atomic write; None deletes."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        with self._telling():
            self._db.write(batch)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Every key that begins so, with its value, in order of keys."""
        found: list[tuple[bytes, bytes]] = []
        with self._telling():
            entries = self._db.iter()
            entries.seek(prefix)
            while entries.valid() and (key := cast("bytes", entries.key())).startswith(prefix):
                found.append((key, cast("bytes", entries.value())))
                entries.next()
            entries.status()  # at a damaged block it ends as if there were no more
        return found

    def count(self) -> int:
        """About how many keys it holds, by RocksDB's own estimate."""
        found = self._db.property_int_value("rocksdb.estimate-num-keys")
        return int(found or 0)

    def close(self) -> None:
        """Flush and let go; where the disk does not take it, the log of writes has it all the same."""
        for last in (self._db.flush, self._db.close):
            try:
                last()
            except Exception as error:  # noqa: BLE001 - rocksdict raises bare Exception
                log.warning("a store was not closed well", extra={"folder": str(self._folder), "error": str(error)})

    def _look(self) -> str | None:
        """Open what is there; why it cannot be used, or None. A new one is made where there is none."""
        if (self._folder / DAMAGED).exists():
            return "damaged, as was noticed when it was last used"
        fresh = not self._folder.exists()
        opened: Rdict | None = None
        try:
            self._db = opened = self._open()
            if fresh:
                opened.put(FORMAT_KEY, FORMAT)
            known = cast("bytes | None", opened.get(FORMAT_KEY))
        except Exception as error:
            if opened is not None:
                opened.close()
            if not is_damage(error):
                raise
            return f"damaged: {error}"
        if known == FORMAT:
            return None
        opened.close()
        return f"of format {(known or b'none').decode(errors='replace')}, not {FORMAT.decode()}"

    def _open(self) -> Rdict:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        options = self._shared.options()
        return Rdict(str(self._folder), options, column_families={"default": options})

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Raise what RocksDB says as a StoreFailedError, and mark a damaged store: the next start builds it anew."""
        try:
            yield
        except Exception as error:
            if is_damage(error):
                with suppress(OSError):  # what was there to be told first is told
                    (self._folder / DAMAGED).touch()
            raise StoreFailedError(f"{told_of(error, self._folder)}: {error}") from error


def refuse_unwritable(folder: Path) -> None:
    """Raise StoreFailedError where no store could lie in a folder; it is made where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreFailedError(f"{told_of(error, folder)}: {error}") from error


def told_of(error: Exception, folder: Path) -> str:
    """What an error means to whoever runs the worker."""
    if is_damage(error):
        return f"the store in {folder} is damaged; it is marked, and the next start builds it anew from the topics"
    if any(each in str(error) for each in NO_ROOM):
        return (
            f"no room on the disk for the store in {folder}: judging stops here. Nothing is lost: what was published "
            "and committed stands in the topics. Make room, and start the worker again"
        )
    if any(each in str(error) for each in READ_ONLY):
        return f"{folder} cannot be written to: make engine.data_dir a folder on a disk that this user may write to"
    if FEW_FILES in str(error):
        return (
            f"no more files may be opened for the store in {folder}: judging stops here. Nothing is lost. Raise this "
            "process's limit (LimitNOFILE of its unit, ulimit -n), and start the worker again"
        )
    if "LOCK" in str(error) or "lock " in str(error):
        return f"the store in {folder} is open already: no two workers may have one engine.data_dir"
    return f"the store in {folder} cannot be used"


def is_damage(error: Exception) -> bool:
    """Whether RocksDB says that its files are damaged or gone: not a lock, a full disk or a missing right."""
    told = str(error)
    return told.startswith(DAMAGE) or (told.startswith("IO error: No such file") and "LOCK" not in told)
