"""One campaign from before it is sent to the proof of what was wrong: on the command line and in a real browser.

With `SENDWATCH_SHOTS` naming a folder, each station leaves a picture there, or what the command line said.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from calling import call
from desk_server import until_listening
from playwright.async_api import expect

from engine_builders import HOUR, NOW, REGISTRIES, TEXT, a_consent, a_reply, a_send, a_withdrawal
from sendwatch import config
from sendwatch.broker import Embedded
from sendwatch.demo import until_ready, write
from sendwatch.demo.stage import Stage
from sendwatch.simulate.truth import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from playwright.async_api import BrowserContext, Page

    from engine_builders import Event

pytest_plugins = ["in_chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
WITHIN_MS = 60_000
DAY = ("--from", "2026-06-10", "--to", "2026-06-11")
PLANNED = NOW + HOUR
PEOPLE = [f"139{number:08}" for number in range(24)]
BY_RECORD, BY_REPLY = PEOPLE[0], PEOPLE[1]
UNFILED = "【云岭优选】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
PLAN = {one: UNFILED if number >= 20 else TEXT for number, one in enumerate(PEOPLE)}
MENDED = dict.fromkeys(PEOPLE[2:], TEXT)
BROKEN = {"C5": 2, "G2": 4}
FLAGS = sum(BROKEN.values())
WHY_CONFIRMED = "The refusal was on record a day before."
WHY_DISMISSED = "Filed on paper; the register is behind."


class Desk:
    """A stage's desk: its page, and the command line on the same topics."""

    def __init__(self, stage: Stage, page: Page, address: str) -> None:
        """Its files lie in the stage's folder."""
        self.stage, self.page, self.address, self.folder = stage, page, address, stage.folder
        given = {"evidence.signing_key_file": str(self.folder / "key")}
        self._settings = {
            **stage.worker("settings")._environment,
            **{config.variable(key): value for key, value in given.items()},
        }
        self._shots = os.environ.get("SENDWATCH_SHOTS")
        self._station = 0

    async def run(self, *words: str, status: int = 0, alone: bool = False) -> str:
        """What a command says on standard output; `alone`: on a machine without our configuration."""
        said = await call(*words, settings=None if alone else self._settings, status=status)
        self._keep("txt", words[0]).write_bytes(said)
        return said.decode()

    async def shoot(self, station: str, page: Page | None = None) -> None:
        """A picture of this station, if any are wanted."""
        if self._shots:
            await (page or self.page).screenshot(path=self._keep("png", station))

    def _keep(self, form: str, station: str) -> Path:
        self._station += 1
        return Path(self._shots or self.folder) / f"{self._station:02} {station}.{form}"


def messages(*events: Event) -> list[Message]:
    """Events as the writer of stories takes them."""
    return [Message(event.kind, event.key, event.value, event.timestamp) for event in events]


def before_it() -> list[Message]:
    """Everybody agreed; one has withdrawn since, one has answered an earlier send with a refusal."""
    grants = [a_consent(f"c-{one}", recipient=one) for one in PEOPLE]
    earlier = a_send("earlier", NOW - 25 * HOUR, recipient=BY_REPLY)
    return messages(*REGISTRIES, *grants, earlier, a_withdrawal(recipient=BY_RECORD), a_reply(recipient=BY_REPLY))


def what_is_sent() -> list[Message]:
    """The campaign, alas by the file as it was before it was mended."""
    sends = (a_send(f"s-{n}", PLANNED + n, recipient=one, text=text) for n, (one, text) in enumerate(PLAN.items()))
    return messages(*sends)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(context: BrowserContext, tmp_path: Path) -> AsyncIterator[Desk]:
    """A broker, a worker that judges, a desk with its page open."""
    async with Embedded() as broker:
        stage = Stage(broker.bootstrap, tmp_path, partitions=2, embedded=True)
        await stage.make_topics()
        await write(before_it(), stage)
        worker = stage.worker("judge")
        adding = stage.aggregator("adding", [worker])
        try:
            for each in (worker, adding):
                await each.start()
            for each in (worker, adding):
                await until_ready(each)
            await until_listening(int(adding.page.rstrip("/").rpartition(":")[2]))
            page = await context.new_page()
            await page.goto(adding.page)
            yield Desk(stage, page, adding.page.rstrip("/"))
        finally:
            await adding.stop()
            await worker.stop()


