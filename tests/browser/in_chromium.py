"""The distribution's own Chromium, new for every test, and a desk with a made-up day."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest_asyncio
from desk_server import Desk
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 10_000
expect.set_options(timeout=WAIT_MS)


@pytest_asyncio.fixture(loop_scope="module")
async def desk() -> AsyncIterator[Desk]:
    """A desk that listens, open to everybody as an analyst."""
    desk = Desk()
    await desk.start()
    yield desk
    await desk.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One process for a module's tests, on a profile that is new and empty."""
    path = shutil.which("chromium")
    assert path, "the browser tests need Debian's chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, headless=True, args=list(QUIET))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser that knows nothing yet, English and light, far from China."""
    context = await chromium.new_context(
        locale="en-GB", color_scheme="light", timezone_id="America/New_York", viewport={"width": 1920, "height": 1080}
    )
    context.set_default_timeout(WAIT_MS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext, desk: Desk) -> AsyncIterator[Page]:
    """The page, loaded; whatever it complains of on the console (a broken policy, an error) fails the test."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "ERR_" not in message.text and "status of" not in message.text:
            complaints.append(message.text)

    page = await context.new_page()
    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(desk.address)
    yield page
    assert not complaints
