"""Downstream: whoever reads what is published, by our command or by a client of their own, comes to the same."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sendwatch.demo.audience import Audience
from sendwatch.demo.stage import Stage
from sendwatch.simulate import Story, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
async def published(
    bootstrap: str, prefix: str, tmp_path: Path, pytestconfig: pytest.Config
) -> AsyncIterator[Audience]:
    """What a worker published of a small story, as anybody can see it."""
    embedded = pytestconfig.getoption("--broker") == "embedded"
    stage = Stage(bootstrap, tmp_path, partitions=2, embedded=embedded, prefix=prefix)
    stage.overrides["kafka.group"] = f"{prefix}group"
    stage.settings = stage.settings_of({})
    await stage.make_topics()
    story = Story(7, 1200, 500, 60, partitions=2, violations=0.1, replies=True)
    await stream.write(story.facts(), stage.settings)
    await stream.write(story.sends(), stage.settings)
    worker = stage.worker("once", until_end=True)
    await worker.start()
    assert await worker.wait(60) == 0
    audience = Audience(stage.settings)
    await audience.start()
    while not await audience.caught_up():
        await audience.look()
    yield audience
    await audience.stop()


async def told(*words: str) -> str:
    """What a program says on standard output, once it has ended well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def tail(audience: Audience, *words: str) -> list[str]:
    """The lines of `sendwatch tail` without a configuration; a prefix comes from the environment."""
    kafka, topics = audience.settings.kafka, audience.settings.topics
    prefixed = "import os, sys; os.environ['SENDWATCH_TOPICS__PREFIX'] = sys.argv.pop(1)"
    start = f"{prefixed}; from sendwatch.cli import main; main()"
    answer = await told("-c", start, topics.prefix, "tail", "--bootstrap", kafka.bootstrap, *words)
    return answer.splitlines()


async def test_the_net_state_is_what_stands(published: Audience) -> None:
    """As JSON, each flag once, as it was published; and as lines, filtered."""
    lines = await tail(published, "--net", "--output", "json")
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    standing = {flag_id for flag_id, seen in published.flags.items() if seen.raised}
    assert len(standing) > 50
    assert len(lines) == len(standing)
    assert {flag["flag_id"] for flag in found} == standing
    assert {"law", "evidence", "version"} <= found[0].keys()
    chinese = await tail(published, "--net", "--rule", "G1", "--lang", "zh")
    assert len(chinese) == published.by_rule()["G1_SIGNATURE_MISSING"] > 0
    assert all("没有签名" in line for line in chinese)


async def test_the_other_topics_can_be_followed_too(published: Audience) -> None:
    """Up to what is there now."""
    assert len(await tail(published, "--topic", "quarantine", "--since", "beginning", "--until-end")) == len(
        published.quarantined
    )
    assert await tail(published, "--topic", "optouts", "--since", "beginning", "--until-end")


async def test_the_consumer_of_the_readme_comes_to_the_same(published: Audience, tmp_path: Path) -> None:
    """Run as it stands there, by a team that has none of our code."""
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 12
    script = tmp_path / "consumer.py"
    script.write_text(example, encoding="utf-8")
    settings = published.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        script,
        settings.kafka.bootstrap,
        settings.topics.name("flags"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = [await process.stdout.readline() for _ in range(published.records["flags"])]
    finally:
        process.kill()
        await process.wait()
    assert said[-1].decode() == f"{published.by_rule().total()} flags stand\n"
