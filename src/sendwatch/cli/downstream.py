"""Commands for those who live on what comes out: the teams downstream, and whoever is called.

Belongs here: arguments. Not here: any answer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from sendwatch.cli.options import configuration_at, configured, finish, output
from sendwatch.report import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiokafka import ConsumerRecord

    from sendwatch.cli.options import Output


@click.command()
@configured
@click.option("--bootstrap", help="Servers (host:port), where no configuration is at hand.")
@click.option("--topic", "kind", type=click.Choice(records.KINDS), default="flags", show_default=True)
@click.option("--rule", multiple=True, help="Only of this rule: C5, or its whole id. Each filter may be given again.")
@click.option("--severity", multiple=True, type=click.Choice(["low", "medium", "high", "critical"]))
@click.option("--owner", multiple=True, help="Only about this content owner.")
@click.option("--sp", multiple=True, help="Only about this SP account.")
@click.option("--port", multiple=True, help="Only about ports that begin so.")
@click.option("--since", "begin", help="From then on: 15m, 2h, 7d, an ISO date (UTC+8), beginning. Else from now on.")
@click.option("--until-end", is_flag=True, help="Stop at what is there now.")
@click.option("--net", is_flag=True, help="Only what holds now: the last record of each key, cleared ones left out.")
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@output
def tail(
    path: str | None,
    bootstrap: str | None,
    kind: str,
    begin: str | None,
    until_end: bool,
    net: bool,
    language: records.Language,
    output: Output,
    **filters: tuple[str, ...],
) -> None:
    """Follow what is published, in English, Chinese or JSON.

    JSON is the record's value as it was published, one a line. Records that were published again are left out.
    """
    from aiokafka.errors import KafkaError

    from sendwatch import follow
    from sendwatch.kafka.connection import CannotConnectError, explain

    wanted = records.Wanted(kind, filters)
    if unknown := wanted.unknown():
        raise click.UsageError(f"records of {kind} have no {' and no '.join(unknown)}")
    # A reader needs no keys; whichever form recipients have, it sees tokens.
    overrides = {"recipients.form": "token"} | ({"kafka.bootstrap": bootstrap} if bootstrap else {})
    settings = configuration_at(path, overrides).settings
    try:
        from_at = follow.since(begin) if begin else 0 if net else None
        finish(
            _tail(follow.follow(settings, kind, from_at, to_end=net or until_end), wanted, language, output, net=net)
        )
    except ValueError:
        raise click.BadParameter(f"{begin!r} is no time", param_hint="--since") from None
    except (CannotConnectError, follow.NoSuchTopicError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KafkaError as error:
        click.echo(explain(error, settings.kafka), err=True)
        sys.exit(1)


async def _tail(
    found: AsyncIterator[ConsumerRecord],
    wanted: records.Wanted,
    language: records.Language,
    output: Output,
    *,
    net: bool,
) -> None:
    def show(value: records.Value) -> None:
        click.echo(msgspec.json.encode(value) if output == "json" else records.line(wanted.kind, value, language))

    repeats, standing = records.Repeats(), records.Standing()
    async for record in found:
        value = None if record.value is None else msgspec.json.decode(record.value)
        if net:
            standing.take(record.key, value)
        elif value is not None and repeats.is_new(record.key, value) and wanted.takes(value):
            show(value)
    for value in standing.holding():
        if wanted.takes(value):
            show(value)


@click.group()
def schema() -> None:
    """The contract as JSON Schemas and an AsyncAPI document."""


@schema.command()
@click.option("--output", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where to.")
def export(folder: Path) -> None:
    """Write them, made from the code's own types."""
    from sendwatch import schemas

    for name, text in schemas.documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@schema.command(name="diff")
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, file_okay=False, path_type=Path))
def schema_diff(before: Path, after: Path) -> None:
    """Say what would break those who rely on the schemas.

    BEFORE and AFTER are folders written by `export`; status 1 if anything of AFTER would break a reader or writer.
    """
    from sendwatch import schemas

    found = list(schemas.differences(*(schemas.read_folder(folder) for folder in (before, after))))
    for sentence in found:
        click.echo(sentence)
    sys.exit(int(bool(found)))


@click.command(name="alert-test")
@click.option("--alertmanager", default="http://127.0.0.1:9093", show_default=True, help="Its address.")
@click.option("--severity", type=click.Choice(["critical", "warning"]), default="critical", show_default=True)
@click.option(
    "--category", type=click.Choice(["pipeline", "compliance", "config"]), default="pipeline", show_default=True
)
@click.option("--cluster", default="sendwatch", show_default=True, help="As in prometheus.yml.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=120.0, show_default=True, help="Its end comes after so many."
)
@click.option("--runbook", default="deploy/README.md", show_default=True, help="What links to the runbook begin with.")
@click.option(
    "--grafana", default="http://127.0.0.1:3000", show_default=True, help="What links to dashboards begin with."
)
def alert_test(
    alertmanager: str, severity: str, category: str, cluster: str, seconds: float, runbook: str, grafana: str
) -> None:
    """Fire a drill that goes the way of a page, and end it.

    It says that it is one; somebody's phone rings all the same.
    """
    from sendwatch import drill

    wish = drill.Wish(alertmanager, severity, category, cluster, seconds, runbook, grafana)
    try:
        finish(drill.run(wish, click.echo))
    except drill.CannotDrillError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
