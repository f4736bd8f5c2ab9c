"""The command that judges the past again.

Belongs here: arguments. Not here: any answer (`replay/`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sendwatch.cli.options import configured, finish, output, settings_at

if TYPE_CHECKING:
    from sendwatch.cli.options import Output


class Moment(click.ParamType):
    """A time: ms since 1970 UTC, or an ISO date or date and time (UTC+8 where it names no zone)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in ms since 1970 UTC."""
        from sendwatch.days import instant

        if isinstance(value, int):
            return value
        try:
            return int(value) if value.isdigit() else instant(value)
        except ValueError:
            self.fail(f"{value!r} is no time: ms since 1970, or an ISO date such as 2026-11-09T08:00", param, ctx)


@click.command()
@configured
@click.option("--from", "since", type=Moment(), help="Only sends from this time on (ISO, UTC+8; or ms since 1970 UTC).")
@click.option("--to", "until", type=Moment(), help="Only sends before this time.")
@click.option("--law", metavar="PACK", help="As if this law pack were in force: miit-31, or a .toml file. A what-if.")
@click.option("--rules", "names", metavar="RULES", help="Only flags of these: C5,G2 or whole ids. A what-if.")
@click.option("--dry-run", is_flag=True, help="Only tell what would change; read-only, whoever works meanwhile.")
@output
def replay(
    path: str | None,
    since: int | None,
    until: int | None,
    law: str | None,
    names: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Judge past sends again, and publish corrections.

    By exactly the judge that runs live, with all that is known now. It takes over all partitions, as a worker does, and
    is refused while workers run. With --dry-run it only tells what would change; status 1 if anything would.
    """
    from sendwatch import logs
    from sendwatch.replay import NoSuchPackError, Wish
    from sendwatch.replay import replay as replay_now
    from sendwatch.replay.publish import CannotReplayError, publish
    from sendwatch.replay.show import as_json, as_lines

    if not dry_run and (law or names):
        raise click.UsageError(
            "--law and --rules ask what if: a flag under a law that is not in force would not be true. Add --dry-run"
        )
    wish, settings = Wish(since, until, law, rules_named(names)), settings_at(path)
    try:
        if dry_run:
            found, left = finish(replay_now(settings, wish)), None
        else:
            logs.set_up(settings.logs, secrets=settings.secrets)
            done = finish(publish(settings, wish))
            found, left = done.found, done.left
    except NoSuchPackError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except CannotReplayError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(as_json(found, left) if output == "json" else "\n".join(as_lines(found, left)))
    sys.exit(int(dry_run and not found.empty))


def rules_named(names: str | None) -> frozenset[str]:
    """The rules that are named, whole or by what comes before the first underscore."""
    from sendwatch import rules

    known = {name: rule_id for rule_id in rules.discover() for name in (rule_id, rule_id.partition("_")[0])}
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise click.BadParameter(f"there is no rule {', '.join(unknown)}", param_hint="--rules")
    return frozenset(known[name] for name in wanted)
