"""The page before a real desk: sends judged by a real worker, added up, looked into, dealt with, checked beforehand."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from desk_server import until_listening
from playwright.async_api import expect

from sendwatch.broker import Embedded
from sendwatch.config import variable
from sendwatch.demo.stage import Stage, free_port
from sendwatch.simulate import Story, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import BrowserContext

pytest_plugins = ["in_chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
WITHIN_MS = 60_000


@pytest.fixture
def numbers() -> Story:
    """A small week, in which much is wrong."""
    return Story(7, 1500, 500, 60, partitions=2, violations=0.1, replies=True)


async def dispositions(stage: Stage) -> list[dict[str, Any]]:
    """What is on the topic of dispositions."""
    topic = stage.settings.topics.name("dispositions")
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=stage.bootstrap, auto_offset_reset="earliest")
    async with consumer:
        found = await consumer.getmany(timeout_ms=3000)
    return [msgspec.json.decode(record.value) for records in found.values() for record in records]


@pytest_asyncio.fixture(loop_scope="module")
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker of its own, and its topics."""
    async with Embedded() as broker:
        stage = Stage(broker.bootstrap, tmp_path, partitions=2, embedded=True)
        await stage.make_topics()
        yield stage


async def test_from_a_send_to_what_was_done_about_it(context: BrowserContext, stage: Stage, numbers: Story) -> None:
    """Flags come up on the page; one is explained and confirmed; what is confirmed is on the topic."""
    worker, adding = stage.worker("judge"), stage.worker("adding")
    port = free_port()
    environment = {**adding._environment, variable("desk.port"): str(port)}
    await stream.write(numbers.facts(), stage.settings)
    await worker.start()
    with (stage.folder / "adding.log").open("ab") as log:
        desk = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sendwatch", "aggregate", env={**os.environ, **environment}, stdout=log, stderr=log
        )
    try:
        page = await context.new_page()
        await until_listening(port)
        await page.goto(f"http://127.0.0.1:{port}/")
        await stream.write(numbers.sends(), stage.settings)
        await expect(page.locator(".latest .flag").first).to_be_visible(timeout=WITHIN_MS)
        await expect(page.locator("#figure-behind .figure-value")).to_have_text("0", timeout=WITHIN_MS)
        await page.get_by_role("button", name="30 days").click()
        await expect(page.locator("#figure-flagged .figure-value")).not_to_have_text("0")
        await page.locator(".latest .flag").first.click()
        drawer = page.locator("#drawer")
        rule = await drawer.locator("h2 .code").inner_text()
        await expect(drawer.locator("#answers .is-flagged", has_text=rule)).to_be_visible(timeout=WITHIN_MS)
        assert f"{rule}_" in str(await drawer.locator("pre").text_content())
        await drawer.get_by_label("Why").fill("As the rule says.")
        await drawer.get_by_role("button", name="Record it").click()
        await expect(drawer.locator("#history")).to_contain_text("As the rule says.")
        (made,) = await dispositions(stage)
        assert (made["action"], made["why"], made["rule"][:2]) == ("confirm", "As the rule says.", rule)
        await page.keyboard.press("Escape")
        await page.get_by_role("link", name="Before").click()
        await page.get_by_label("Text", exact=True).fill("【查无此签】全场八折，欢迎选购")
        await page.get_by_role("textbox", name="Port").fill("10690001")
        await page.get_by_role("textbox", name="SP").fill("SP900001")
        await page.get_by_role("button", name="Check").click()
        await expect(page.locator("#check-answer .is-flagged", has_text="G2")).to_be_visible(timeout=WITHIN_MS)
    finally:
        desk.terminate()
        await desk.wait()
        await worker.stop()
