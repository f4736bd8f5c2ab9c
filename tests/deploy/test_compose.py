"""docker-compose.yml and the image: as far as they can be held to something without Docker."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest
from shipped import DEPLOY, ROOT, ask, check_command, installed, read, settings, tool

from sendwatch import __version__
from sendwatch.app import LARGEST_RECORD
from sendwatch.desk.access import ROLES, Tokens
from sendwatch.simulate import Story

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE: Final = ROOT / "docker-compose.yml"
DOCKERFILE: Final = DEPLOY / "Dockerfile"
ONCE: Final = {"topics"}  # ends, and is judged by its exit status
MUTE: Final = {"simulator"}  # has no page: that it runs is all that it can say

MOUNTED: Final = {
    "deploy/compose/sendwatch.toml",  # here
    "deploy/compose/tokens",  # here
    "deploy/compose/prometheus.yml",  # here
    "deploy/prometheus/rules",  # promtool's tests, and the dashboards' Prometheus
    "deploy/alertmanager/alertmanager.yml",  # amtool and the tests of routes
    "deploy/alertmanager/sendwatch.tmpl",  # as before
    "grafana/provisioning",  # here
    "grafana/dashboards",  # each query, in a real Prometheus
}
"""What containers read of this repository, and where it is tested."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services, with what they have in common merged in."""
    found: dict[str, Any] = read(COMPOSE)["services"]
    return found


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where a service finds which file of the repository."""
    split = [volume.split(":") for volume in service["volumes"]]
    return {parts[1]: parts[0].removeprefix("./") for parts in split if parts[0].startswith("./")}


def ours(services: dict[str, Any]) -> dict[str, Any]:
    """The services that run sendwatch."""
    return {name: each for name, each in services.items() if each["image"].startswith("sendwatch:")}


def test_compose_would_read_it() -> None:
    """The file is valid under the schema of the Compose specification."""
    ask(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_it_is_the_whole_installation(services: dict[str, Any]) -> None:
    """Two workers, something for them to judge, and everything around them."""
    assert set(services) == {
        "kafka", "topics", "sendwatch-1", "sendwatch-2", "desk", "simulator", "prometheus", "alertmanager", "grafana",
    }  # fmt: skip


def test_versions_are_pinned(services: dict[str, Any]) -> None:
    """Foreign images by a full version, Kafka's being the one that the live tests run; our own by this version."""
    for name, service in services.items():
        image, tag = service["image"].split(":")
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag), name
        assert image != "sendwatch" or tag == __version__
    jars = (ROOT / "tests/live/pom.xml").read_text(encoding="utf-8")
    assert f"<version>{services['kafka']['image'].split(':')[1]}</version>" in jars


def test_everything_that_stays_says_whether_it_is_well(services: dict[str, Any]) -> None:
    """A health check each, so that `up --wait` waits for all of them."""
    assert {name for name, service in services.items() if "healthcheck" not in service} == ONCE | MUTE
    for name in ONCE:
        assert services[name]["restart"] == "no"


def test_services_wait_for_what_exists(services: dict[str, Any]) -> None:
    """Nobody depends on a service that is not there, or on the health of one that does not tell it."""
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how == {"condition": wanted}
            assert other in services


def test_mounted_files_exist_and_are_tested(services: dict[str, Any]) -> None:
    """Each file that a container reads is one that the tests use, and none can write to it."""
    found = {source for service in services.values() for source in mounts(service).values()}
    assert found == MOUNTED
    assert all((ROOT / source).exists() for source in found)
    for service in services.values():
        assert all(volume.endswith(":ro") for volume in service["volumes"] if volume.startswith("./"))


def test_nothing_is_open_to_the_network(services: dict[str, Any]) -> None:
    """Ports are published on loopback only, and of ours none but the desk's, which wants a token."""
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert name == "kafka" or service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert {name for name, service in ours(services).items() if "ports" in service} == {"desk"}


