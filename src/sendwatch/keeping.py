"""Settings of what is kept and handed on: evidence, the archive, reports.

Belongs here: one struct per section, as in `settings.py`, and the calendar of stages. Not here: what is done with them
(`evidence/`, `archive/`, `report/`). Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from sendwatch.days import stretch_of_days, years_around
from sendwatch.secret import Secret  # noqa: TC001  msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.policy import Fault

stage_form = re.compile(r"(\S+) (\S+) (\d\d)-(\d\d)\.\.(\d\d)-(\d\d)(?: (\S.*))?")


class Evidence(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Evidence packs: `sendwatch evidence`."""

    signing_key: Annotated[
        Secret | None,
        Meta(
            description="The Ed25519 private key in PEM form that packs are signed with; `sendwatch evidence keygen` "
            "makes one. Hand its public half to whoever is to check packs, before there is any dispute. Needed for "
            "making packs, by nobody else.",
            extra={"asked_for_late": True},
        ),
    ] = None


class Archive(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept beyond the topics' own retention: `sendwatch archive`."""

    folder: Annotated[
        str, Meta(min_length=1, description="Parquet files, one folder per kind and day (UTC+8). --to says otherwise.")
    ] = "archive"
    keys: Annotated[
        str,
        Meta(
            min_length=1,
            description="The file of the keys that hide recipients in the archive, one key each. Not in its folder, "
            "and never backed up with it: whoever is erased is erased by the loss of his key.",
        ),
    ] = "archive-keys.sqlite"


class Stage(Struct, frozen=True):
    """A stage of a campaign in one year; from `since` to before `until` (ms). `title` is for people."""

    campaign: str
    name: str
    since: int
    until: int
    title: str = ""


class Reports(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Stage reports: `sendwatch report`."""

    stages: Annotated[
        tuple[str, ...],
        Meta(
            description="The stages of campaigns: campaign, stage, the first and the last day (UTC+8), and a title "
            "where it should have one. The campaigns themselves are breaches.promotions."
        ),
    ] = (
        "618 1 05-24..05-31 预售 Presale",
        "618 2 06-01..06-15 专场 Main sale",
        "618 3 06-16..06-20 高潮 Peak",
        "双11 1 10-20..10-30 预售 Presale",
        "双11 2 10-31..11-09 专场 Main sale",
        "双11 3 11-10..11-13 高潮 Peak",
    )

    def faults(self) -> Iterator[Fault]:
        """Stages that are not a campaign, a stage and two days."""
        for number, stage in enumerate(self.stages):
            if not all(stage_of(stage, year) for year in (2027, 2028)):
                yield f"stages.{number}", 'expected campaign, stage and two days, as in "双11 2 10-31..11-09"'

    def calendar(self, around: int) -> tuple[Stage, ...]:
        """The stages of the year that `around` (ms) lies in, and of those beside it, by their beginning."""
        found = (stage_of(each, year) for year in years_around(around) for each in self.stages)
        return tuple(sorted((each for each in found if each is not None), key=lambda each: (each.since, each.until)))


def stage_of(written: str, year: int) -> Stage | None:
    """A stage as it is written, in the year of its first day; None where it is not one."""
    found = stage_form.fullmatch(written)
    if found is None:
        return None
    campaign, name, *days, title = found.groups()
    between = stretch_of_days(year, *days)
    return Stage(campaign, name, *between, title or "") if between is not None else None
