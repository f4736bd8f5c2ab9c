"""The page in a real browser: what it shows, what a click and a key do, what it says when it knows nothing."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import desk_samples as samples
import pytest
from axe_playwright_python.async_playwright import Axe
from desk_server import Desk, today
from playwright.async_api import expect

from sendwatch.desk.say import Me

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import BrowserContext, Page

pytest_plugins = ["in_chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = ((1280, 720), (1920, 1080), (390, 844))


async def open_first_flag(page: Page) -> None:
    """One click on the newest flag."""
    await page.locator(".latest .flag").first.click()
    await expect(page.locator("#drawer")).to_be_visible()


async def go_to(page: Page, view: str) -> None:
    """Another view, once it is there."""
    await page.goto(f"{page.url.split('#')[0]}#/{view}")
    await expect(page.locator(".form" if view == "before" else ".flags .flag").first).to_be_visible()


# -- watching --------------------------------------------------------------------------------------------


async def test_numbers_are_live(page: Page, desk: Desk) -> None:
    """What the server counts is there at once, and changes without a reload."""
    await expect(page.locator("#figure-sends .figure-value")).to_have_text("812")
    await expect(page.locator("#figure-coverage .figure-value")).to_have_text("98.9%")
    await expect(page.locator("#figure-open .figure-value")).to_have_text("3")
    await expect(page.locator("#connection")).to_have_text("Live")
    desk.day.sends_per_second = 93.7
    await expect(page.locator("#figure-sends .figure-value")).to_have_text("93.7")


async def test_a_new_flag_comes_by_itself_and_goes_when_cleared(page: Page, desk: Desk) -> None:
    """It is on top within a moment; when a late fact clears it, it stays, struck through, and says so."""
    first = page.locator(".latest .flag").first
    await expect(first).to_contain_text("09")
    flag = await desk.raise_flag(900, "C9_OPT_OUT_IGNORED")
    await expect(first).to_contain_text("Refusal reply ignored")
    cleared = samples.a_flag(900, "C9_OPT_OUT_IGNORED", status="cleared")
    assert cleared.flag_id == flag.flag_id
    await desk.push("flags", {"flags": [cleared], "left_out": 0})
    await expect(first).to_contain_text("cleared")


async def test_the_list_stands_still_while_somebody_reads_it(page: Page, desk: Desk) -> None:
    """A flag under the pointer is the one that a click opens; what came meanwhile follows."""
    first = page.locator(".latest .flag").first
    before = await first.inner_text()
    await first.hover()
    await desk.raise_flag(901, "G5_SUBLEASE")
    await expect(page.locator("#latest")).to_contain_text("1 new")
    assert await first.inner_text() == before
    await page.mouse.move(5, 5)
    await expect(first).to_contain_text("Port sub-let")


async def test_why_is_one_click_away(page: Page, desk: Desk) -> None:
    """The reason, the evidence, every rule's answer and the text of `explain`."""
    flag = desk.day.flags[-1]
    await open_first_flag(page)
    drawer = page.locator("#drawer")
    await expect(drawer.locator(".why")).to_have_text(flag.reason.en)
    await expect(drawer.locator(".tag.amber")).to_have_text("clause not yet checked by a person")
    await expect(drawer).to_contain_text("refused by")
    await expect(drawer.locator("#answers .is-flagged").first).to_contain_text("flagged")
    await drawer.get_by_text("The same as text").click()
    await expect(drawer.locator("pre")).to_have_text(samples.explained(flag).text)
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()


async def test_a_rule_a_province_or_an_owner_filters_the_flags(page: Page, desk: Desk) -> None:
    """A click on its row or tile; another takes it off."""
    rule = page.locator(".row.rule", has_text="C5")
    await rule.click()
    await expect(rule).to_have_attribute("aria-pressed", "true")
    wanted = [flag for flag in desk.day.flags if flag.rule == "C5_AFTER_OPT_OUT"]
    await expect(page.locator(".latest .flag")).to_have_count(len(wanted))
    await page.get_by_role("button", name=re.compile("Remove filter rule")).click()
    await expect(page.locator(".latest .flag")).to_have_count(60)
    place = wanted[0].send.province
    await page.locator(f'.tile[data-key="{place}"]').click()
    expected = sum(flag.send.province == place for flag in desk.day.flags)
    await expect(page.locator(".latest .flag")).to_have_count(expected)