def test_each_worker_has_a_name_and_a_disk_of_its_own(services: dict[str, Any], tmp_path: Path) -> None:
    """The configuration is accepted with each service's environment; they and the desk share nothing but Kafka."""
    names, disks = set[str | None](), set[str]()
    workers = {name: each for name, each in ours(services).items() if name not in ONCE | MUTE}
    for name, service in workers.items():
        toml = (ROOT / mounts(service)["/etc/sendwatch/sendwatch.toml"]).read_text(encoding="utf-8")
        found = settings(toml, service["environment"], tmp_path)
        assert found.kafka.instance_id == name
        assert found.kafka.bootstrap == "kafka:9092"
        names.add(found.kafka.instance_id)
        disks |= {volume.split(":")[0] for volume in service["volumes"] if volume.endswith(f":{found.engine.data_dir}")}
        assert found.web.host == "0.0.0.0"
        assert f"127.0.0.1:{found.web.port}/-/ready" in service["healthcheck"]["test"][-1]
        assert "command" in service or found.web.advertised == f"{name}:{found.web.port}"
    assert len(workers) == len(names) == len(disks) == 3
    assert disks <= read(COMPOSE)["volumes"].keys()


def test_the_desk_lets_in_whom_the_file_names(services: dict[str, Any], tmp_path: Path) -> None:
    """The token that the file's head tells is an analyst's; the workers answer this desk, and who else has the key."""
    desk, toml = services["desk"], (ROOT / "deploy/compose/sendwatch.toml").read_text(encoding="utf-8")
    found = settings(toml, desk["environment"], tmp_path)
    assert desk["ports"] == [f"127.0.0.1:{found.desk.port}:{found.desk.port}"]
    tokens = Tokens(ROOT / mounts(desk)[found.desk.tokens or ""])
    told = re.search(r"token: (\S+);", COMPOSE.read_text(encoding="utf-8"))
    assert told
    assert tokens.who(told[1], 0).role == "analyst"
    for role in ROLES:
        assert tokens.who(told[1].replace("analyst", role), 0).role == role
    for name in ("sendwatch-1", "sendwatch-2"):
        assert settings(toml, services[name]["environment"], tmp_path).desk.lookup_key == found.desk.lookup_key


def test_the_simulator_tells_its_story_to_the_workers(services: dict[str, Any], tmp_path: Path) -> None:
    """With their configuration and keys, once they judge; the canary beside it has an account of its own."""
    simulator, worker = services["simulator"], services["sendwatch-1"]
    assert mounts(simulator) == mounts(worker)
    keys = {name for name in worker["environment"] if name.endswith("_KEY")}
    assert simulator["environment"] == {name: worker["environment"][name] for name in keys}
    assert simulator["depends_on"].keys() == {"topics", "sendwatch-1", "sendwatch-2"}
    toml = (ROOT / "deploy/compose/sendwatch.toml").read_text(encoding="utf-8")
    found = settings(toml, simulator["environment"], tmp_path)
    accounts = {line.sp for lines in Story(1, 1).world.carrier.lines for line in lines}
    assert found.engine.canary_sp
    assert found.engine.canary_sp not in accounts


