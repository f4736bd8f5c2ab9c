"""Reading the configuration: command line over environment over file over default.

Belongs here: where values come from, and all that is wrong with them at once, with its place. Not here: which
settings there are (`settings.py`), turning values into structs (`typed.py`).

    file         sendwatch.toml, one table per section
    environment  SENDWATCH_WEB__PORT=8067: section and key in capitals, two underscores between them;
                 an empty one counts as not given
    overrides    {"web.port": "8067"}, from the command line

A secret may be given as the name of a file that holds it, by its key and `_file`: `password_file = "…"`,
SENDWATCH_KAFKA__PASSWORD_FILE; never on the command line, which every process on the machine can read. Lists
are given in the environment and on the command line with commas, or as in TOML. File names are relative to
where the process was started.
"""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from sendwatch import toml_lines
from sendwatch.settings import Settings
from sendwatch.typed import Loose, Problem, Source, Typist, is_secret, leaves, names_of, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

ENVIRONMENT = "SENDWATCH_"
"""What starts the name of an environment variable that holds a setting."""


class ConfigError(Exception):
    """The configuration cannot be used. `problems` are all that were found; str() shows them, a line each."""

    def __init__(self, problems: Collection[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Configured(NamedTuple):
    """Settings, and by dotted key where each was given; a setting not in `origins` has its default."""

    settings: Settings
    origins: Mapping[str, str]


def read(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
    *,
    rules: Collection[str] = (),
) -> Configured:
    """The settings that file, environment and command line give together.

    `path` None: there is no file. `rules`: the ids that [rules] may name; empty, any may be named.
    Raises ConfigError with every problem there is.
    """
    sources = Sources()
    if path is not None:
        sources.add_file(path)
    sources.add_environment(environ)
    sources.add_overrides(overrides or {})
    typist = Typist(sources.source, rules)
    settings = typist.struct(Settings, sources.tree, ())
    if problems := [*sources.problems, *typist.problems]:
        raise ConfigError(sorted(problems, key=lambda problem: problem.source.line or 1 << 32))
    return Configured(settings, typist.origins)


class Sources:
    """All that was given, laid over one another in one tree of tables, and the source of each path in it."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.given: dict[toml_lines.Path, Source] = {}

    def source(self, path: toml_lines.Path) -> Source:
        """The source of a path, or of the nearest table around it."""
        around = (path[:length] for length in range(len(path), 0, -1))
        return next((self.given[part] for part in around if part in self.given), Source())

    def add_file(self, path: Path) -> None:
        """Read the file, and note the line of each of its keys."""
        try:
            text = path.read_bytes().decode()
            self.tree = tomllib.loads(text)
        except OSError as error:
            self.blame(str(path), "", f"cannot be read: {os.strerror(error.errno or 0)}")
        except UnicodeDecodeError as error:
            self.blame(str(path), "", f"not UTF-8, from byte {error.start} on")
        except tomllib.TOMLDecodeError as error:
            self.blame(str(path), "", f"not TOML: {error}")
        else:
            lines = toml_lines.lines_of(text)
            self.given = {at: Source(f"{path}:{line}", line) for at, line in lines.items()}

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """Lay the environment's settings over the file's."""
        known = {variable(key): key for key in every_key()}
        for name, text in sorted(environ.items()):
            if not name.startswith(ENVIRONMENT) or not text:
                continue
            if key := known.get(name) or rule_key(name):
                if environ.get(f"{name}_FILE"):
                    self.blame(name, key, f"given beside {name}_FILE: only one of them")
                self.lay(key, text, name)
            elif "__" in name:
                self.blame(name, "", "unknown setting" + nearest(name, known, 0.8))
            elif meant := slip(name, text, known):
                self.blame(name, "", f"unknown setting; did you mean {meant}?")

    def add_overrides(self, overrides: Mapping[str, str]) -> None:
        """Lay the command line's settings over all others."""
        for key, text in overrides.items():
            if key in secret_keys():
                sentence = f"a secret, and everybody on this machine can read a command line: use {key}_file"
                self.blame("command line", key, sentence)
            else:
                self.lay(key, text, "command line")

    def lay(self, key: str, text: str, place: str) -> None:
        """Put a value into the tree; a secret and the file of the same secret replace each other."""
        *tables, last = key.split(".")
        table = self.tree
        for part in tables:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                return  # the file has no table there, which is a problem of its own
        if key.removesuffix("_file") in secret_keys():
            table.pop(last.removesuffix("_file"), None)
            table.pop(f"{last}_file", None)
        table[last] = Loose(text)
        self.given[*tables, last] = Source(place)

    def blame(self, place: str, key: str, sentence: str) -> None:
        """Note a problem of a source."""
        self.problems.append(Problem(Source(place), key, sentence))


def every_key() -> list[str]:
    """The dotted key of every setting, those of the files of secrets too; rules apart."""
    return [key.removesuffix(field.name) + name for key, field in leaves(Settings) for name in names_of(field)]


def secret_keys() -> set[str]:
    """The dotted keys of all secrets."""
    return {key for key, field in leaves(Settings) if is_secret(field)}


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT + key.upper().replace(".", "__")


def rule_key(name: str) -> str | None:
    """The key that SENDWATCH_RULES__<ID>__<KEY> stands for; None where the name is no such."""
    section, *rest = name.removeprefix(ENVIRONMENT).split("__")
    return f"rules.{rest[0]}.{rest[1].lower()}" if section == "RULES" and len(rest) == 2 else None


def slip(name: str, text: str, known: Collection[str]) -> str | None:
    """The variable that was meant by one with a single underscore for two; None where none was.

    Kubernetes puts SENDWATCH_SERVICE_HOST, SENDWATCH_WEB_PORT=tcp://… and the like into every pod that has a
    service of that name beside it: so what has no double underscore is let be, unless it can only be a slip.
    """
    return None if "://" in text else next((one for one in known if one.replace("__", "_") == name), None)
