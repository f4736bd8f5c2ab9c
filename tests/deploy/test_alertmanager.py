"""Alertmanager: every alert has a way to somebody, what follows from another is held back, and chats can read it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest
import yaml
from alerts import ALERTMANAGER, ALERTS, Alert
from shipped import ask, installed, read

from sendwatch.demo.stage import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIGURATION: Final = ALERTMANAGER / "alertmanager.yml"
GOLDEN: Final = ALERTMANAGER / "golden"
ROBOTS: Final = {"wecom": "noc-chat", "feishu": "compliance-desk", "dingtalk": "page"}
WECOM_BYTES: Final = 4096
PATIENCE: Final = 20.0
FIRST: Final = {"Watchdog": "deadman"}
BY_CATEGORY: Final = {"compliance": "compliance-desk", "pipeline": "noc-chat", "config": "noc-chat"}

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.case)
each_robot = pytest.mark.parametrize("robot", ROBOTS)
each_status = pytest.mark.parametrize("status", ["firing", "resolved"])


def amtool(*arguments: str | Path) -> str:
    """What amtool says."""
    command = [installed("amtool", "prometheus-alertmanager"), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def receivers_of(labels: dict[str, str], configuration: Path = CONFIGURATION) -> list[str]:
    """Who is told of an alert with these labels."""
    told = amtool("config", "routes", "test", "--config.file", configuration, *(f"{k}={v}" for k, v in labels.items()))
    return told.strip().split(",")


def due(alert: Alert) -> list[str]:
    """Who is to be told of an alert, by what it says of itself."""
    if alert.name in FIRST:
        return [FIRST[alert.name]]
    severity, category = alert.labels["severity"], alert.labels["category"]
    somebody = [] if severity == "info" and category != "compliance" else [BY_CATEGORY[category]]
    return ["page"] * (severity == "critical") + (somebody or ["nobody"])


# -- routes -----------------------------------------------------------------------------------------------------


def test_alertmanager_takes_its_configuration() -> None:
    """With the texts that it names."""
    ask(installed("amtool", "prometheus-alertmanager"), "check-config", CONFIGURATION)


@each_alert
def test_an_alert_reaches_whom_it_concerns(alert: Alert) -> None:
    """Pages wake somebody and tell the chat or the desk too; info of the pipeline tells nobody."""
    assert receivers_of({"alertname": alert.name, "cluster": "east", **alert.labels}) == due(alert)


@each_alert
def test_no_alert_takes_the_way_of_last_resort(alert: Alert, tmp_path: Path) -> None:
    """With another name for the receiver of what has no route, nothing of ours goes there."""
    configuration = read(CONFIGURATION)
    configuration["route"]["receiver"] = "lost"
    configuration["receivers"].append({"name": "lost"})
    configuration["templates"] = []
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    assert "lost" not in receivers_of({"alertname": alert.name, **alert.labels}, path)


def test_what_is_nobodys_is_at_least_seen() -> None:
    """Another team's alert comes to the chat."""
    assert receivers_of({"alertname": "DiskFull", "severity": "page"}) == ["noc-chat"]


def test_every_receiver_has_something_to_do() -> None:
    """None is left over."""
    names = {each["name"] for each in read(CONFIGURATION)["receivers"]}
    assert names == {receiver for alert in ALERTS for receiver in due(alert)}


def test_the_observer_is_never_told_that_all_is_well() -> None:
    """A dead man's switch has no end that could be announced."""
    (deadman,) = [each for each in read(CONFIGURATION)["receivers"] if each["name"] == "deadman"]
    assert [hook["send_resolved"] for hook in deadman["webhook_configs"]] == [False]


def test_groups_are_made_by_what_stays_few() -> None:
    """Never by signature, rule or partition."""
    assert read(CONFIGURATION)["route"]["group_by"] == ["alertname", "cluster", "category"]


