"""The command line. Exit status: 0 all is well, 1 something was found, 2 the call was wrong.

Belongs here: arguments, and turning answers into lines or JSON. Not here: any answer.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sendwatch import (
    __version__,
    cli_archive,
    cli_desk,
    cli_downstream,
    cli_evidence,
    cli_readiness,
    cli_replay,
    cli_report,
)
from sendwatch.cli_options import configuration_at, configured, finish, output, settings_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.cli_options import Output
    from sendwatch.settings import Settings

ORDER = (
    "demo", "check", "topics", "run", "aggregate", "tail", "explain", "books", "audit", "replay", "breaches",
    "check-campaign", "readiness", "evidence", "archive", "report", "rules", "law", "config", "token", "schema",
    "simulate", "alert-test", "version",
)  # fmt: skip
"""Commands as people meet them: look, set up, run, read what comes out, doubt it, look things up, try it."""


class InOrder(click.Group):
    """A group that lists its commands in our order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that `ORDER` has, then any others."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
@click.option("--story", type=click.Choice(["week", "month"]), default="week", show_default=True,
              help="A week with flags planted, or a month with breaches planted.")  # fmt: skip
@click.option("--sends", type=click.IntRange(1), help="How many sends: 50,000 in a week, 6,000 beside a month's cases.")
@click.option("--rate", type=float, help="Sends a second; as fast as it goes where not given.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--partitions", default=4, show_default=True)
@click.option("--late", type=click.FloatRange(0, 1), help="The part of a week's facts that are recorded late.")
@click.option("--workers", type=click.IntRange(1), help="How many workers judge a month.")
@click.option("--kill", is_flag=True, help="Kill -9 a worker of a month, and then what adds up, and start them again.")
@click.option("--exit", "end", is_flag=True, help="End when everything is judged; status 1 if not as planted.")
@click.option("--audit", is_flag=True, help="At the end of a week, compute all apart from the topics, and compare.")
@output
def demo(
    story: str, sends: int | None, rate: float | None, seed: int, partitions: int, late: float | None,
    workers: int | None, kill: bool, end: bool, audit: bool, output: Output,
) -> None:  # fmt: skip
    """Show it all on an embedded broker, no Kafka needed.

    A simulated week of 双11, judged by a real worker: what was planted and what was found. Or a month of 618 in a
    minute: which breaches open and close, and every sum counted anew.
    """
    from sendwatch import demo as the_demo
    from sendwatch.demo import month

    if story == "month":
        if late is not None or audit:
            raise click.UsageError("--late and --audit are a week's")
        wanted = month.Wish(
            sends=sends or 6000, rate=rate, seed=seed, partitions=partitions, workers=workers or 1, kill=kill,
            exit=end, output=output,
        )  # fmt: skip
        sys.exit(0 if finish(month.run(wanted)) else 1)
    if workers is not None or kill:
        raise click.UsageError("--workers and --kill are a month's")
    wish = the_demo.Wish(
        sends=sends or 50_000, rate=rate, seed=seed, partitions=partitions, late=late or 0.0, exit=end, audit=audit,
        output=output,
    )  # fmt: skip
    sys.exit(0 if finish(the_demo.run(wish)) else 1)


@main.command()
@configured
@click.option("--rate", type=click.FloatRange(0, 10_000, min_open=True), default=20.0, show_default=True,
              help="Sends a second; started now, the mean of a day.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same carrier.")
