"""On which line of a TOML text each key stands: `tomllib` reads values and forgets where they were.

Belongs here: one walk over a text that `tomllib` has already accepted, so nothing is checked twice. Pure.

A *path* is the way to a value through tables and lists: `("rules", "C1_…", "exceptions", 0, "until")`.
Only lines are kept; the walk steps over values by their delimiters.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

KEY = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
SCALAR = re.compile(r'"""(?s:.*?)(?<!\\)(?:\\\\)*"""+|\'\'\'(?s:.*?)\'\'\'+|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^,\]}\n#]+')


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key and list item of a valid TOML text."""
    return _Walk(text).whole()


class _Walk:
    """A position in the text, and what has been found up to it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def whole(self) -> dict[Path, int]:
        """Go through the statements: headers of tables, and keys below them."""
        table: Path = ()
        while self.skip_blank():
            if self.text.startswith("[[", self.at):
                table = self.next_of_array(self.header(2))
            elif self.text.startswith("[", self.at):
                table = self.current(self.header(1))
                self.note(table)
            else:
                self.pair(table)
        return self.found

    def header(self, brackets: int) -> tuple[str, ...]:
        self.at += brackets
        keys = self.dotted()
        self.at += brackets
        return keys

    def next_of_array(self, keys: tuple[str, ...]) -> Path:
        """The path of one more table of an array of tables, noted where its header stands."""
        array = (*self.current(keys[:-1]), keys[-1])
        number = self.counts.get(array, 0)
        self.counts[array] = number + 1
        self.note((*array, number))
        return (*array, number)

    def current(self, keys: tuple[str, ...]) -> Path:
        """The path that keys mean here: inside the last table of any array among them."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def pair(self, table: Path) -> None:
        """Note a key, then go past its value."""
        keys = self.dotted()
        self.note((*table, *keys))
        self.at += 1  # the equals sign
        self.value((*table, *keys))

    def value(self, path: Path) -> None:
        """Go past a value, noting what lies in lists and inline tables."""
        self.skip_blank()
        opening = self.text[self.at]
        if opening not in "[{":
            scalar = SCALAR.match(self.text, self.at)
            self.at = scalar.end() if scalar else len(self.text)
            return
        self.at += 1
        number = 0
        while self.skip_blank() and self.text[self.at] not in "]}":
            if self.text[self.at] == ",":
                self.at += 1
            elif opening == "{":
                self.pair(path)
            else:
                self.note((*path, number))
                self.value((*path, number))
                number += 1
        self.at += 1

    def dotted(self) -> tuple[str, ...]:
        """The parts of a dotted key, quotes taken off."""
        keys: list[str] = []
        while part := KEY.match(self.text, self.at):
            self.at = part.end()
            keys.append(next(iter(tomllib.loads(f"{part[1]} = 0"))))
            if not self.text.startswith(".", self.at):
                break
            self.at += 1
        return tuple(keys)

    def skip_blank(self) -> bool:
        """Go past blanks, line ends and comments; whether anything follows."""
        blank = BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.at < len(self.text)

    def note(self, path: Path) -> None:
        """Note a path, and what it is in, unless that was seen before."""
        line = self.line()
        for length in range(1, len(path) + 1):
            self.found.setdefault(path[:length], line)

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1
