"""The commands that say what was judged and why, what it adds up to, and whether it is right.

Belongs here: arguments. Not here: any answer (`worker/`, `engine/`, `aggregator/`, `audit/`).
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sendwatch.cli.options import configured, finish, output, settings_at, settings_offline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.cli.options import Output
    from sendwatch.settings import Settings

KINDS = ("judged", "accepted", "duplicates", "parts", "quarantined", "absent")


@click.command()
@configured
@click.option("--accept-gap", "gap", metavar="TOPIC:PARTITION:UNTIL", help="First accept that records are gone.")
@click.option("--reason", help="Why they are gone; it stands in the ledger for ever, so no personal data.")
@output
def books(path: str | None, gap: str | None, reason: str | None, output: Output) -> None:
    """Check the books: every record accounted for, once.

    With --accept-gap, and no worker running: workers go on although what lay below the offset UNTIL is gone.
    """
    from sendwatch.worker.books import read_books

    if bool(gap) != bool(reason):
        raise click.UsageError("--accept-gap and --reason belong together")
    settings = settings_at(path)
    if gap and reason:
        _accept_gap(settings, gap, reason)
    found = asyncio.run(read_books(settings))
    gaps = sum(len(each.gaps) for each in found)
    if output == "json":
        click.echo(msgspec.json.encode(found).decode())
    else:
        for each in found:
            _print_books(each)
        click.echo("the books join without a gap" if not gaps else f"{gaps} gaps")
    sys.exit(1 if gaps else 0)


def _accept_gap(settings: Settings, gap: str, reason: str) -> None:
    from sendwatch.kafka.connection import CannotConnectError
    from sendwatch.worker.gaps import CannotAcceptError, accept_gap

    try:
        click.echo(asyncio.run(accept_gap(settings, gap, reason)), err=True)
    except (CannotAcceptError, CannotConnectError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _print_books(each: Any) -> None:
    click.echo(f"partition {each.partition}  epoch {each.epoch}  void records {each.void}")
    for kind, span in each.spans.items():
        books = span.books
        told = "  ".join(f"{name} {value}" for name in KINDS if (value := getattr(books, name)))
        click.echo(f"  {kind:<11} [{span.first}, {span.next})  {told}")
    for kind, count in each.behind.items():
        click.echo(f"  {kind:<11} {count} not read yet")
    for gone in each.given_up:
        click.echo(f"  {gone.topic:<11} gone below {gone.until}, accepted: {gone.reason}")
    for gap in each.gaps:
        click.echo(f"  GAP {gap.topic} [{gap.at}, {gap.until}): {gap.wrong}")


@click.command()
@configured
@click.option("--from", "from_at", type=int, help="Only sends from this time on (ms since 1970 UTC).")
@click.option("--to", "to_at", type=int, help="Only sends before this time.")
@output
def audit(path: str | None, from_at: int | None, to_at: int | None, output: Output) -> None:
    """Compute all flags apart, and compare.

    From the topics alone: what is missing, what is extra, and whether the books balance.
    """
    from sendwatch import audit as the_audit

    sys.exit(asyncio.run(the_audit.run(settings_at(path), from_at, to_at, output)))


@click.command()
@click.argument("source")
@configured
@output
def explain(source: str, path: str | None, output: Output) -> None:
    """Say what every rule says of a send, and why.

    SOURCE is a file of JSON lines, - for standard input, or TOPIC:PARTITION:OFFSET of a send in Kafka.
    """
    from sendwatch.engine.explain import CannotExplainError, explain, load_registries
    from sendwatch.engine.judging import prepare
    from sendwatch.report.explanation import as_json, as_text
    from sendwatch.worker import evidence

    topic, _, place = source.partition(":")
    number, _, offset = place.partition(":")
    in_kafka = number.isdigit() and offset.isdigit()
    settings = settings_at(path) if in_kafka else settings_offline(path)
    try:
        if in_kafka:
            case = asyncio.run(evidence.read_topics(settings, int(number), int(offset)))
        else:
            with click.open_file(topic, encoding="utf-8") as lines:
                case = evidence.read_lines(lines)
        judging = prepare(settings)
        load_registries(judging, case.records)
        found = [explain(judging, send, case.number, _without(case.records, send)) for send in case.sends]
    except (CannotExplainError, LookupError, ValueError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    for explained in found:
        click.echo(msgspec.json.encode(as_json(explained)).decode() if output == "json" else as_text(explained))
    sys.exit(int(any(answer.flag is not None for explained in found for answer in explained.answers)))


def _without(records: Mapping[str, Sequence[Any]], send: Any) -> dict[str, Sequence[Any]]:
    return {**records, "sends": [each for each in records["sends"] if each.offset != send.offset]}


@click.command()
@configured
@output
def breaches(path: str | None, output: Output) -> None:
    """Show open breaches, top lists, and what is budding.

    From the whole ledger, added up anew; status 1 if any breach is open.
    """
    from sendwatch.aggregator.breaches import add_up
    from sendwatch.report.breaches import as_json, as_lines
    from sendwatch.windows.drift import by_filings

    settings = settings_at(path)
    added = finish(add_up(settings))
    promotions = settings.breaches.calendar(added.board.now)
    asked = (added.board, by_filings(added.registry), promotions, settings.recipients.public)
    if output == "json":
        click.echo(msgspec.json.encode(as_json(*asked)).decode())
    else:
        for line in as_lines(*asked):
            click.echo(line)
    sys.exit(int(bool(added.board.outbreaks.open)))
