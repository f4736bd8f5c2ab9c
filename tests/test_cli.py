"""The command line as a whole: what it lists, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from sendwatch.cli import ORDER, main

if TYPE_CHECKING:
    from collections.abc import Iterator


def groups(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    """The words that lead to each group of commands."""
    if isinstance(command, click.Group):
        yield names
        for name, each in command.commands.items():
            yield from groups(each, *names, name)


GROUPS = list(groups(main))


def test_every_command_has_its_place() -> None:
    """In an order that somebody thought about, not the alphabet's; none is missing, none is gone."""
    assert set(ORDER) == set(main.commands)
    told = CliRunner().invoke(main, ["--help"]).output.partition("Commands:\n")[2]
    assert tuple(line.split()[0] for line in told.splitlines()) == ORDER


@pytest.mark.parametrize("words", GROUPS, ids=" ".join)
def test_every_command_is_told_in_one_whole_line(words: tuple[str, ...]) -> None:
    """On a terminal of 80 columns nothing is cut off."""
    told = CliRunner().invoke(main, [*words, "--help"]).output.partition("Commands:\n")[2]
    for line in told.splitlines():
        name, _, said = line.strip().partition(" ")
        assert said.strip(), name
        assert not said.endswith("..."), name
        assert len(line) <= 80, name
