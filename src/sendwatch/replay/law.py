"""The law packs of a what-if: one pack in force at all times, beside what the carrier itself practises.

Belongs here: which packs are then asked. Not here: what a pack is (`law/`).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sendwatch import law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.law import Pack


class NoSuchPackError(Exception):
    """There is no such law pack, or the file holds none; the message says which there are."""


def packs_under(name: str) -> tuple[Pack, ...]:
    """The packs of a world in which this one is the law at all times: packs with dates give way to it.

    `name`: a pack of the program, or a file of the same form (TOML).
    """
    own = law.load()
    chosen = next((pack for pack in own if pack.id == name), None) or _read(name, own)
    always = [pack for pack in own if pack.id != chosen.id and not pack.since and pack.until is None]
    return (replace(chosen, since=0, until=None), *always)


def _read(name: str, own: Sequence[Pack]) -> Pack:
    path = Path(name)
    known = ", ".join(pack.id for pack in own)
    if path.suffix != ".toml" or not path.is_file():
        raise NoSuchPackError(f"there is no law pack {name}; there are {known}, or name a .toml file of that form")
    try:
        return law.pack_of(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValueError, LookupError, TypeError) as error:
        raise NoSuchPackError(f"{name} is no law pack: {type(error).__name__}: {error}") from error
