"""The commands that make evidence packs, and that check them.

Belongs here: arguments. Not here: any answer (`evidence/`).
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from sendwatch.cli.options import configured, finish, hand_out, output, settings_at
from sendwatch.cli.replay import Moment, rules_named
from sendwatch.days import UTC8

if TYPE_CHECKING:
    from sendwatch.cli.options import Output
    from sendwatch.evidence.pack import Asked, Statement
    from sendwatch.evidence.verify import Checked
    from sendwatch.settings import Settings


of_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
by_key = click.option(
    "--key", "public", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The public key, as it was handed out.",
)  # fmt: skip


class Evidence(click.Group):
    """`evidence FLAG_ID` is `evidence pack FLAG_ID`: what comes first is a command or the first flag's id."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named, else `pack`."""
        named = self.get_command(ctx, args[0]) is not None
        return super().resolve_command(ctx, args if named else ["pack", *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options that come first are `pack`'s too."""
        own = not args or args[0] in self.commands or args[0] in {"-h", "--help"}
        return super().parse_args(ctx, args if own else ["pack", *args])


@click.group(cls=Evidence)
def evidence() -> None:
    """Make evidence packs of flags, and check them.

    `sendwatch evidence FLAG_ID` makes one; `evidence verify` checks one anywhere, with nothing but the public key.
    """


@evidence.command()
@click.argument("flag_ids", nargs=-1, metavar="[FLAG_ID]…")
@configured
@click.option("--rule", "rules", multiple=True, help="All flags of this rule: C5, or its whole id; may be given again.")
@click.option("--from", "since", type=Moment(), help="Of sends from this time on (ISO, UTC+8; or ms since 1970 UTC).")
@click.option("--to", "until", type=Moment(), help="Of sends before this time.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; else standard output.")
def pack(
    flag_ids: tuple[str, ...],
    path: str | None,
    rules: tuple[str, ...],
    since: int | None,
    until: int | None,
    out: Path | None,
) -> None:
    """Make a pack of flags: their whole history, and what they rest on.

    Of flags by their ids, or of all flags of a rule in a stretch of time: then the pack proves that it has them all.
    Needs evidence.signing_key.
    """
    from sendwatch.evidence import seal as seals
    from sendwatch.evidence.collect import NoSuchFlagError
    from sendwatch.evidence.pack import Asked

    if bool(flag_ids) == bool(rules) or (rules and (since is None or until is None)):
        raise click.UsageError("give flags by their ids, or --rule with --from and --to")
    asked = Asked(flags=flag_ids)
    if rules:
        asked = Asked(rules=tuple(sorted(rules_named(",".join(rules)))), since=since or 0, until=until or 0)
    try:
        made = finish(_make(settings_at(path), asked))
    except (seals.BadKeyError, NoSuchFlagError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    hand_out(made, out)
    if out is not None:
        click.echo(f"{out}: {len(made):,} bytes", err=True)


async def _make(settings: Settings, asked: Asked) -> bytes:
    from sendwatch import readout
    from sendwatch.evidence import seal as seals
    from sendwatch.evidence.collect import collect
    from sendwatch.evidence.pack import packed

    key = seals.signing_key(settings)
    async with readout.reading(settings, "collecting evidence") as topics:
        contents = await collect(topics, settings, asked, seals.Marks(key))
    return packed(contents, seals.key_id(key.public_key()), key.sign)


@evidence.command()
@click.argument("private", type=click.Path(dir_okay=False, path_type=Path))
def keygen(private: Path) -> None:
    """Make a signing key: PRIVATE, and beside it PRIVATE.pub to hand out."""
    from sendwatch.evidence import seal as seals

    public = private.with_name(f"{private.name}.pub")
    try:
        name = seals.make_key(private, public)
    except FileExistsError as error:
        click.echo(f"{error.filename} is there already, and is not overwritten", err=True)
        sys.exit(2)
    click.echo(f"key {name}: {private} for evidence.signing_key_file, {public} for whoever checks")


@evidence.command()
@of_file
@by_key
@output
def verify(file: Path, public: Path, output: Output) -> None:
    """Check a pack: that nothing was altered, left out or moved.

    With no configuration and no Kafka. Status 1 if anything is wrong; the first bad record is named.
    """
    checked = _checked(file, public)
    if output == "json":
        click.echo(msgspec.json.encode({"sound": checked.fault is None, "fault": checked.fault}).decode())
    elif checked.fault is not None:
        click.echo(f"NOT SOUND 未通过: {checked.fault}")
    elif checked.statement is not None:
        click.echo("\n".join(_told(checked.statement)))
    sys.exit(int(checked.fault is not None))


def _checked(file: Path, public: Path) -> Checked:
    from sendwatch.evidence.seal import BadKeyError, public_key
    from sendwatch.evidence.verify import check

    try:
        return check(file.read_bytes(), public_key(public.read_bytes()))
    except BadKeyError as error:
        click.echo(f"{public}: {error}", err=True)
        sys.exit(2)


def _told(statement: Statement) -> list[str]:
    """What a sound pack holds, in lines."""
    asked = statement.asked
    what = f"flags {', '.join(asked.flags)}" if asked.flags else "the roots of all flags alone"
    if asked.rules:
        what = f"all flags of {', '.join(asked.rules)} on sends from {_when(asked.since)} to {_when(asked.until)}"
    records = sum(root.records for root in statement.roots)
    held = f"{records:,} records of {statement.topic} in {len(statement.roots)} partitions"
    return [
        f"sound 通过: signed by {statement.key} on {_when(statement.made_at)} (UTC+8), sendwatch {statement.sendwatch}",
        f"  {what}",
        f"  {len(statement.lines)} lines, held against {held}",
    ]


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC8).strftime("%Y-%m-%d %H:%M")


@evidence.command()
@configured
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
def seal(path: str | None, out: Path) -> None:
    """Sign all flags as they are now.

    A pack of nothing but the signed roots. Hand it out as often as you like, every day say: what was in the topic then
    cannot be rewritten unseen afterwards (`evidence hold`).
    """
    from sendwatch.evidence.pack import Asked
    from sendwatch.evidence.seal import BadKeyError

    try:
        out.write_bytes(finish(_make(settings_at(path), Asked())))
    except BadKeyError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@evidence.command()
@of_file
@by_key
@configured
def hold(file: Path, public: Path, path: str | None) -> None:
    """Hold the topic against an earlier seal or pack.

    Whether its flags, up to where they were signed then, are still the same, in the same order. Status 1 if not, or if
    compaction has taken any of them since.
    """
    checked = _checked(file, public)
    if checked.fault is not None or checked.statement is None:
        click.echo(f"NOT SOUND 未通过: {checked.fault}")
        sys.exit(1)
    differing = finish(_differing(settings_at(path), checked.statement))
    for sentence in differing:
        click.echo(sentence)
    if not differing:
        click.echo(f"as it was signed on {_when(checked.statement.made_at)} (UTC+8) 与签署时一致")
    sys.exit(int(bool(differing)))


async def _differing(settings: Settings, statement: Statement) -> list[str]:
    from sendwatch import readout
    from sendwatch.evidence.collect import differing

    async with readout.reading(settings, "holding the flags against a seal") as topics:
        return await differing(topics, statement.roots)


@evidence.command(name="open")
@click.argument("place", metavar="TOPIC:PARTITION:OFFSET")
@configured
def open_mark(place: str, path: str | None) -> None:
    """Tell the nonce of one record.

    For whoever is shown the record itself: sha256 of the nonce's bytes and the record's value is its `marked` in a
    pack. Of other records it tells nothing.
    """
    from sendwatch.evidence import seal as seals

    try:
        key = seals.signing_key(settings_at(path))
        click.echo(seals.Marks(key).nonce(place).hex())
    except seals.BadKeyError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
