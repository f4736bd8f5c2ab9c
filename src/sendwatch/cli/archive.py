"""The commands that keep what was found beyond the topics' retention, and that let go of it.

Belongs here: arguments. Not here: any answer (`archive/`).
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sendwatch.cli.options import configured, finish, settings_at
from sendwatch.days import UTC8

if TYPE_CHECKING:
    from sendwatch.archive.store import Store
    from sendwatch.settings import Settings

ROWS_AT_ONCE = 200_000
to = click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Instead of archive.folder.")


class Day(click.ParamType):
    """An ISO date."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date such as 2026-11-09", param, ctx)


@click.group(invoke_without_command=True)
@configured
@to
@click.option(
    "--day", type=Day(), help="Only this day (UTC+8), all of it anew; else all that came since the last time."
)
@click.pass_context
def archive(ctx: click.Context, path: str | None, folder: Path | None, day: date | None) -> None:
    """Keep what was found, as Parquet by day.

    Flags, breaches, tallies and decisions. Takes in what was published since the last time; to be called every day, or
    as often as you like: what is there is there once. A run that is cut off is taken up again. Recipients are hidden
    under a key each (archive.keys).
    """
    if ctx.invoked_subcommand is not None:
        return
    from sendwatch.archive.store import BusyError

    try:
        new = finish(_archive(settings_at(path), folder, None if day is None else day.isoformat()))
    except BusyError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{new:,} new rows", err=True)


async def _archive(settings: Settings, folder: Path | None, day: str | None) -> int:
    from sendwatch import readout
    from sendwatch.archive.keys import Keys
    from sendwatch.archive.rows import Positions, owners, rows
    from sendwatch.archive.tables import Row

    store, new, held = _store(settings, folder), 0, list[Row]()
    with store.writing(), Keys(Path(settings.archive.keys)) as keys:
        positions = store.positions if day is None else Positions()

        def take() -> int:
            keys.commit()
            count = store.take(held)
            held.clear()
            if day is None:
                store.keep(positions)
            return count

        async with readout.reading(settings, "archiving") as topics:
            async for found in rows(topics, positions, keys.hide):
                held += [row for row in found if day is None or row.day == day]
                if len(held) >= ROWS_AT_ONCE:
                    new += take()
            store.name(await owners(topics))
        return new + take()


def _store(settings: Settings, folder: Path | None) -> Store:
    from sendwatch.archive.store import Store

    return Store(folder or Path(settings.archive.folder))


@archive.command()
@configured
@to
@click.option("--today", type=Day(), help="As if it were this day.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
def prune(path: str | None, folder: Path | None, today: date | None, dry_run: bool) -> None:
    """Let go of the days that the law wants kept no longer.

    By the longest term of the law packs in force on a day; with them go the keys of recipients of whom nothing is left.
    """
    from sendwatch import law
    from sendwatch.archive.keys import Keys
    from sendwatch.archive.store import BusyError

    settings = settings_at(path)
    store = _store(settings, folder)
    try:
        with store.writing(), Keys(Path(settings.archive.keys)) as keys:
            gone = store.prune(law.load(), today or datetime.now(UTC).astimezone(UTC8).date(), dry_run=dry_run)
            destroyed = 0 if dry_run else keys.keep_only(store.recipient_keys())
    except BusyError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for each in gone:
        click.echo(each)
    verb = "would go" if dry_run else f"gone, and {destroyed} keys"
    click.echo(f"{len(gone)} days of a kind {verb}", err=True)


@archive.command()
@click.argument("token", metavar="RECIPIENT-TOKEN")
@configured
def erase(token: str, path: str | None) -> None:
    """Erase a recipient from the archive, by destroying its key.

    The token is the published one, as flags show it. It cannot be undone. Status 1 where nothing was kept of it; it is
    kept out from now on all the same. Kafka's own topics and copies of the key file are not reached.
    """
    from sendwatch.archive.keys import Keys

    with Keys(Path(settings_at(path).archive.keys)) as keys:
        had = keys.erase(token)
    click.echo("its key is destroyed" if had else "nothing was kept of it", err=True)
    sys.exit(int(not had))
