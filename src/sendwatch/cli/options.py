"""What the commands of the command line share: the options that many have, and how they read and end.

Belongs here: `-c`, `--output`, from these to settings, waiting for an answer and handing it out. Not here: any command.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Coroutine

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

OFFLINE = {"kafka.bootstrap": "unused:1", "recipients.form": "token"}


def settings_at(path: str | None) -> Settings:
    """The settings of file and environment; where they are wrong, all that is wrong is told, and the process ends."""
    return configuration_at(path).settings


def settings_offline(path: str | None) -> Settings:
    """As `settings_at`; without a file, settings that will do where no Kafka is asked and nobody's number is read."""
    return configuration_at(path, None if path else OFFLINE).settings


def configuration_at(path: str | None, overrides: dict[str, str] | None = None) -> Configured:
    """As `settings_at`, with where each value comes from."""
    from sendwatch import rules
    from sendwatch.config import ConfigError, read

    try:
        return read(Path(path) if path else None, os.environ, overrides or {}, rules=rules.discover())
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def finish(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What the work comes to; Ctrl-C ends the process as it ends others."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)


def hand_out(made: bytes, out: Path | None) -> None:
    """Write what was made to a file, or, where none is named, to standard output."""
    if out is None:
        click.get_binary_stream("stdout").write(made)
    else:
        out.write_bytes(made)
