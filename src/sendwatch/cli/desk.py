"""Commands around the desk: tokens, and checking a campaign before it is sent.

Belongs here: arguments and lines. Not here: any answer (`desk/`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import msgspec

from sendwatch.cli.options import configured, finish, output, settings_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sendwatch.cli.options import Output
    from sendwatch.desk.ask import Details
    from sendwatch.desk.say_check import CheckAnswer, CheckUndecided
    from sendwatch.desk.sheet import Piece

SHOWN = 20


@click.group()
def token() -> None:
    """Tokens for the desk's page and API."""


@token.command()
@click.option("--role", type=click.Choice(["viewer", "analyst", "admin"]), required=True)
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="It expires after so many.")
@click.option("--name", required=True, help="Who holds it: it stands with every decision and every look at evidence.")
def new(role: str, days: int, name: str) -> None:
    """Make a token; shown once, only its hash is kept.

    The first line is for its holder. Append the second to the file that desk.tokens names; delete it there to take the
    token back.
    """
    from datetime import UTC, datetime

    from sendwatch.desk.access import new_token

    made, line = new_token(role, days, name, datetime.now(UTC))  # type: ignore[arg-type]
    click.echo(f"token, shown this once:  {made}", err=not sys.stdout.isatty())
    if not sys.stdout.isatty():
        click.echo(line)
    else:
        click.echo(f"for the tokens file:     {line}")


@click.command("check-campaign")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@configured
@click.option("--server", help="Ask the desk there (http://host:port). Else the topics are read: slower.")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False), help="A file with your token in it.")
@click.option("--sp", help="These hold for all rows that do not say otherwise.")
@click.option("--port")
@click.option("--text")
@click.option("--signature", help="Put before a text that has none.")
@click.option("--category")
@click.option("--template")
@click.option("--at", "planned_at", help="When: ISO (UTC+8 where it names no zone). Now, where not given.")
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@output
def check_campaign(
    file: TextIO,
    path: str | None,
    server: str | None,
    token_file: str | None,
    language: str,
    output: Output,
    **common: Any,
) -> None:
    """Say what a campaign would break, before it is sent.

    FILE is CSV with a head line: recipient, and where rows differ text, sp, port, signature, category, template,
    carrier, province, planned_at. Status 1 if anything would be flagged. Nothing is sent, nothing is stored.
    """
    from sendwatch.desk import sheet
    from sendwatch.desk.check import CannotCheckError
    from sendwatch.kafka.connection import CannotConnectError

    details: Details = "all" if output == "json" else "flagged"
    try:
        if common["planned_at"]:
            common["planned_at"] = sheet.moment(common["planned_at"], 0)
        pieces = list(sheet.pieces(file, common, details))
        key = Path(token_file).read_text(encoding="utf-8").strip() if token_file else None
        answer = finish(_asked(pieces, path, server, key))
    except (sheet.BadSheetError, CannotCheckError, CannotConnectError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if output == "json":
        click.echo(msgspec.json.encode(answer).decode())
    else:
        for line in _lines(answer, language):
            click.echo(line)
    sys.exit(int(bool(answer.sum.flagged)))


async def _asked(pieces: list[Piece], path: str | None, server: str | None, key: str | None) -> CheckAnswer:
    """Ask piece by piece, and show how far it is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sendwatch.desk import sheet
    from sendwatch.desk.asking import by_server, by_topics

    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=sum(len(piece.rows) for piece in pieces))

        def progress(count: int) -> None:
            shown.advance(task, count)

        way = by_server(server, key, progress) if server else by_topics(settings_at(path), progress)
        async with way as check:
            answers = [sheet.renumbered(await check(piece.campaign), piece.rows) for piece in pieces]
    if not answers:
        raise sheet.BadSheetError("there are no rows")
    return sheet.merged(answers)


def _lines(answer: CheckAnswer, language: str) -> Iterator[str]:
    """The answer for people: in sum, by rule, and the first rows."""
    found = answer.sum
    yield (
        f"{answer.asked} recipients: {found.flagged} flagged 违规, {found.undecided} undecided 未决, "
        f"{found.clean} clean 未发现违规, {found.unknown} unknown 未知, {found.refused} refused 格式不符"
    )
    for note in answer.notes:
        yield f"note: {getattr(note, language)}"
    for rule in answer.rules:
        told = [f"{rule.flagged} flagged"] if rule.flagged else []
        told += [f"{count} undecided ({reason})" for reason, count in rule.undecided.items()]
        told += [f"{rule.unknown} unknown"] if rule.unknown else []
        yield f"  {rule.rule:<28} {getattr(rule.title, language)}: {', '.join(told)}"
    some = [each for each in answer.recipients if each.verdict != "clean"]
    for each in some[:SHOWN]:
        words = [getattr(flag.reason, language) for flag in each.flags]
        words += _undecided(each.undecided, language)
        yield f"  line {each.n}  {each.verdict}  {each.recipient or '–'}  {'; '.join(words) or each.why or ''}"
    more = len(some) - SHOWN + answer.left_out
    if more > 0:
        yield f"  … and {more} more: --output json"


def _undecided(found: Iterable[CheckUndecided], language: str) -> list[str]:
    """Which rules are undecided, reason by reason."""
    rules: dict[str, list[str]] = {}
    for one in found:
        rules.setdefault(getattr(one.reason_words, language), []).append(one.rule.partition("_")[0])
    return [f"{', '.join(some)} undecided 未决: {reason}" for reason, some in rules.items()]
