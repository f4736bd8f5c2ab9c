"""The command line. Exit status: 0 all is well, 1 something was found, 2 the call was wrong.

Belongs here: the list of all commands, and those that set up and run: arguments, and turning answers into lines or
JSON. Not here: any answer; the other commands (the modules beside this one).
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from sendwatch import __version__
from sendwatch.cli import (
    archive,
    demo,
    desk,
    downstream,
    evidence,
    judged,
    readiness,
    replay,
    report,
    rules,
)
from sendwatch.cli.options import configuration_at, configured, finish, output, settings_at

if TYPE_CHECKING:
    from sendwatch.cli.options import Output
    from sendwatch.settings import Settings

ORDER = (
    "demo", "check", "topics", "run", "aggregate", "rollup", "tail", "explain", "books", "audit", "replay", "breaches",
    "check-campaign", "readiness", "evidence", "archive", "report", "rules", "law", "config", "token", "schema",
    "simulate", "alert-test", "version",
)  # fmt: skip
"""Commands as people meet them: look, set up, run, read what comes out, doubt it, look things up, try it."""


OF_DESK = frozenset({"pyarrow", "duckdb", "jinja2", "xlsxwriter", "cryptography"})
"""The packages of the optional extra `desk`: commands import them only when they are called."""


class Commands(click.Group):
    """All commands: listed in our order, and those that need what was not installed say so."""

    def invoke(self, ctx: click.Context) -> object:
        """Call a command."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in OF_DESK:
                raise
            what = f"{ctx.info_name} {ctx.invoked_subcommand} needs {missing}, which is not installed"
            click.echo(f"{what}: pip install 'sendwatch[desk]'", err=True)
            sys.exit(2)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that `ORDER` has, then any others."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Watch commercial SMS: which sends break which clause, within a second of being sent."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"sendwatch {__version__}")


@main.command()
@configured
@click.option("--until-end", is_flag=True, help="Judge all that is there now, settle, commit, and exit.")
def run(path: str | None, until_end: bool) -> None:
    """Run a worker."""
    from sendwatch import logs
    from sendwatch.app import build, serve

    settings = settings_at(path)
    logs.set_up(settings.logs, secrets=settings.secrets)
    finish(serve(build(settings, until_end=until_end)))


@main.command()
@configured
def aggregate(path: str | None) -> None:
    """Add up what workers judge; serve the page.

    Publishes breaches. Of several such processes one adds up, the others stand by. The page: desk.host, desk.port.
    """
    from sendwatch import logs
    from sendwatch.app import build_aggregator, serve

    settings = settings_at(path)
    logs.set_up(settings.logs, secrets=settings.secrets)
    app = build_aggregator(settings)
    if settings.desk.serve:
        from sendwatch.desk.server import Desk

        app.beside = (Desk(settings, app.live),)
    finish(serve(app))


@main.command()
@configured
def rollup(path: str | None) -> None:
    """Sum up the ledger where one process is too small.

    For `sendwatch aggregate` with breaches.rollups. Start any number, at most one for each partition.
    """
    from sendwatch import logs
    from sendwatch.app import build_roller, serve

    settings = settings_at(path)
    logs.set_up(settings.logs, secrets=settings.secrets)
    finish(serve(build_roller(settings)))


@main.command()
@configured
@output
def check(path: str | None, output: Output) -> None:
    """Check configuration, connection and topics."""
    sys.exit(_survey(settings_at(path), output, apply=False))


@main.group()
def topics() -> None:
    """Make the topics, or see what would be made."""


@topics.command()
@configured
@output
def plan(path: str | None, output: Output) -> None:
    """Show what `apply` would do."""
    sys.exit(_survey(settings_at(path), output, apply=False))


@topics.command()
@configured
@output
def apply(path: str | None, output: Output) -> None:
    """Make what is missing.

    Refuses where a topic has another number of partitions than it should.
    """
    sys.exit(_survey(settings_at(path), output, apply=True))


def _survey(settings: Settings, output: Output, *, apply: bool) -> int:
    from sendwatch.kafka import topics
    from sendwatch.kafka.connection import CannotConnectError

    def tell(sentence: str) -> None:
        click.echo(sentence, err=True)

    try:
        found = asyncio.run((topics.apply if apply else topics.survey)(settings, tell))
    except (CannotConnectError, topics.TopicsRefusedError) as error:
        tell(str(error))
        return 1
    if output == "json":
        click.echo(msgspec.json.encode(found).decode())
    else:
        for change in found.changes:
            click.echo(change.sentence)
        for note in found.notes:
            click.echo(f"note: {note}")
    return 0 if apply else int(any(change.need != "keep" for change in found.changes))


@main.group(name="config")
def config_group() -> None:
    """Look at the configuration."""


@config_group.command()
@configured
def show(path: str | None) -> None:
    """Every setting, and where its value comes from; secrets hidden."""
    from sendwatch import manual

    configuration = configuration_at(path)
    for line in manual.show(configuration.settings, configuration.origins):
        click.echo(line)


for command in (
    archive.archive, demo.demo, demo.simulate, desk.check_campaign, desk.token,
    downstream.alert_test, downstream.schema, downstream.tail, evidence.evidence, judged.audit,
    judged.books, judged.breaches, judged.explain, readiness.readiness, replay.replay,
    report.report, rules.law, rules.rules,
):  # fmt: skip
    main.add_command(command)