@click.option("--sends", type=click.IntRange(1), help="End after so many; on and on where not given.")
@click.option("--start", default="now", show_default=True, help="now, or the ISO date of a week to be told as it was.")
@click.option("--recipients", type=click.IntRange(500), default=20_000, show_default=True)
@click.option("--owners", type=click.IntRange(60), default=2_000, show_default=True)
def simulate(
    path: str | None, rate: float, seed: int, sends: int | None, start: str, recipients: int, owners: int
) -> None:
    """Write a made-up carrier's traffic into the topics.

    Registries and consents first, then its sends, until Ctrl-C.
    """
    from sendwatch.kafka import connection
    from sendwatch.simulate import stream

    try:
        wish = stream.Wish(rate, seed, sends, stream.moment(start), recipients, owners)
    except ValueError:
        raise click.BadParameter(f"{start!r} is neither now nor an ISO date", param_hint="--start") from None
    try:
        written = finish(stream.run(settings_at(path), wish, lambda sentence: click.echo(sentence, err=True)))
    except (connection.CannotConnectError, stream.CannotSimulateError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{written:,} sends written", err=True)


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


@main.command()
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


@main.command()
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


@main.command()
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
    settings = settings_at(path) if path or in_kafka else configuration_at(None, OFFLINE).settings
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


OFFLINE = {"kafka.bootstrap": "unused:1", "recipients.form": "token"}


@main.group()
def rules() -> None:
    """The catalogue of rules."""


@rules.command(name="list")
@configured
@output
def list_rules(path: str | None, output: Output) -> None:
    """Every rule: severity, mode, clause, violation."""
    from sendwatch.engine.judging import prepare
    from sendwatch.report.catalogue import as_json, as_text

    rulebook = prepare(settings_at(path) if path else configuration_at(None, OFFLINE).settings).rulebook
    click.echo(msgspec.json.encode(as_json(rulebook)).decode() if output == "json" else as_text(rulebook))


@rules.command(name="test")
@output
def test_rules(output: Output) -> None:
    """Ask every rule about the examples that it carries.

    Status 1 if one is answered otherwise.
    """
    from sendwatch.report.catalogue import try_examples

    tried = try_examples()
    wrong = [each for each in tried if not each.right]
    if output == "json":
        click.echo(msgspec.json.encode(tried).decode())
    else:
        for each in wrong:
            click.echo(f"{each.rule}: {each.example}: expected {each.expected}, got {each.got}")
        asked = len({each.rule for each in tried})
        click.echo(f"{len(tried)} examples of {asked} rules, {len(wrong)} answered otherwise")
    sys.exit(int(bool(wrong)))


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def classify(files: tuple[str, ...]) -> None:
    """Precision and recall per class of text.

    Over FILES of labelled texts: class, provenance, text, by tabs.
    """
    from pathlib import Path

    from sendwatch.text.table import table

    for name in files:
        click.echo(name)
        click.echo(table(Path(name)))


@main.group()
def law() -> None:
    """The law packs."""


@law.command(name="diff")
@click.argument("before")
@click.argument("after")
@output
def law_diff(before: str, after: str, output: Output) -> None:
    """List what changes for which rule between two packs.

    Such as miit-31 and miit-74; status 1 if anything does.
    """
    from sendwatch import law as packs
    from sendwatch.report.catalogue import changes

    known = {pack.id: pack for pack in packs.load()}
    for name in (before, after):
        if name not in known:
            click.echo(f"there is no law pack {name}; there are {', '.join(known)}", err=True)
            sys.exit(2)
    found = changes(known[before], known[after])
    if output == "json":
        click.echo(msgspec.json.encode(found).decode())
    else:
        for change in found:
            click.echo(f"{change.rule:<28} {change.before or '–':<28} -> {change.after or '–'}")
        for pack in (known[before], known[after]):
            if not pack.checked:
                click.echo(f"note: the clauses of {pack.id} have not been checked by a person")
    sys.exit(int(bool(found)))


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


KINDS = ("judged", "accepted", "duplicates", "parts", "quarantined", "absent")


for command in (cli_downstream.tail, cli_downstream.schema, cli_downstream.alert_test, cli_replay.replay):
    main.add_command(command)
main.add_command(cli_evidence.evidence)
main.add_command(cli_archive.archive)
main.add_command(cli_report.report)
main.add_command(cli_readiness.readiness)
main.add_command(cli_desk.check_campaign)
main.add_command(cli_desk.token)