async def test_language_and_theme_switch_and_are_remembered(page: Page) -> None:
    """Both at once and after a reload; the document says which language it is in."""
    html = page.locator("html")
    await expect(html).to_have_attribute("data-theme", "light")
    await page.get_by_role("button", name="切换为中文").click()
    await page.get_by_role("button", name="切换深浅色").click()
    await expect(page.get_by_role("heading", name="各规则违规数")).to_be_visible()
    await page.reload()
    await expect(html).to_have_attribute("lang", "zh-CN")
    await expect(html).to_have_attribute("data-theme", "dark")
    await expect(page.locator("#latest")).to_contain_text("最新违规")


async def test_the_system_decides_until_somebody_does(context: BrowserContext, desk: Desk) -> None:
    """A dark system gets the dark page."""
    page = await context.new_page()
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await page.goto(desk.address)
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator(".latest .flag").first).to_be_visible()
    await desk.raise_flag(902)
    await expect(page.locator(".latest .fresh")).to_have_count(1)
    moving = "document.getAnimations().length"
    assert await page.evaluate(moving) == 0


# -- what is not known --------------------------------------------------------------------------------------------


async def test_it_says_since_when_it_is_stale(page: Page, desk: Desk) -> None:
    """When the server goes, the numbers stay, and say as of when; when it is back, so are they."""
    await expect(page.locator("#connection")).to_have_text("Live")
    await desk.stop()
    await expect(page.locator("#connection")).to_have_text("Stale")
    await expect(page.locator("#notice")).to_contain_text(re.compile(r"No news since \d\d:\d\d:\d\d"))
    await expect(page.locator("#figure-sends .figure-value")).to_have_text("812")
    await desk.start()
    await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("#notice")).to_be_empty()


async def test_no_counts_are_shown_where_nobody_counts(context: BrowserContext, desk: Desk) -> None:
    """A dash and a sentence, never a row of zeros."""
    desk.day.counting = False
    page = await context.new_page()
    await page.goto(desk.address)
    await expect(page.locator("#notice")).to_contain_text("not adding up")
    for figure in ("flagged", "coverage", "open", "heeded"):
        await expect(page.locator(f"#figure-{figure} .figure-value")).to_have_text("–")
    await expect(page.locator("#rules .row")).to_have_count(0)


async def test_it_says_while_it_has_not_read_everything(page: Page, desk: Desk) -> None:
    """After a start: what is read first, and nothing once it is all there."""
    notice = page.locator("#notice")
    desk.day.behind = ["registries", "published"]
    await expect(notice).to_contain_text("campaigns cannot be checked yet")
    desk.day.behind = ["published"]
    await expect(notice).to_contain_text("flags, breaches and decisions are not whole yet")
    desk.day.behind = []
    await expect(notice).to_be_empty()


async def test_what_is_loading_and_what_failed_say_so(context: BrowserContext, desk: Desk) -> None:
    """Nothing is shown as empty before it is known to be."""
    desk.slow["/v1/summary"] = 1.0
    desk.broken["/v1/flags"] = 500
    page = await context.new_page()
    await page.goto(desk.address)
    await expect(page.locator("#rules")).to_contain_text("Loading")
    await expect(page.locator("#latest")).to_contain_text("Could not be loaded: It is broken on purpose.")
    await expect(page.locator("#rules .row")).to_have_count(20)


async def test_nothing_is_ever_called_compliant(page: Page, desk: Desk) -> None:
    """In neither language: what was not found is not found."""
    words = await page.evaluate("async () => Object.values((await import('/words.js')).WORDS).flat().join('|')")
    assert not re.search(r"complian|lawful|合规|合法", words, re.IGNORECASE)
    pairs: list[list[str]] = await page.evaluate("async () => Object.values((await import('/words.js')).WORDS)")
    assert all(len(pair) == 2 and all(pair) for pair in pairs)


