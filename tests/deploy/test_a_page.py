"""The whole way of a page: a worker ends, Prometheus sees it, somebody is called with a text to act on, and it is over.

Everything is real and as shipped, but in a hurry: intervals, and what SendwatchDown waits for, are seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from alerts import RUNBOOK, anchor, sections
from servers import Inbox, a_prometheus, about, an_alertmanager, prometheus_files
from shipped import ask, installed

from engine_builders import DAY, HOUR, a_filing, a_send
from sendwatch.demo import until_ready
from sendwatch.demo.stage import Stage, free_port
from sendwatch.rules import discover
from sendwatch.simulate import Story, stream
from sendwatch.simulate.truth import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine_builders import Event
    from sendwatch.demo.stage import Worker

LIKELY: Final = 60.0  # seconds in which what must come has come
IMITATION: Final = "【支付寶】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
chinese = re.compile(r"[\u4e00-\u9fff]{4}")


HURRY: Final = {
    "pipeline.yml": {"for: 2m": "for: 2s"},  # the quickest alerts; the others stay patient
    "compliance.yml": {"[10m]": "[20s]", "for: 5m": "for: 2s", "for: 1m": "for: 2s", "for: 10m": "for: 2s"},
}


def impatient(folder: Path) -> None:
    """Shorten what the alerts of these tests wait for."""
    for name, changes in HURRY.items():
        path = folder / "rules" / name
        text = path.read_text(encoding="utf-8")
        for shipped, here in changes.items():
            assert shipped in text
            text = text.replace(shipped, here)
        path.write_text(text, encoding="utf-8")


def a_quiet_yesterday(folder: Path) -> None:
    """Give Prometheus a flag of each rule an hour, at this time of yesterday: what a surge is held against."""
    first = int(time.time()) - 26 * 3600
    lines = ["# TYPE sendwatch_flags counter"]
    for rule in discover():
        lines += [f'sendwatch_flags_total{{rule="{rule}"}} {at // 3600} {first + at}' for at in range(0, 3 * 3600, 60)]
    samples = folder / "yesterday.txt"
    samples.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    ask(installed("promtool", "prometheus"), "tsdb", "create-blocks-from", "openmetrics", samples, folder / "tsdb")


@asynccontextmanager
async def an_installation(bootstrap: str, prefix: str, folder: Path) -> AsyncIterator[tuple[Stage, Worker, Inbox]]:
    """A worker that is ready, watched by Prometheus, which tells Alertmanager, which calls."""
    stage = Stage(bootstrap, folder, partitions=2, embedded=True, prefix=prefix)
    stage.overrides |= {"kafka.group": f"{prefix}group", "breaches.aggregate": "true"}
    stage.settings = stage.settings_of({})
    await stage.make_topics()
    worker, prometheus, alertmanager = stage.worker("watched"), free_port(), free_port()
    configuration = prometheus_files(folder / "prometheus", worker.port, prometheus, alertmanager)
    impatient(folder / "prometheus")
    await worker.start()
    try:
        await until_ready(worker)
        async with (
            Inbox() as inbox,
            an_alertmanager(folder / "alertmanager", alertmanager, inbox),
            a_prometheus(folder, configuration, prometheus),
        ):
            yield stage, worker, inbox
    finally:
        await worker.stop()


def text_of(page: dict[str, Any]) -> list[str]:
    """What the person called reads."""
    notes = page["commonAnnotations"]
    return [notes["summary"], *notes["description"].split("\n")]


async def test_a_worker_that_ends_calls_somebody_and_calls_off_when_it_is_back(
    bootstrap: str, prefix: str, tmp_path: Path
) -> None:
    """With a text in both languages and a link to what is to be done; everything that only follows is held back."""
    async with asyncio.timeout(170), an_installation(bootstrap, prefix, tmp_path) as (_, worker, inbox):
        await inbox.message("deadman", about("Watchdog", "firing"), LIKELY)
        assert not [path for path, _ in inbox.posts if path == "page"], "somebody was called while all was well"

        worker.kill()
        await worker.wait(10)
        page = await inbox.message("page", about("SendwatchDown", "firing"), LIKELY)
        await inbox.message("noc-chat", about("SendwatchDown", "firing"), LIKELY)
        assert page["commonLabels"]["severity"] == "critical"
        assert page["groupLabels"]["cluster"] == "sendwatch"
        summary, english, native = text_of(page)
        assert re.search(r"No sendwatch worker answers · .*[\u4e00-\u9fff]", summary)
        assert not chinese.search(english)
        assert chinese.search(native)
        link = page["commonAnnotations"]["runbook_url"]
        assert link.startswith("deploy/README.md#")
        runbook = sections(sections(RUNBOOK.read_text(encoding="utf-8"), 2)["Alerts"], 3)
        (section,) = [body for heading, body in runbook.items() if anchor(heading) == link.partition("#")[2]]
        assert "**Do**" in section

        await worker.start()
        await until_ready(worker)
        over = await inbox.message("page", about("SendwatchDown", "resolved"), LIKELY)
        assert {alert["status"] for alert in over["alerts"]} == {"resolved"}
        called = [post["groupLabels"]["alertname"] for path, post in inbox.posts if path == "page"]
        assert set(called) == {"SendwatchDown"}, "more pages than one reason"


async def test_a_worker_that_hangs_calls_somebody_too(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    """Its process is there and its port is open, but nobody answers."""
    async with asyncio.timeout(170), an_installation(bootstrap, prefix, tmp_path) as (_, worker, inbox):
        await inbox.message("deadman", about("Watchdog", "firing"), LIKELY)
        worker.pause(paused=True)
        try:
            await inbox.message("page", about("SendwatchDown", "firing"), LIKELY)
        finally:
            worker.pause(paused=False)
        await inbox.message("page", about("SendwatchDown", "resolved"), LIKELY)


async def test_a_surge_of_flags_comes_to_the_desk_as_one_message(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    """Planted violations, far more than yesterday: one message that names the rules, and an end when it is over."""
    a_quiet_yesterday(tmp_path)
    story = Story(3, 3000, 500, 60, stream.now(), partitions=2, violations=0.4)  # of the past they would come late, too
    async with asyncio.timeout(170), an_installation(bootstrap, prefix, tmp_path) as (stage, _, inbox):
        await inbox.message("deadman", about("Watchdog", "firing"), LIKELY)
        await stream.write(story.facts(), stage.settings)
        await stream.write(story.sends(), stage.settings, 300)
        desk = await inbox.message("compliance-desk", about("SmsFlagRateSurge", "firing"), LIKELY)
        most = story.truth.by_rule().most_common(1)[0][0]
        found = await inbox.message("compliance-desk", lambda post: names(post, most), LIKELY)
        over = await inbox.message("compliance-desk", about("SmsFlagRateSurge", "resolved"), LIKELY)
    assert desk["groupLabels"] == {"alertname": "SmsFlagRateSurge", "cluster": "sendwatch", "category": "compliance"}
    (alert,) = [each for each in found["alerts"] if each["labels"]["rule"] == most]
    assert re.fullmatch(rf"{most}: [\d.]+ flags a second · {most} 每秒 [\d.]+ 条标记", alert["annotations"]["summary"])
    assert alert["annotations"]["dashboard_url"].endswith(f"?var-rule={most}")
    assert alert["annotations"]["runbook_url"] == "deploy/README.md#smsflagratesurge"
    assert {each["status"] for each in over["alerts"]} == {"resolved"}
    assert not [post["groupLabels"] for path, post in inbox.posts if path == "page"], "nobody has to get up for this"


def names(post: dict[str, Any], rule: str) -> bool:
    """Whether a message is about that rule and, in the same, about others."""
    return len(post["alerts"]) > 1 and any(alert["labels"].get("rule") == rule for alert in post["alerts"])


async def test_a_broken_limit_calls_somebody_who_finds_out_whose_it_is(
    bootstrap: str, prefix: str, tmp_path: Path
) -> None:
    """A name that imitates a filed one: the page has a key, `sendwatch breaches` the sender. It ends when that ebbs."""
    day = stream.now() - 3 * DAY  # what closes it comes hours later, by the time of sends
    async with asyncio.timeout(170), an_installation(bootstrap, prefix, tmp_path) as (stage, worker, inbox):
        filing = a_filing(signature="支付宝", valid_from=day - 9 * DAY)
        await stream.write(messages(filing, a_send("fake", day, text=IMITATION)), stage.settings)
        page = await inbox.message("page", about("SmsSignatureBreach", "firing"), LIKELY)
        desk = await inbox.message("compliance-desk", about("SmsSignatureBreach", "firing"), LIKELY)
        (found,) = json.loads(await answer(worker, "breaches", "--output", "json"))["open"]
        later = [a_send(f"later-{hour}", day + hour * HOUR) for hour in range(2, 10, 2)]
        await stream.write(messages(*later), stage.settings, 1)  # a second apart, so that hours are seen to pass
        over = await inbox.message("page", about("SmsSignatureBreach", "resolved"), LIKELY)
    (alert,) = page["alerts"]
    assert alert["labels"]["breach"] == found["breach_id"]
    assert (found["rule"], found["subject"]) == ("B5_EVASION", {"signature": "支付寶"})
    assert alert["annotations"]["summary"].startswith(f"B5_EVASION: limit broken, breach {found['breach_id']} · ")
    assert "支付" not in json.dumps(page, ensure_ascii=False)
    assert desk["commonAnnotations"]["runbook_url"] == "deploy/README.md#smssignaturebreach"
    assert {each["status"] for each in over["alerts"]} == {"resolved"}


def messages(*events: Event) -> list[Message]:
    """Events as the writer of stories takes them."""
    return [Message(event.kind, event.key, event.value, event.timestamp) for event in events]


async def answer(worker: Worker, *command: str) -> str:
    """What a command says, with the worker's configuration."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sendwatch", *command, env=worker._environment, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode()
