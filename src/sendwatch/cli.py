"""The command line. Exit status: 0 all is well, 1 something was found, 2 the call was wrong.

Belongs here: arguments, and turning answers into lines or JSON. Not here: any answer.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
import msgspec

from sendwatch import __version__

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from sendwatch.config import Configured
    from sendwatch.settings import Settings

Answer = TypeVar("Answer")
Output = Literal["text", "json"]

configured = click.option(
    "-c", "--config", "path", type=click.Path(dir_okay=False), help="The configuration file (sendwatch.toml)."
)
output = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Lines or JSON."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    from sendwatch.engine.app import build, serve

    settings = _settings(path)
    logs.set_up(settings.logs, secrets=settings.secrets)
    _finish(serve(build(settings, until_end=until_end)))


@main.command()
@click.option("--sends", default=50_000, show_default=True, help="How many sends.")
@click.option("--rate", type=float, help="Sends a second; as fast as it goes where not given.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--partitions", default=4, show_default=True)
@click.option("--exit", "end", is_flag=True, help="End when everything is judged; status 1 if not as planted.")
@click.option("--audit", is_flag=True, help="At the end, compute everything apart from the topics, and compare.")
@output
def demo(sends: int, rate: float | None, seed: int, partitions: int, end: bool, audit: bool, output: Output) -> None:
    """Show it all on an embedded broker: a simulated week of 双11, what was planted and what was found."""
    from sendwatch import demo as the_demo

    wish = the_demo.Wish(sends=sends, rate=rate, seed=seed, partitions=partitions, exit=end, audit=audit, output=output)
    sys.exit(0 if _finish(the_demo.run(wish)) else 1)


@main.command()
@configured
@output
def check(path: str | None, output: Output) -> None:
    """Check the configuration, the connection, and that every topic is as it should be."""
    sys.exit(_survey(_settings(path), output, apply=False))


@main.group()
def topics() -> None:
    """Make the topics, or see what would be made."""


@topics.command()
@configured
@output
def plan(path: str | None, output: Output) -> None:
    """Show what `apply` would do."""
    sys.exit(_survey(_settings(path), output, apply=False))


@topics.command()
@configured
@output
def apply(path: str | None, output: Output) -> None:
    """Make what is missing; refuse what has another number of partitions."""
    sys.exit(_survey(_settings(path), output, apply=True))


def _survey(settings: Settings, output: Output, *, apply: bool) -> int:
    from sendwatch.engine import topics
    from sendwatch.engine.connection import CannotConnectError

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

    configuration = _configured(path)
    for line in manual.show(configuration.settings, configuration.origins):
        click.echo(line)


@main.command()
@configured
@output
def books(path: str | None, output: Output) -> None:
    """Print and check the books: is every offset of every source accounted for, once?"""
    from sendwatch.engine.books import read_books

    found = asyncio.run(read_books(_settings(path)))
    gaps = sum(len(each.gaps) for each in found)
    if output == "json":
        click.echo(msgspec.json.encode(found).decode())
    else:
        for each in found:
            _print_books(each)
        click.echo("the books join without a gap" if not gaps else f"{gaps} gaps")
    sys.exit(1 if gaps else 0)


@main.command()
@configured
@click.option("--from", "from_at", type=int, help="Only sends from this time on (ms since 1970 UTC).")
@click.option("--to", "to_at", type=int, help="Only sends before this time.")
@output
def audit(path: str | None, from_at: int | None, to_at: int | None, output: Output) -> None:
    """Compute all flags apart, from the topics alone, and compare: missing, extra, and whether the books balance."""
    from sendwatch import audit as the_audit

    sys.exit(asyncio.run(the_audit.run(_settings(path), from_at, to_at, output)))


@main.command()
@click.argument("source")
@configured
@output
def explain(source: str, path: str | None, output: Output) -> None:
    """Say of a send what every rule says: flagged, clean, not applicable, not in force, undecided, and why.

    SOURCE is a file of JSON lines, - for standard input, or TOPIC:PARTITION:OFFSET of a send in Kafka.
    """
    from sendwatch.engine import evidence
    from sendwatch.engine.explain import CannotExplainError, explain, load_registries
    from sendwatch.engine.judging import prepare
    from sendwatch.report.explanation import as_json, as_text

    topic, _, place = source.partition(":")
    number, _, offset = place.partition(":")
    in_kafka = number.isdigit() and offset.isdigit()
    settings = _settings(path) if path or in_kafka else _configured(None, OFFLINE).settings
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

    rulebook = prepare(_settings(path) if path else _configured(None, OFFLINE).settings).rulebook
    click.echo(msgspec.json.encode(as_json(rulebook)).decode() if output == "json" else as_text(rulebook))


@rules.command(name="test")
@output
def test_rules(output: Output) -> None:
    """Ask every rule about the examples that it carries; status 1 if one is answered otherwise."""
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
    """Precision and recall per class of text, over FILES of labelled texts (class, provenance, text; by tabs)."""
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
    """List what changes for which rule between two packs, such as miit-31 and miit-74."""
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
    for gap in each.gaps:
        click.echo(f"  GAP {gap.topic} [{gap.at}, {gap.until}): {gap.wrong}")


KINDS = ("judged", "accepted", "duplicates", "parts", "quarantined", "absent")


def _settings(path: str | None) -> Settings:
    return _configured(path).settings


def _configured(path: str | None, overrides: dict[str, str] | None = None) -> Configured:
    import os
    from pathlib import Path

    from sendwatch import rules
    from sendwatch.config import ConfigError, read

    try:
        return read(Path(path) if path else None, os.environ, overrides or {}, rules=rules.discover())
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _finish(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)