# -- before and after --------------------------------------------------------------------------------------------


async def test_a_campaign_is_checked_before_it_is_sent(page: Page, desk: Desk) -> None:
    """In sum, by rule, by recipient; by line, never by number; and what is not known is not clean."""
    await page.get_by_role("link", name="Before").click()
    await page.get_by_label("Text", exact=True).fill("【溪谷嘉购物网】双11会员日全场八折")
    await page.get_by_label("Port").fill("106984960008")
    await page.get_by_role("textbox", name="SP").fill("SP900000")
    await page.get_by_label("Recipients").fill("\n".join(f"1380000{n:04d}" for n in range(12)))
    await page.get_by_label("Planned").fill("2026-11-11T20:00")
    await page.get_by_role("button", name="Check").click()
    answer = page.locator("#check-answer")
    await expect(answer).to_contain_text("12 recipients asked")
    await expect(answer.locator('[data-key="flagged"] dd')).to_have_text("4")
    await expect(answer.locator('[data-key="unknown"] dd')).to_have_text("2")
    await expect(answer).to_contain_text("not the same as nothing found")
    await expect(answer).to_contain_text("line 1")
    assert "1380000" not in await answer.inner_text()
    asked: Any = desk.checks[0]
    assert asked["recipients"][:2] == ["13800000000", "13800000001"]
    assert asked["send"]["planned_at"] == 1_794_398_400_000  # 20:00 in UTC+8, wherever the browser is


TABLE = """\ufeff号码,短信内容,省份,备注,计划时间
13800000000,"【溪谷嘉购物网】说""好""，
两行",53,x,2026-11-11 21:00
13800000001,,,,

13800000002,【溪谷嘉购物网】另一条,31,y,1794398400000
"""


async def test_a_table_has_its_own_texts_checked(page: Page, desk: Desk, tmp_path: Path) -> None:
    """As `check-campaign` reads it: quotes, line breaks, heads in Chinese; lines are those of the file."""
    table = tmp_path / "campaign.csv"
    table.write_text(TABLE, encoding="utf-8")
    await fill_in(page)
    await page.get_by_label("or a file").set_input_files(table)
    await page.get_by_role("button", name="Check").click()
    answer = page.locator("#check-answer")
    await expect(answer).to_contain_text("3 recipients asked")
    await expect(answer).to_contain_text("line 2")
    first = {"recipient": "13800000000", "text": '【溪谷嘉购物网】说"好"，\n两行', "province": "53",
             "planned_at": 1_794_402_000_000}  # fmt: skip
    last = {"recipient": "13800000002", "text": "【溪谷嘉购物网】另一条", "province": "31",
            "planned_at": 1_794_398_400_000}  # fmt: skip
    assert desk.checks[0]["recipients"] == [first, "13800000001", last]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("recipient,端口\n1,2\n", "a column 端口: rows that differ in it are campaigns of their own"),
        ("recipient,text\n1,a\n,b\n", "Line 3 of the file has no recipient"),
        ("recipient,time\n1,soon\n", "Line 2 of the file has a time that cannot be read"),
    ],
)
async def test_a_table_that_cannot_be_checked_is_told_why(
    page: Page, desk: Desk, tmp_path: Path, table: str, says: str
) -> None:
    """Nothing is asked then."""
    path = tmp_path / "campaign.csv"
    path.write_text(table, encoding="utf-8")
    await fill_in(page)
    await page.get_by_label("or a file").set_input_files(path)
    await page.get_by_role("button", name="Check").click()
    await expect(page.locator("#check .problem")).to_contain_text(says)
    assert not desk.checks


async def fill_in(page: Page) -> None:
    """What holds for all recipients."""
    await page.get_by_role("link", name="Before").click()
    await page.get_by_label("Text", exact=True).fill("【溪谷嘉购物网】双11会员日全场八折")
    await page.get_by_label("Port").fill("106984960008")
    await page.get_by_role("textbox", name="SP").fill("SP900000")