# -- inhibition, by a real Alertmanager -------------------------------------------------------------------------


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    """The address of an Alertmanager of this test's own, with the shipped configuration."""
    listen = f"127.0.0.1:{free_port()}"
    command = [
        installed("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={CONFIGURATION}",
        f"--storage.path={tmp_path}",
        f"--web.listen-address={listen}",
        "--cluster.listen-address=",
    ]
    log = tmp_path / "alertmanager.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        give_up_at = time.monotonic() + PATIENCE
        while not answers(f"http://{listen}/-/ready"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < give_up_at, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield f"http://{listen}/api/v2/alerts"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answers(address: str) -> bool:
    """Whether a server is there."""
    try:
        with urllib.request.urlopen(address) as answer:
            ready: bool = answer.status == 200
            return ready
    except urllib.error.URLError:
        return False


def posted(name: str, cluster: str = "east", severity: str | None = None, **more: str) -> dict[str, str]:
    """The labels of one of our alerts as they reach Alertmanager."""
    of_name = [alert for alert in ALERTS if alert.name == name and severity in {None, alert.labels["severity"]}]
    return {"alertname": name, "cluster": cluster, **of_name[0].labels, **more}


async def held_back(address: str, *firing: dict[str, str]) -> list[dict[str, str]]:
    """Which of these alerts Alertmanager keeps to itself, once it has all of them."""
    body = [{"labels": labels, "startsAt": datetime.now(UTC).isoformat()} for labels in firing]
    give_up_at, before = time.monotonic() + PATIENCE, None
    async with aiohttp.ClientSession() as session:
        async with session.post(address, json=body) as answer:
            assert answer.status == 200, await answer.text()
        while True:
            async with session.get(address) as answer:
                known = await answer.json()
            if len(known) == len(firing) and all(each["status"]["state"] != "unprocessed" for each in known):
                held = [labels for labels in firing for each in known if each["labels"] == labels
                        and each["status"]["inhibitedBy"]]  # fmt: skip
                if held == before:  # one who looks at once may see an alert before it is held against the others
                    return held
                before = held
            assert time.monotonic() < give_up_at, known
            await asyncio.sleep(0.5)


async def test_where_nothing_runs_what_follows_from_it_is_held_back(alertmanager: str) -> None:
    """Only of that installation; not what senders did, nor the dead man's switch, nor other teams' alerts."""
    follows = [posted("SendwatchInputSilent", carrier="CMCC"), posted("SendwatchRulesetSkew")]
    others = [
        posted("SendwatchInputSilent", "west", carrier="CMCC"),
        posted("SmsFlagRateSurge", rule="B2_FREQUENCY"),
        posted("Watchdog"),
        {"alertname": "DiskFull", "cluster": "east", "severity": "warning"},
    ]
    assert await held_back(alertmanager, posted("SendwatchDown"), *follows, *others) == follows


async def test_a_page_holds_back_its_own_warning(alertmanager: str) -> None:
    """Of the same topic; the warning for another one stands."""
    page = posted("SendwatchLagHigh", severity="critical", topic="sms.sends")
    same = posted("SendwatchLagHigh", severity="warning", topic="sms.sends")
    other = posted("SendwatchLagHigh", severity="warning", topic="sms.consents")
    assert await held_back(alertmanager, page, same, other, posted("SendwatchWorkerDown")) == [same]


async def test_a_page_about_one_carrier_holds_back_no_ticket_about_another(alertmanager: str) -> None:
    """Complaints about one say nothing of the other's."""
    page = posted("SmsComplaintRateBellwether", severity="critical", carrier="CMCC")
    same = posted("SmsComplaintRateBellwether", severity="warning", carrier="CMCC")
    other = posted("SmsComplaintRateBellwether", severity="warning", carrier="CUCC")
    assert await held_back(alertmanager, page, same, other) == [same]


async def test_tables_that_catch_up_hold_back_the_surge_only(alertmanager: str) -> None:
    """What waited is judged in a rush."""
    surge = posted("SmsFlagRateSurge", rule="B2_FREQUENCY")
    stands = [posted("SmsRuleSilent", rule="B2_FREQUENCY"), posted("SendwatchLagHigh", topic="sms.sends")]
    assert await held_back(alertmanager, posted("SendwatchTableRecovering"), surge, *stands) == [surge]


# -- chats ------------------------------------------------------------------------------------------------------


def payload_of(robot: str) -> Any:
    """What chat.yml has a robot sent, its templates not filled in."""
    (receiver,) = [each for each in read(ALERTMANAGER / "chat.yml")["receivers"] if each["name"] == ROBOTS[robot]]
    (hook,) = receiver["webhook_configs"]
    return hook["payload"]


def fill(value: Any, group: Path) -> Any:
    """A payload as Alertmanager 0.32 and newer send it: what a string becomes is read as YAML, if it is not text."""
    if isinstance(value, dict):
        return {key: fill(each, group) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, group) for each in value]
    if not isinstance(value, str):
        return value
    text = value
    if "{{" in value:
        text = amtool("template", "render", "--template.glob", ALERTMANAGER / "sendwatch.tmpl",
                      "--template.data", group, "--template.text", value)  # fmt: skip
    try:
        read_back = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return text if isinstance(read_back, str) else read_back


def strings(value: Any) -> Iterator[str]:
    """Every string in a payload."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def long_group() -> dict[str, Any]:
    """Twenty firing alerts and twenty resolved ones, with labels as long as they come and the longest texts we have."""
    longest = max(ALERTS, key=lambda alert: len(alert.annotations["description"].encode()))
    filler = re.compile(r"\{\{[^}]*\}\}")
    annotations = {key: filler.sub("x" * 60, value) for key, value in longest.annotations.items()}
    began = datetime(2026, 11, 11, tzinfo=UTC)
    alerts = [
        {
            "status": "firing" if index < 20 else "resolved",
            "labels": {**longest.labels, "alertname": longest.name, "partition": str(index)},
            "annotations": annotations,
            "startsAt": (began + timedelta(minutes=index)).isoformat(),
            "endsAt": (began + timedelta(hours=index)).isoformat(),
        }
        for index in range(40)
    ]
    labels = {"alertname": longest.name, "cluster": "c" * 60}
    return {
        "receiver": "noc-chat",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://127.0.0.1:9093",
    }


@each_status
@each_robot
def test_a_robot_is_sent_what_it_understands(robot: str, status: str) -> None:
    """To the letter: golden/ holds what real Alertmanagers 0.32.1 and 0.34.0 make of it."""
    golden = json.loads((GOLDEN / f"{robot}.{status}.json").read_text(encoding="utf-8"))
    assert fill(payload_of(robot), GOLDEN / f"group.{status}.json") == golden


@pytest.mark.parametrize("alert", {alert.name: alert for alert in ALERTS}.values(), ids=lambda alert: alert.name)
def test_a_text_stays_a_text(alert: Alert, tmp_path: Path) -> None:
    """None of our annotations makes Alertmanager take a message for YAML."""
    group = json.loads((GOLDEN / "group.firing.json").read_text(encoding="utf-8"))
    for each in group["alerts"]:
        each["annotations"] = alert.annotations
    path = tmp_path / "group.json"
    path.write_text(json.dumps(group), encoding="utf-8")
    told = fill('{{ template "sendwatch.chat" . }}', path)
    assert isinstance(told, str)
    assert alert.annotations["summary"] in told


@each_robot
def test_a_robots_keyword_is_in_every_message(robot: str) -> None:
    """Feishu and DingTalk refuse a message without it, and say so with status 200."""
    told = list(strings(fill(payload_of(robot), GOLDEN / "group.firing.json")))
    assert [text for text in told if "sendwatch" in text]


@each_robot
def test_a_bad_hour_still_fits_into_a_message(robot: str, tmp_path: Path) -> None:
    """WeCom takes 4096 bytes; what is left out is counted."""
    path = tmp_path / "group.json"
    path.write_text(json.dumps(long_group()), encoding="utf-8")
    longest = max(strings(fill(payload_of(robot), path)), key=len)
    assert len(longest.encode()) <= WECOM_BYTES
    assert "20 firing" in longest
