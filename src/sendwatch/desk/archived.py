"""A flag that is no longer at hand: as the archive has it, else where to look for it.

Belongs here: finding one flag in the archive's files, and what is said where it is not there. Not here: writing them
(`archive/`), what is at hand (`flags.py`).

The archive hides recipients under keys of their own, which the desk is not given: such a flag has none. All records of
a flag are of one day, its send's; so the newest day that has the flag has all of it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch.desk.flags import Held
from sendwatch.desk.gate import RefusedError
from sendwatch.ledger import Version
from sendwatch.outgoing import Because, FlagEvent, FlaggedSend, Law, Place, Reason

if TYPE_CHECKING:
    from sendwatch.desk.server import Desk


async def flag_of(desk: Desk, flag_id: str) -> tuple[Held, bool]:
    """A flag, and whether it is the archive's; raises RefusedError, which says how far back the desk knows."""
    held = desk.at_hand.flags.get(flag_id)
    if held is not None:
        return held, False
    folder = Path(desk.settings.archive.folder)
    found = await asyncio.to_thread(read_flag, folder, flag_id)
    if found is None:
        raise RefusedError(404, _nowhere(desk, flag_id, folder))
    return Held(found, 0), True


def read_flag(folder: Path, flag_id: str) -> FlagEvent | None:
    """The last record of a flag in an archive; None where it has none."""
    try:
        import pyarrow.parquet as pq

        from sendwatch.archive.store import Store
    except ImportError:  # without the extra `desk` there is nothing to read Parquet with
        return None
    store = Store(folder)
    for day in reversed(store.days("flags")):
        path, wanted = store.path("flags", day), ("flag_id", "=", flag_id)
        try:
            if pq.read_table(path, columns=["flag_id"], filters=[wanted], partitioning=None).num_rows:
                rows = pq.read_table(path, filters=[wanted], partitioning=None).to_pylist()
                return _event(max(rows, key=lambda row: (row["partition"], row["offset"])))
        except FileNotFoundError:  # let go meanwhile: its time was over
            continue
    return None


def _event(row: dict[str, Any]) -> FlagEvent:
    """A row of the archive as it was published, without its recipient."""

    def told(shape: type[Any], prefix: str = "", **more: Any) -> Any:
        names = shape.__struct_fields__
        return shape(**{name: row.get(f"{prefix}{name}") for name in names if name not in more}, **more)

    return FlagEvent(
        **{name: row[name] for name in ("flag_id", "revision", "epoch", "status", "shadow", "rule", "severity")},
        law=told(Law),
        send=told(FlaggedSend, id=row["send_id"], recipient=""),
        evidence=msgspec.json.decode(row["evidence"]),
        reason=told(Reason, "reason_"),
        source=told(Place, "source_"),
        because=told(Because, "because_") if row["because_id"] is not None else None,
        judged_at=row["judged_at"],
        version=told(Version),
    )


def _nowhere(desk: Desk, flag_id: str, folder: Path) -> str:
    flags, topics = desk.at_hand.flags, desk.settings.topics
    since = flags.oldest_at()
    back = f"the oldest was judged {_utc(since)}" if since is not None else f"{len(flags)} so far"
    days = sorted(path.name.removeprefix("day=") for path in (folder / "flags").glob("day=*"))
    kept = f"the archive, {days[0]} to {days[-1]}" if days else "an archive: there is none here"
    return (
        f"No flag {flag_id} among the latest {flags.most} ({back}), nor in {kept}. `sendwatch evidence {flag_id}` "
        f"finds it as long as {topics.name('flags')} has it, and `sendwatch explain "
        f"{topics.name('sends')}:PARTITION:OFFSET` every rule's answer about its send."
    )


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