def test_commands_are_ones_that_sendwatch_has(services: dict[str, Any]) -> None:
    """What the containers run, and what the image runs where nothing else is said."""
    for service in ours(services).values():
        if "command" in service:
            check_command(service["command"])
    said = re.search(r"^CMD (\[.*\])$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert said
    check_command(shlex.split(said[1].strip("[]").replace(",", " ")))


def test_kafka_takes_the_largest_record_and_makes_no_topic_by_itself(services: dict[str, Any]) -> None:
    """As sendwatch needs it, and reachable under the names that it gives."""
    environment = services["kafka"]["environment"]
    assert int(environment["KAFKA_MESSAGE_MAX_BYTES"]) >= LARGEST_RECORD
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert "INSIDE://kafka:9092" in environment["KAFKA_ADVERTISED_LISTENERS"]
    assert services["kafka"]["ports"] == ["127.0.0.1:19092:19092"]


def scraped(configuration: dict[str, Any]) -> dict[str, list[str]]:
    """The targets of each job; they are taken out of the configuration."""
    jobs = configuration["scrape_configs"]
    found = {job["job_name"]: job["static_configs"][0].pop("targets") for job in jobs}
    alerting = configuration["alerting"]["alertmanagers"][0]["static_configs"][0]
    return found | {"(alerts)": alerting.pop("targets")}


def test_prometheus_is_the_shipped_one_at_other_addresses(services: dict[str, Any]) -> None:
    """Nothing but the targets differs, and they are services at their ports."""
    shipped, here = read(DEPLOY / "prometheus/prometheus.yml"), read(DEPLOY / "compose/prometheus.yml")
    before, targets = scraped(shipped), scraped(here)
    assert here == shipped
    assert targets.keys() == before.keys()
    assert targets["sendwatch"] == ["sendwatch-1:8066", "sendwatch-2:8066"]
    assert targets["sendwatch-desk"] == ["desk:8066"]
    hosts = {target.split(":")[0] for found in targets.values() for target in found} - {"127.0.0.1"}
    assert hosts <= services.keys()
    where = mounts(services["prometheus"])
    assert where["/etc/prometheus/prometheus.yml"] == "deploy/compose/prometheus.yml"
    assert all(f"/etc/prometheus/{file}".startswith("/etc/prometheus/rules/") for file in here["rule_files"])
    assert where["/etc/prometheus/rules"] == "deploy/prometheus/rules"


def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    """Laid out as in the container."""
    promtool = installed("promtool", "prometheus")
    (tmp_path / "prometheus.yml").symlink_to(DEPLOY / "compose/prometheus.yml")
    (tmp_path / "rules").symlink_to(DEPLOY / "prometheus/rules")
    ask(promtool, "check", "config", tmp_path / "prometheus.yml")


def test_grafana_finds_its_dashboards_and_its_prometheus(services: dict[str, Any]) -> None:
    """Dashboards from files only; the data source's address and interval are those of Prometheus."""
    grafana = services["grafana"]
    where = mounts(grafana)
    (provider,) = read(ROOT / "grafana/provisioning/dashboards/sendwatch.yml")["providers"]
    assert where[provider["options"]["path"]] == "grafana/dashboards"
    assert provider["options"]["foldersFromFilesStructure"] is True
    assert provider["allowUiUpdates"] is False
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / home.replace(provider["options"]["path"], "grafana/dashboards")).exists()
    (source,) = read(ROOT / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    variable = re.fullmatch(r"\$\{(\w+)\}", source["url"])
    assert variable
    assert grafana["environment"][variable[1]] == "http://prometheus:9090"
    interval = read(DEPLOY / "compose/prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == interval


def test_the_image_is_sound() -> None:
    """Hadolint finds nothing, not even a hint."""
    ask(tool("hadolint"), "--failure-threshold", "style", DOCKERFILE)


def test_the_image_is_made_of_hashed_packages_and_runs_as_nobody() -> None:
    """Two stages on one pinned base, every package by hash, a user by number, and only files that are let in."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${PYTHON}"] * 2
    assert re.search(r"^ARG PYTHON=python:3\.11\.\d+-slim-bookworm$", text, re.MULTILINE)
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    let_in = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    assert copied <= let_in
    assert copied >= {"pyproject.toml", "requirements.lock", "src"}


def test_yaml_is_tidy() -> None:
    """Yamllint finds nothing in what is not Prometheus' or Alertmanager's, whose expressions are long."""
    rules = (
        "{extends: default, rules: {line-length: {max: 120}, document-start: disable, truthy: {check-keys: false}, "
        "comments: {min-spaces-from-content: 1}, empty-values: disable}}"
    )
    folders = (DEPLOY / "compose", DEPLOY / "kubernetes", ROOT / "grafana")
    ask(tool("yamllint"), "--strict", "--config-data", rules, COMPOSE, *folders)
