"""The dashboards: what is committed is what the code builds, and every query finds data in a real Prometheus."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest
from boards.write import FOLDER, boards
from msgspec import Struct
from servers import prometheus_files, running
from shipped import DEPLOY, installed

from engine_builders import DAY, a_filing, a_send
from sendwatch.demo import Progress, settled, until_ready, write
from sendwatch.demo.audience import Audience
from sendwatch.demo.stage import Stage, free_port
from sendwatch.metric_table import METRICS
from sendwatch.simulate import Story, stream
from sendwatch.simulate.truth import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from engine_builders import Event

UIDS: Final = ("sendwatch-noc", "sendwatch-compliance", "sendwatch-pipeline", "sendwatch-slo")
TOLD_WITHIN: Final = 17  # seconds: the windows are told every 15, the worker measures every 5, Prometheus asks each
WALL_ROWS: Final = 24  # of 38 pixels: what a screen of 1080 shows

FOREIGN: Final = {
    "ALERTS", "up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
    "prometheus_notifications_sent_total", "prometheus_notifications_errors_total",
    "prometheus_notifications_dropped_total", "prometheus_rule_evaluation_failures_total",
    "prometheus_config_last_reload_successful", "alertmanager_config_last_reload_successful",
    "alertmanager_notifications_total", "alertmanager_notifications_failed_total",
}  # fmt: skip
"""What is not sendwatch's own: Prometheus, Alertmanager and the process itself have them."""

DATALESS: Final = {
    "Against yesterday · 与昨日对比 B": "nothing is a day old in a demo; asked without its offset instead",
    "Configuration read again · 配置重载": "nobody reads the configuration again in a demo",
    "Corrections by rule · 各规则更正": "shows rules with corrections only, and no fact of the demo is late",
}
"""Queries that a demo cannot answer, and why; each of their metrics is there all the same."""