async def test_a_campaign_from_the_check_to_the_proof(desk: Desk) -> None:
    """Checked, mended, sent as it should not be, seen, explained, decided, reported, proved."""
    await desk.run("evidence", "keygen", str(desk.folder / "key"), alone=True)
    await checked_and_mended(desk)
    await write(what_is_sent(), desk.stage)
    refused, unfiled = await flags_come_up(desk)
    await explained(desk, refused)
    await decided(desk, refused, "Confirm", WHY_CONFIRMED)
    await decided(desk, unfiled, "False alarm", WHY_DISMISSED)
    await gathered(desk)
    await reported(desk)
    await proved(desk, refused)


async def checked_and_mended(desk: Desk) -> None:
    """The command line names both faults, and finds none once they are mended; nor does the page."""
    planned, mended = desk.folder / "planned.csv", desk.folder / "mended.csv"
    put(planned, PLAN)
    put(mended, MENDED)
    words = ("--server", desk.address, "--sp", "sp1", "--port", "10690001", "--at", str(PLANNED))
    said = await desk.run("check-campaign", str(planned), *words, status=1)
    assert "24 recipients: 6 flagged" in said
    found = json.loads(await desk.run("check-campaign", str(planned), *words, "--output", "json", status=1))
    assert {each["rule"][:2]: each["flagged"] for each in found["rules"] if each["flagged"]} == BROKEN
    assert {each["n"] for each in found["recipients"] if each["verdict"] == "flagged"} == {2, 3, 22, 23, 24, 25}
    assert "22 recipients: 0 flagged" in await desk.run("check-campaign", str(mended), *words)
    await desk.page.get_by_role("link", name="Before").click()
    await desk.page.get_by_label("Text", exact=True).fill(TEXT)
    await desk.page.get_by_role("textbox", name="Port").fill("10690001")
    await desk.page.get_by_role("textbox", name="SP").fill("sp1")
    await desk.page.get_by_label("Planned for").fill("2026-06-10T15:00")
    for file, flagged, clean in ((planned, FLAGS, 18), (mended, 0, 22)):
        await desk.page.get_by_label("or a file").set_input_files(file)
        await desk.page.get_by_role("button", name="Check").click()
        answer = desk.page.locator("#check-answer")
        await expect(answer).to_contain_text(f"{flagged + clean} recipients asked", timeout=WITHIN_MS)
        await expect(answer.locator(".sums div", has_text="would be flagged")).to_contain_text(str(flagged))
        await expect(answer.locator(".sums div", has_text="nothing found")).to_contain_text(str(clean))
        await expect(answer.locator(".one.is-flagged")).to_have_count(flagged)
        await desk.shoot(f"before {file.stem}")


def put(path: Path, campaign: Mapping[str, str]) -> None:
    """A campaign as a file."""
    rows = "".join(f"{one},{text},cm,53\n" for one, text in campaign.items())
    path.write_text(f"recipient,text,carrier,province\n{rows}", encoding="utf-8")


async def flags_come_up(desk: Desk) -> tuple[str, str]:
    """While somebody looks; ids of a flag of either rule."""
    page = desk.page
    await page.get_by_role("link", name="Live").click()
    await page.get_by_role("button", name="1 day").click()
    await expect(page.locator("#figure-flagged .figure-value")).to_have_text(str(FLAGS), timeout=WITHIN_MS)
    await expect(page.locator("#figure-behind .figure-value")).to_have_text("0", timeout=WITHIN_MS)
    for rule, count in BROKEN.items():
        await expect(page.locator(".latest .flag", has_text=rule)).to_have_count(count)
    await desk.shoot("during")
    first = [page.locator(".latest .flag", has_text=rule).first for rule in ("C5", "G2")]
    refused, unfiled = [await each.get_attribute("data-with") for each in first]
    assert refused
    assert unfiled
    return refused, unfiled