async def test_a_flag_is_dealt_with_and_everybody_sees_it(page: Page, desk: Desk) -> None:
    """With why and by whom; on the list, in its history, among what was done."""
    await open_first_flag(page)
    drawer = page.locator("#drawer")
    await drawer.get_by_label("False alarm").check()
    await drawer.get_by_role("button", name="Record it").click()
    assert not desk.day.deeds, "without a reason nothing is sent"
    await drawer.get_by_label("Why").fill("The reply was to another sender.")
    await drawer.get_by_role("button", name="Record it").click()
    await expect(drawer.locator("#history")).to_contain_text("The reply was to another sender.")
    await expect(drawer.locator("#history")).to_contain_text("zhang")
    await page.keyboard.press("Escape")
    await expect(page.locator(".latest .flag").first).to_contain_text("dismissed as false alarm")
    await page.get_by_role("link", name="After").click()
    await expect(page.get_by_role("region", name="Dealt with lately")).to_contain_text(
        "The reply was to another sender."
    )
    await page.get_by_role("combobox", name="Dealt with").select_option("dismiss")
    await expect(page.locator(".cases .flag")).to_have_count(1)


async def test_an_exception_needs_its_last_day(page: Page, desk: Desk) -> None:
    """It is asked for only there, and is on the record."""
    await open_first_flag(page)
    drawer = page.locator("#drawer")
    await expect(drawer.get_by_label("Last day")).to_have_count(0)
    await drawer.get_by_label("Except until").check()
    await drawer.get_by_label("Last day").fill("2027-01-31")
    await drawer.get_by_label("Why").fill("Filing is being renewed.")
    await drawer.get_by_role("button", name="Record it").click()
    await expect(drawer.locator("#history")).to_contain_text("until 2027-01-31")
    assert desk.day.deeds[0].until == "2027-01-31" > today()


async def test_a_breach_is_dealt_with_too(page: Page, desk: Desk) -> None:
    """Suspension is an admin's to recommend: the button says so before anybody tries."""
    desk.me = Me("zhang", "analyst", open=False)
    await page.reload()
    await page.locator(".breaches .flag").first.click()
    drawer = page.locator("#drawer")
    await drawer.get_by_label("Recommend suspending").check()
    await expect(drawer).to_contain_text("Only an admin may recommend suspending.")
    await expect(drawer.get_by_role("button", name="Record it")).to_be_disabled()
    await drawer.get_by_label("Confirm").check()
    await drawer.get_by_label("Why").fill("Seven complaints, all about one campaign.")
    await drawer.get_by_role("button", name="Record it").click()
    await expect(drawer.locator("#history")).to_contain_text("confirmed")
    assert desk.day.deeds[0].about.kind == "breach"


async def test_a_disposition_that_failed_is_not_lost(page: Page, desk: Desk) -> None:
    """It says so, and what was written is still there."""
    await open_first_flag(page)
    drawer = page.locator("#drawer")
    desk.broken["/v1/dispositions"] = 503
    await drawer.get_by_label("Why").fill("Kept while it fails.")
    await drawer.get_by_role("button", name="Record it").click()
    await expect(drawer.locator(".problem")).to_contain_text("Could not be loaded")
    await expect(drawer.get_by_label("Why")).to_have_value("Kept while it fails.")


async def test_one_logs_in_where_tokens_are_asked_for(context: BrowserContext) -> None:
    """Nothing is shown before; a wrong token is told."""
    desk = Desk(role=None)
    await desk.start()
    page = await context.new_page()
    await page.goto(desk.address)
    await page.get_by_label("Access token").fill("wrong")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("That token is not valid.")
    assert await page.locator(".figure").count() == 0
    await page.get_by_label("Access token").fill(Desk.TOKEN)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#figure-sends .figure-value")).to_have_text("812")
    await desk.stop()


# -- for everybody --------------------------------------------------------------------------------------------


async def focused(page: Page) -> str:
    """What has the focus, by its words."""
    return str(
        await page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText).trim()"
        )
    )


