"""The command that holds a planned campaign against filings and limits, before it is sent.

Belongs here: arguments. Not here: any answer.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from sendwatch.cli.options import configured, finish, output, settings_at

if TYPE_CHECKING:
    from sendwatch.cli.options import Output


@click.command()
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@configured
@output
def readiness(plan: str, path: str | None, output: Output) -> None:
    """Say what a planned campaign would break.

    PLAN is a CSV file (- for standard input) with the columns signature, port, sp, type, sends, at, and if known
    carrier and province: held against the filings at that time, and against the complaints that such sends brought
    so far. Status 1 if anything would or may break.
    """
    from sendwatch.aggregator.breaches import add_up
    from sendwatch.kafka.connection import CannotConnectError
    from sendwatch.report.readiness import BadPlanError, as_json, as_lines, plans_in
    from sendwatch.windows.readiness import ready

    settings = settings_at(path)
    try:
        with click.open_file(plan, encoding="utf-8-sig") as lines:
            plans = plans_in(lines)
        added = finish(add_up(settings))
    except (BadPlanError, CannotConnectError, UnicodeDecodeError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    quiet = (settings.judging.quiet_from, settings.judging.quiet_until)
    found = [ready(each, added.board, added.registry, quiet) for each in plans]
    if output == "json":
        click.echo(msgspec.json.encode(as_json(found)).decode())
    else:
        for line in as_lines(found):
            click.echo(line)
    sys.exit(int(any(each.concerns for each in found)))
