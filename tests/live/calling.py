"""Calling the command line as people do: as another process."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHIN_SECONDS = 120


async def call(*words: str, settings: Mapping[str, str] | None, status: int = 0) -> bytes:
    """What a command says on standard output, with this environment; None: on a machine without our configuration."""
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith("SENDWATCH")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sendwatch", *words,
        env=elsewhere if settings is None else settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(WITHIN_SECONDS):
        said, complaint = await process.communicate()
    assert process.returncode == status, complaint.decode() + said.decode()
    return said
