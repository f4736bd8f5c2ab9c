"""Alerting rules: each is whole, asks for what there is, and has been seen to fire and to resolve."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest
from alerts import ALERTS, EXPRESSIONS, PROMETHEUS, RECORDED, RULE_FILES, RUNBOOK, TEST_FILES, Alert, anchor
from shipped import ask, installed, read

from sendwatch.metric_table import METRICS, Metric

if TYPE_CHECKING:
    from pathlib import Path

UIDS: Final = {"sendwatch-noc", "sendwatch-compliance", "sendwatch-pipeline", "sendwatch-slo"}
SEVERITIES: Final = {"critical", "warning", "info", "none"}
CATEGORIES: Final = {"pipeline", "compliance", "config"}
OF_TARGETS: Final = {"cluster", "instance", "job"}
ALWAYS: Final = {"Watchdog"}

WORDS: Final = {
    "abs", "absent", "and", "bool", "by", "changes", "count", "group_left", "group_right", "ignoring", "increase",
    "max", "max_over_time", "min", "offset", "on", "or", "rate", "sum", "time", "unless", "vector", "without",
}  # fmt: skip
"""What PromQL means by itself, as far as the rules use it."""

chinese = re.compile(r"[\u4e00-\u9fff]")
english = re.compile(r"\b[A-Za-z][a-z]{3,}")
templated = re.compile(r"\{\{[^}]*\}\}")
matchers = re.compile(r"\{([^}]*)\}")
listed = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
number = re.compile(r"\[[^\]]*\]|\boffset\s+\w+|\b\d[\w.]*")
series_name = re.compile(r"[a-zA-Z_:][\w:]*")

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.case)
each_expression = pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)


def metrics_of(expr: str) -> set[str]:
    """The series that an expression asks for."""
    bare = number.sub(" ", listed.sub(" ", matchers.sub(" ", expr)))
    return set(series_name.findall(bare)) - WORDS


def declared(series: str) -> Metric | None:
    """The metric of the table that a series belongs to."""
    by_name = {f"sendwatch_{metric.name}": metric for metric in METRICS}
    histograms = {f"{key}{end}": metric for key, metric in by_name.items() for end in ("_bucket", "_count", "_sum")
                  if metric.type == "histogram"}  # fmt: skip
    return by_name.get(series) or histograms.get(series)


@cache
def checks() -> list[tuple[str, list[Any]]]:
    """For every test of every file and alert in it: what is expected of it, from one look to the next."""
    found: list[tuple[str, list[Any]]] = []
    for path in TEST_FILES:
        for test in read(path)["tests"]:
            looks: dict[str, list[Any]] = {}
            for each in test["alert_rule_test"]:
                looks.setdefault(each["alertname"], []).append(each["exp_alerts"])
            found += looks.items()
    return found


# -- as Prometheus sees them ------------------------------------------------------------------------------------


def test_prometheus_takes_its_configuration() -> None:
    """With every rule file that it names."""
    ask(installed("promtool", "prometheus"), "check", "config", PROMETHEUS / "prometheus.yml")


def test_prometheus_reads_every_rule_file() -> None:
    """None lies about unused."""
    named = {(PROMETHEUS / path).resolve() for path in read(PROMETHEUS / "prometheus.yml")["rule_files"]}
    assert named == {path.resolve() for path in RULE_FILES}


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_alerts_fire_where_they_should(path: Path) -> None:
    """By promtool; whoever reads the texts there sees what the people called will see."""
    answer = subprocess.run(
        [installed("promtool", "prometheus"), "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@each_alert
def test_an_alert_has_been_seen_to_fire_and_to_resolve(alert: Alert) -> None:
    """In one test of a *.test.yml: first with these labels, later without."""
    looks = [expected for name, expected in checks() if name == alert.name]
    assert looks
    if alert.name in ALWAYS:
        assert all(fires(alert, each) for expected in looks for each in expected)
    else:
        assert any(
            fires(alert, before) and not fires(alert, after)
            for expected in looks
            for before, after in pairwise(expected)
        )


def fires(alert: Alert, expected: list[dict[str, dict[str, str]]]) -> bool:
    """Whether this alert, not only one of its name, is among the expected ones."""
    return any(alert.labels.items() <= each["exp_labels"].items() for each in expected)


# -- what they ask for ------------------------------------------------------------------------------------------


@each_expression
def test_a_rule_asks_only_for_metrics_that_exist(expr: str) -> None:
    """Those of the table, what is recorded from them, and what Prometheus says of its targets."""
    unknown = {series for series in metrics_of(expr) if declared(series) is None} - RECORDED.keys() - {"up"}
    assert not unknown


@each_expression
def test_a_rule_asks_only_for_labels_that_its_metrics_have(expr: str) -> None:
    """A label that is never there makes a rule silent for ever."""
    asked = {label for each in matchers.findall(expr) for label in re.findall(r"(\w+)\s*[=!]", each)}
    asked |= {label for each in listed.findall(expr) for label in re.findall(r"\w+", each)}
    has = {label for series in metrics_of(expr) if (metric := declared(series)) for label in metric.labels}
    has |= {"le"} if "_bucket" in expr else set()
    has |= {"table"} if "sendwatch:table_" in expr else set()
    assert asked <= has | OF_TARGETS


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_what_waits_for_a_metric_waits_no_longer_than_it_must(path: Path) -> None:
    """Once a metric of the comment is in the table, its alert is due."""
    waiting = re.search(r"^# Waiting for .*?(?=^\S*$|\Z)", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    named = re.findall(r"sendwatch_\w+", waiting[0]) if waiting else []
    assert not [series for series in named if declared(series)]


# -- what they tell people --------------------------------------------------------------------------------------


@each_alert
def test_an_alert_says_how_bad_and_whose_it_is(alert: Alert) -> None:
    """By severity, category and service; routes and inhibition go by them."""
    assert alert.labels["severity"] in SEVERITIES
    assert alert.labels["category"] in CATEGORIES
    assert alert.labels["service"] == "sendwatch"


@each_alert
@pytest.mark.parametrize("part", ["summary", "description"])
def test_an_alert_speaks_english_and_chinese(alert: Alert, part: str) -> None:
    """A summary in one line, a description in a line of each."""
    text = alert.annotations[part]
    lines = text.split("\n") if part == "description" else text.split(" · ")
    assert len(lines) == 2
    assert english.search(templated.sub(" ", lines[0]))
    assert not chinese.search(lines[0])
    assert chinese.search(lines[1])


@each_alert
def test_an_alert_links_to_its_section_of_the_runbook(alert: Alert) -> None:
    """The section is there."""
    link = alert.annotations["runbook_url"]
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert link == "{{ $externalLabels.runbook }}#" + alert.name.lower()
    assert link.partition("#")[2] in {anchor(heading) for heading in headings}


@each_alert
def test_an_alert_links_to_a_dashboard(alert: Alert) -> None:
    """One of the four."""
    found = re.fullmatch(
        r"\{\{ \$externalLabels\.grafana \}\}/d/([\w-]+)(\?var-.+)?", alert.annotations["dashboard_url"]
    )
    assert found
    assert found[1] in UIDS


def test_the_addresses_in_links_are_set_in_one_place() -> None:
    """And are no labels of alerts by the time that these are sent."""
    settings = read(PROMETHEUS / "prometheus.yml")
    assert settings["global"]["external_labels"].keys() == {"cluster", "grafana", "runbook"}
    dropped = [each["regex"] for each in settings["alerting"]["alert_relabel_configs"] if each["action"] == "labeldrop"]
    assert dropped == ["grafana|runbook"]
