"""The command that makes stage reports.

Belongs here: arguments. Not here: any answer (`report/stage*.py`).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sendwatch.cli.options import configured, finish, hand_out, settings_at
from sendwatch.cli.replay import Moment

if TYPE_CHECKING:
    from sendwatch.report.records import Language
    from sendwatch.report.stage import Audience, Span
    from sendwatch.report.stage_source import Source
    from sendwatch.settings import Settings


@click.command()
@configured
@click.option("--campaign", help="A campaign of the calendar (breaches.promotions), such as 双11: the latest one.")
@click.option("--stage", help="A stage of it (reports.stages); else the whole campaign.")
@click.option("--from", "since", type=Moment(), help="Or any time: from then on (ISO, UTC+8; or ms since 1970 UTC),")
@click.option("--to", "until", type=Moment(), help="to before then.")
@click.option("--owner", help="Only sends of this content owner (USCC).")
@click.option("--for", "audience", type=click.Choice(["all", "owner", "regulator"]), default="all", show_default=True,
              help="Whom it is for: an owner gets nothing of others, a regulator no rules on trial.")  # fmt: skip
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--output", type=click.Choice(["html", "xlsx", "csv"]), default="html", show_default=True)
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; else standard output.")
@click.option("--source", type=click.Choice(["auto", "archive", "topics"]), default="auto", show_default=True,
              help="auto: the archive where there is one, else the topics.")  # fmt: skip
@click.option(
    "--archive", "folder", type=click.Path(file_okay=False, path_type=Path), help="Instead of archive.folder."
)
def report(
    path: str | None,
    campaign: str | None,
    stage: str | None,
    since: int | None,
    until: int | None,
    owner: str | None,
    audience: Audience,
    language: Language,
    output: Literal["html", "xlsx", "csv"],
    out: Path | None,
    source: Literal["auto", "archive", "topics"],
    folder: Path | None,
) -> None:
    """Report on a stage of a campaign, or on any time.

    Volumes, violations by rule with its clause, owner, signature, port and province; trends, complaints, opt-outs;
    coverage and what could not be judged; corrections; method and versions. In it is no recipient and no text.
    """
    from sendwatch.report.stage import NoSuchStageError

    if bool(campaign) == (since is not None or until is not None) or (since is None) != (until is None):
        raise click.UsageError("give --campaign (and --stage), or --from and --to")
    if stage and not campaign:
        raise click.UsageError("--stage is one of a --campaign")
    if since is not None and until is not None and until <= since:
        raise click.BadParameter("it is not after --from", param_hint="--to")
    if audience == "owner" and not owner:
        raise click.UsageError("--for owner needs --owner")
    settings = settings_at(path)
    folder = folder or Path(settings.archive.folder)
    try:
        made = finish(
            _make(settings, (campaign, stage, since, until), owner, audience, language, output, source, folder)
        )
    except NoSuchStageError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    hand_out(made, out)


async def _make(
    settings: Settings,
    when: tuple[str | None, str | None, int | None, int | None],
    owner: str | None,
    audience: Audience,
    language: Language,
    output: str,
    source: str,
    folder: Path,
) -> bytes:
    from sendwatch import __version__
    from sendwatch.report import stage_html, stage_sheets
    from sendwatch.report.stage import Scope
    from sendwatch.report.stage_document import Asked
    from sendwatch.report.stage_tally import count
    from sendwatch.report.stage_write import document

    spans, found = await _found(settings, when, source, folder)
    scope = Scope(spans, owner, audience)
    asked = Asked(scope=scope, language=language, made_at=int(time.time() * 1000), version=__version__,
                  limit=settings.breaches.complaints_per_million)  # fmt: skip
    written = document(count(found, scope), asked)
    match output:
        case "xlsx":
            return stage_sheets.workbook(written)
        case "csv":
            return stage_sheets.text(written).encode()
        case _:
            return stage_html.html(written).encode()


async def _found(
    settings: Settings, when: tuple[str | None, str | None, int | None, int | None], source: str, folder: Path
) -> tuple[tuple[Span, ...], Source]:
    """The spans, and the source: a campaign is the latest one that had begun when the data ends."""
    from sendwatch.days import DAY, instant
    from sendwatch.report import stage_source
    from sendwatch.report.stage import spans_of_campaign, spans_of_range

    campaign, stage, since, until = when
    last = stage_source.last_day(folder)
    from_archive = source == "archive" or (source == "auto" and last is not None)
    topics = None if from_archive else await stage_source.of_topics(settings)
    if since is not None and until is not None:
        spans = spans_of_range(since, until)
    else:
        now = instant(last) + DAY - 1 if from_archive and last is not None else None
        if topics is not None:
            ((latest,),) = topics.all('select max("at") from tallies')
            now = int(latest) if latest is not None else None  # type: ignore[call-overload]
        spans = spans_of_campaign(settings, campaign or "", stage, now or int(time.time() * 1000))
    return spans, topics if topics is not None else stage_source.of_archive(folder, spans)
