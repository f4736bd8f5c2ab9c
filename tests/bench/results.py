"""Keeps results beside the benchmark: rows of `results.md`, and the constants of capacity planning.

Belongs here: reading and writing these two files. Not here: what is in a row (`further.py`, `__main__.py`).
"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bench.scale_out import Constants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent
RESULTS, CONSTANTS = HERE / "results.md", HERE / "constants.json"


def append(section: str, row: Mapping[str, Any], path: Path = RESULTS) -> None:
    """Add a row to the table under a heading; a table that is not there yet gets its head from the row."""
    text = path.read_text(encoding="utf-8")
    before, heading, rest = text.partition(f"## {section}\n")
    if not heading:
        before, heading, rest = text.rstrip("\n") + "\n\n", f"## {section}\n", ""
    body, following, after = rest.partition("\n## ")
    lines = body.strip("\n").split("\n") if body.strip("\n") else []
    if not any(line.startswith("|") for line in lines):
        lines += [*([""] if lines else []), line_of(row.keys()), "|" + "---|" * len(row)]
    elif line_of(row.keys()) not in lines:
        raise ValueError(f"{path}: the table under {section} has other columns than {', '.join(row)}")
    lines.append(line_of(row.values()))
    path.write_text(before + heading + "\n" + "\n".join(lines) + "\n" + following + after, encoding="utf-8")


def line_of(cells: Iterable[Any]) -> str:
    """A line of a table."""
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"


def origin() -> dict[str, str]:
    """When this is, and of which commit; + where the code differs from it."""
    command = ("git", "-C", str(HERE), "rev-parse", "--short", "HEAD")
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    differs = subprocess.run(
        ("git", "-C", str(HERE.parents[1]), "diff", "--quiet", "HEAD", "--", "src"), capture_output=True, check=False
    ).returncode
    return {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "commit": commit + ("+" if differs else "")}


def keep_constants(found: Constants, machine: str, path: Path = CONSTANTS) -> None:
    """Make these the constants that `--model` computes with."""
    told = {**origin(), "machine": machine, "constants": found}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")


def kept_constants(path: Path = CONSTANTS) -> tuple[str, Constants]:
    """The constants kept, and where they are from, in a sentence."""
    told = msgspec.json.decode(path.read_bytes())
    words = f"measured {told['date']} UTC at {told['commit']} on {told['machine']}"
    return words, msgspec.convert(told["constants"], Constants)