class Query(Struct, frozen=True):
    """One expression as Grafana asks it."""

    where: str
    expr: str
    instant: bool = False


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard, without the row headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: dict[str, Any]) -> Iterator[Query]:
    """Every panel's and annotation's expression, and of every variable the metric that it takes its values from."""
    for panel in panels(board):
        for target in panel["targets"]:
            letter = f" {target['refId']}" if len(panel["targets"]) > 1 else ""
            yield Query(panel["title"] + letter, target["expr"], target.get("instant", False))
    for note in board["annotations"]["list"]:
        yield Query(note["name"], note["expr"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"])
            assert asked, variable["query"]
            yield Query(variable["name"], f"count by ({asked[2]}) ({asked[1]})", instant=True)


clause = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\b\s*(?:\([^)]*\))?")
window = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
term = re.compile(r"([a-zA-Z_:][\w:]*)(\s*\(|\{[^}]*\})?")


def selectors(expr: str) -> Iterator[tuple[str, str]]:
    """The metrics that an expression reads, each with its matchers in braces."""
    for name, rest in term.findall(clause.sub(" ", window.sub("", expr))):
        if not rest.endswith("(") and name not in {"and", "or", "unless", "bool"}:
            yield name, rest


@pytest.fixture(scope="module")
def built() -> list[dict[str, Any]]:
    """The dashboards as the code builds them."""
    return [json.loads(text) for text in boards().values()]


def test_what_is_committed_is_what_the_code_builds() -> None:
    """Nobody edits the JSON: `python -m boards` in grafana/ makes it."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == boards()


def test_the_dashboards_are_those_that_alerts_link_to(built: list[dict[str, Any]]) -> None:
    """Fixed uids, one tag, a data source to choose, and no editing in place."""
    assert tuple(board["uid"] for board in built) == UIDS
    for board in built:
        assert board["tags"] == ["sendwatch"]
        assert board["editable"] is False
        assert board["templating"]["list"][0]["type"] == "datasource"
        assert board["templating"]["list"][0]["name"] == "datasource"
        assert [link["tags"] for link in board["links"]] == [["sendwatch"]]


def test_every_panel_says_what_it_shows(built: list[dict[str, Any]]) -> None:
    """A unit, and a description in English and in Chinese."""
    for board in built:
        for panel in panels(board):
            english, _, chinese = panel["description"].partition("\n\n")
            assert re.match(r"[A-Z`]", english), panel["title"]
            assert re.search(r"[\u4e00-\u9fff]{2}", chinese), panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_every_query_asks_the_chosen_data_source(built: list[dict[str, Any]]) -> None:
    """No panel, query, variable or annotation has a data source of its own."""
    for board in built:
        asking = [*panels(board), *(target for panel in panels(board) for target in panel["targets"])]
        asking += [*board["annotations"]["list"], *board["templating"]["list"][1:]]
        for each in asking:
            assert each["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_graphs_rate_over_the_interval_that_grafana_chooses(built: list[dict[str, Any]]) -> None:
    """$__rate_interval in every graph, but where the panel's own text names its window."""
    for board in built:
        for panel in panels(board):
            for width in re.findall(r"\[(\w+)\]", " ".join(target["expr"] for target in panel["targets"])):
                number, unit = re.fullmatch(r"(\d+)([mhd])", width).groups()  # type: ignore[union-attr]
                said = {"m": "minute", "h": "hour", "d": "day"}[unit]
                assert said in panel["description"], (panel["title"], width, number)


def test_panels_do_not_overlap_and_the_wall_is_one_screen(built: list[dict[str, Any]]) -> None:
    """Every cell of the grid has one panel at most; ids are unique."""
    for board in built:
        taken = set[tuple[int, int]]()
        for panel in board["panels"]:
            place = panel["gridPos"]
            x, y, wide, high = place.get("x", 0), place.get("y", 0), place["w"], place["h"]
            cells = {(column, row) for column in range(x, x + wide) for row in range(y, y + high)}
            assert x + wide <= 24
            assert not cells & taken, panel["title"]
            taken |= cells
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        if board["uid"] == "sendwatch-noc":
            assert max(row for _, row in taken) < WALL_ROWS


def test_links_lead_to_dashboards_and_variables_that_exist(built: list[dict[str, Any]]) -> None:
    """From the wall into the details, with what was clicked already chosen."""
    variables = {board["uid"]: {each["name"] for each in board["templating"]["list"]} for board in built}
    followed = 0
    for board in built:
        for panel in panels(board):
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                target = re.match(r"/d/([\w-]+)\?", link["url"])
                assert target, link["url"]
                assert set(re.findall(r"&var-(\w+)=", link["url"])) <= variables[target[1]], link["url"]
                followed += 1
    assert followed > 10


def recorded() -> set[str]:
    """What the recording rules make."""
    texts = [path.read_text(encoding="utf-8") for path in (DEPLOY / "prometheus").rglob("*.yml")]
    return {name for text in texts for name in re.findall(r"record: (\S+)", text)}


def test_queries_name_only_metrics_that_exist(built: list[dict[str, Any]]) -> None:
    """Each is in the worker's table, made by a recording rule, or Prometheus' or Alertmanager's own."""
    own = {f"sendwatch_{metric.name}" for metric in METRICS}
    histograms = {f"sendwatch_{metric.name}" for metric in METRICS if metric.type == "histogram"}
    known = own - histograms | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    known |= recorded() | FOREIGN
    named = {name for board in built for query in queries(board) for name, _ in selectors(query.expr)}
    assert named <= known
    assert named >= FOREIGN, "a name is no longer asked for"


def test_every_metric_of_the_worker_is_on_a_dashboard(built: list[dict[str, Any]]) -> None:
    """What nobody looks at need not be counted."""
    text = "".join(boards().values())
    assert not {metric.name for metric in METRICS if f"sendwatch_{metric.name}" not in text}


DRILL: Final = """\
groups:
  - name: drill
    rules:
      - alert: Drill
        expr: vector(1)
        labels: {severity: warning, category: compliance}
"""


def settings(folder: Path, worker: int, prometheus: int, alertmanager: int) -> Path:
    """The shipped configuration of Prometheus, in a hurry and at other ports, with one alert more that fires."""
    path = prometheus_files(folder, worker, prometheus, alertmanager)
    (folder / "drill.yml").write_text(DRILL, encoding="utf-8")
    text = path.read_text(encoding="utf-8").replace("rule_files:", "rule_files:\n  - drill.yml")
    path.write_text(text, encoding="utf-8")
    return path


class Prometheus:
    """Answers of a Prometheus; `since`: when its data began."""

    def __init__(self, port: int, session: aiohttp.ClientSession, since: float) -> None:
        self._address = f"http://127.0.0.1:{port}/api/v1"
        self._session = session
        self._since = since

    async def has_data(self, query: Query) -> bool:
        """Whether any series of the answer has a number in it."""
        now = time.time()
        when = {"time": now} if query.instant else {"start": self._since, "end": now, "step": 1}
        path = "query" if query.instant else "query_range"
        async with self._session.get(f"{self._address}/{path}", params={"query": query.expr, **when}) as answer:
            said = await answer.json()
        assert said["status"] == "success", (query, said)
        found: list[dict[str, Any]] = said["data"]["result"]
        points = [point for series in found for point in series.get("values") or [series["value"]]]
        return any(math.isfinite(float(value)) for _, value in points)


def interpolated(query: Query, seconds: int) -> Query:
    """The query with Grafana's variables replaced: everything chosen, `seconds` shown."""
    said = query.expr.replace("$__rate_interval", "10s").replace("$__range", f"{seconds}s")
    return Query(query.where, re.sub(r"\$(carrier|rule|instance|topic)\b", ".*", said), query.instant)


async def unanswered(prometheus: Prometheus, asked: Iterable[Query]) -> list[str]:
    """The queries without an answer; of those that cannot have one, the metrics that are not there."""
    missing = []
    for query in asked:
        if query.where not in DATALESS:
            if not await prometheus.has_data(query):
                missing.append(f"{query.where}: {query.expr}")
            continue
        without = Query(query.where, query.expr.replace("offset 1d", ""))
        if "offset 1d" in query.expr and not await prometheus.has_data(without):
            missing.append(f"{query.where}: {without.expr}")
        for name, matchers in selectors(query.expr):
            if not await prometheus.has_data(Query(query.where, name + matchers, instant=True)):
                missing.append(f"{query.where}: {name}{matchers}")
    return missing


def messages(*events: Event) -> list[Message]:
    """Events as the writer of stories takes them."""
    return [Message(event.kind, event.key, event.value, event.timestamp) for event in events]


async def demo(stage: Stage) -> None:
    """A small week and a breach in it, judged by one worker, as it comes in; the worker goes on."""
    began = stream.now() - 7 * DAY  # it ends now: the canary is in it, and windows are about the last hours
    story = Story(5, 4000, recipients=2000, owners=200, start_at=began, partitions=4)
    audience, progress = Audience(stage.settings), Progress()
    await write(story.facts(), stage)
    imitated = a_filing("z", signature="支付宝", owner="O2", ports=["1"], valid_from=story.settings.start_at - DAY)
    imitation = a_send("fake", story.end_at, text="【支付寶】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R")
    await write(messages(imitated), stage)
    await audience.start()
    try:
        await write(story.sends(), stage, 400, progress.add)
        await write(messages(imitation), stage, None, progress.add)
        while not await settled(audience, progress):
            await audience.look()
    finally:
        await audience.stop()


async def test_every_query_finds_data(bootstrap: str, prefix: str, tmp_path: Path, built: list[dict[str, Any]]) -> None:
    """A worker judges a simulated week while a real Prometheus and Alertmanager watch; then each panel is asked."""
    server = installed("prometheus", "prometheus")
    router = installed("prometheus-alertmanager", "prometheus-alertmanager")
    stage = Stage(bootstrap, tmp_path, partitions=4, embedded=True, prefix=prefix)
    stage.overrides |= {"kafka.group": prefix + "group", "engine.canary_sp": "SP-CANARY", "breaches.aggregate": "true"}
    stage.settings = stage.settings_of({})
    await stage.make_topics()
    worker, prometheus, alertmanager = stage.worker("watched"), free_port(), free_port()
    quiet = tmp_path / "alertmanager.yml"
    quiet.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n", encoding="utf-8")
    config = settings(tmp_path / "prometheus", worker.port, prometheus, alertmanager)
    since = time.time()
    async with (
        asyncio.timeout(110),
        running(
            router,
            f"--config.file={quiet}",
            f"--storage.path={tmp_path / 'am'}",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
            "--cluster.listen-address=",
            log=tmp_path / "alertmanager.log",
        ),
        running(
            server,
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{prometheus}",
            log=tmp_path / "prometheus.log",
        ),
        aiohttp.ClientSession() as session,
    ):
        await worker.start()
        try:
            await until_ready(worker)
            await demo(stage)
            await asyncio.sleep(TOLD_WITHIN)
            watcher = Prometheus(prometheus, session, since)
            seconds = math.ceil(time.time() - since)
            asked = [interpolated(query, seconds) for board in built for query in queries(board)]
            missing = await unanswered(watcher, asked)
        finally:
            await worker.stop()
    assert len(asked) > 60
    assert not missing
    assert {query.where for query in asked} >= DATALESS.keys()
