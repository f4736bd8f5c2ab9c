"""What the tests of shipped files share: reading them, asking tools about them, and the command line they name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import pytest
import yaml

from sendwatch import config, rules
from sendwatch.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.settings import Settings

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"


def installed(program: str, package: str) -> str:
    """Where a program of a Debian package is; CI has it, others may go without."""
    path = shutil.which(program)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed; it comes with Debian's {package}")
    return path


def ask(*command: str | Path) -> None:
    """Run a tool that is silent with its status where all is well."""
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def tool(name: str) -> Path:
    """A program that came with the development dependencies."""
    return Path(sys.executable).with_name(name)


def read(path: Path) -> Any:
    """A file with one YAML document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_command(words: Sequence[str]) -> None:
    """Fail where the command line, without the program's name, is none that sendwatch understands."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group):
        command = command.commands[rest.pop(0)]
    command.make_context("sendwatch", rest)  # parses, and does nothing else


def settings(toml: str, environ: Mapping[str, str], folder: Path) -> Settings:
    """The settings that a shipped file and a shipped environment give; raises ConfigError where they are wrong."""
    path = folder / "sendwatch.toml"
    path.write_text(toml, encoding="utf-8")
    return config.read(path, environ, rules=rules.discover()).settings