async def explained(desk: Desk, flag_id: str) -> None:
    """One click says why; in the words of the command line."""
    drawer = desk.page.locator("#drawer")
    await desk.page.locator(f".latest .flag[data-with='{flag_id}']").click()
    await expect(drawer.locator("#answers .is-flagged", has_text="C5")).to_be_visible(timeout=WITHIN_MS)
    await desk.shoot("why")
    source = await drawer.locator(".facts div", has_text="source").locator("dd").inner_text()
    text = await drawer.locator("pre").text_content()
    assert text
    assert "C5_AFTER_OPT_OUT" in text
    assert text.strip() == (await desk.run("explain", source, status=1)).strip()
    await desk.page.keyboard.press("Escape")


async def decided(desk: Desk, flag_id: str, action: str, why: str) -> None:
    """Open it, say what it is and why; it stands in its history."""
    drawer = desk.page.locator("#drawer")
    await desk.page.locator(f".latest .flag[data-with='{flag_id}']").click()
    await drawer.get_by_label(action, exact=True).check()
    await drawer.get_by_label("Why").fill(why)
    await drawer.get_by_role("button", name="Record it").click()
    await expect(drawer.locator("#history")).to_contain_text(why)
    await desk.shoot(f"decided {action.lower()}")
    await desk.page.keyboard.press("Escape")


async def gathered(desk: Desk) -> None:
    """What was decided, and what nobody has dealt with yet."""
    page = desk.page
    await page.get_by_role("link", name="After").click()
    done = page.get_by_role("region", name="Dealt with lately")
    for why in (WHY_CONFIRMED, WHY_DISMISSED):
        await expect(done).to_contain_text(why)
    await expect(page.locator(".cases .flag")).to_have_count(FLAGS)
    precision = page.get_by_role("region", name="Precision of the rules")
    await expect(precision).to_contain_text("0 confirmed, 1 false alarms", timeout=WITHIN_MS)
    await desk.shoot("after")
    await page.get_by_role("combobox", name="Dealt with").select_option("none")
    await expect(page.locator(".cases .flag")).to_have_count(FLAGS - 2)
    await page.get_by_role("button", name="中文").click()
    await desk.shoot("after, in Chinese")


async def reported(desk: Desk) -> None:
    """The day's report names each rule, how often, and what people decided."""
    path = desk.folder / "day.html"
    await desk.run("report", *DAY, "-o", str(path))
    page = await desk.page.context.new_page()
    await page.goto(path.as_uri())
    await desk.shoot("report", page)
    told = {"of them dismissed by people": 1, "confirmed": 1, "dismissed as a false alarm": 1, **BROKEN}
    for what, count in told.items():
        line = page.get_by_role("row").filter(has=page.get_by_role("cell", name=what, exact=True))
        await expect(line.filter(has=page.get_by_role("cell", name=str(count), exact=True)).first).to_be_visible()
    await page.close()


async def proved(desk: Desk, flag_id: str) -> None:
    """The pack is sound anywhere; with one byte of it altered, the record is named."""
    key, pack = desk.folder / "key", desk.folder / "flag.pack"
    await desk.run("evidence", flag_id, "-o", str(pack))
    words = ("evidence", "verify", str(pack), "--key", f"{key}.pub")
    assert flag_id in await desk.run(*words, alone=True)
    lines = pack.read_bytes().split(b"\n")
    number, fact = next((n, line) for n, line in enumerate(lines, 1) if line.startswith(b'{"line":"facts"'))
    lines[number - 1] = fact[:-20] + bytes([fact[-20] ^ 1]) + fact[-19:]
    pack.write_bytes(b"\n".join(lines))
    said = await desk.run(*words, status=1, alone=True)
    assert "NOT SOUND" in said
    assert f"line {number} (" in said