async def press_until(page: Page, key: str, wanted: str) -> None:
    """Press a key until that has the focus."""
    for _ in range(40):
        await page.keyboard.press(key)
        if wanted in await focused(page):
            seen = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(seen) != "none", f"the focus on {wanted} cannot be seen"
            return
    raise AssertionError(f"{wanted} cannot be reached by {key}")


async def test_the_whole_way_by_keyboard(page: Page, desk: Desk) -> None:
    """Skip the head, walk the map and the list by arrows, open, deal with it, and be back where one was."""
    await expect(page.locator(".latest .flag").first).to_be_visible()
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to content"
    await press_until(page, "Tab", "Commercial SMS without consent")
    await page.keyboard.press("ArrowDown")
    assert "Consent not expressly given" in await focused(page)
    await press_until(page, "Tab", "Heilongjiang")
    await page.keyboard.press("ArrowDown")
    assert "Jilin" in await focused(page)
    await press_until(page, "Tab", desk.day.flags[-1].reason.en)
    await page.keyboard.press("ArrowDown")
    opened = await focused(page)
    await page.keyboard.press("Enter")
    await expect(page.locator("#drawer")).to_be_visible()
    await press_until(page, "Tab", "")
    await page.get_by_label("Why").focus()
    await page.keyboard.type("By keyboard alone.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#history")).to_contain_text("By keyboard alone.")
    assert desk.day.deeds[0].about.id == desk.day.flags[-2].flag_id
    await page.keyboard.press("Escape")
    await expect(page.locator("#drawer")).to_be_hidden()
    assert (await focused(page)).split("\n")[0] == opened.split("\n")[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(page: Page, theme: str) -> None:
    """Contrast, names, roles, order: in every view, and with the drawer open."""
    await page.emulate_media(reduced_motion="reduce")
    if theme == "dark":
        await page.get_by_role("button", name="Switch theme").click()
    for view in ("live", "before", "after"):
        await go_to(page, view)
        if view == "live":
            await page.get_by_role("button", name="undecided").click()
            await assert_accessible(page, f"{theme} map of the undecided")
            await open_first_flag(page)
            await expect(page.locator("#answers .answer").first).to_be_visible()
            await assert_accessible(page, f"{theme} drawer")
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="flags", exact=True).click()
        await assert_accessible(page, f"{theme} {view}")


async def assert_accessible(page: Page, where: str) -> None:
    """No violation of WCAG 2.2 AA, nor of what is best practice."""
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    told = [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:4]]}" for each in found.response["violations"]
    ]
    assert not told, f"{where}: " + "\n".join(told)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_it_fits_without_scrolling_sideways(page: Page, width: int, height: int) -> None:
    """On a desk, on a wall, in a hand; on a wall everything is there without scrolling at all."""
    await page.set_viewport_size({"width": width, "height": height})
    for view in ("live", "before", "after"):
        await go_to(page, view)
        await asyncio.sleep(0.1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, view
        if view == "live" and width == 1920:
            assert await page.evaluate("document.documentElement.scrollHeight") <= height
            await expect(page.locator("#pipeline")).to_be_in_viewport()


@pytest.mark.parametrize("language", ["English", "中文"])
async def test_no_rule_is_cut_off_on_a_wall(page: Page, language: str) -> None:
    """Across a room nobody can hover."""
    if language != "English":
        await page.get_by_role("button", name=language).click()
    await expect(page.locator("#rules .row")).to_have_count(20)
    cut = "rows => rows.filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"
    assert await page.locator("#rules .row-name").evaluate_all(cut) == []


async def test_it_runs_under_the_strictest_policy_and_asks_nobody_else(page: Page, desk: Desk) -> None:
    """No script or style of another origin or inline: every request goes to the desk, and nothing is refused."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = await page.reload()
    assert answer is not None
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    await expect(page.locator(".latest .flag").first).to_be_visible()
    assert asked
    assert all(url.startswith(desk.address) for url in asked)
    assert await page.locator("[style], style, script:not([src])").count() == 0
