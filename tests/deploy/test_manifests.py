"""The manifests for Kubernetes and the systemd unit: as far as they can be held to something without either."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest
from shipped import DEPLOY, ask, check_command, installed, read, settings, tool

from sendwatch import __version__
from sendwatch.app import STOP_WITHIN
from sendwatch.metric_table import METRICS

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.settings import Settings

KUBERNETES: Final = DEPLOY / "kubernetes"
UNIT: Final = DEPLOY / "systemd" / "sendwatch.service"
KEYS: Final = "/etc/sendwatch/keys"


@pytest.fixture(scope="module")
def stateful() -> dict[str, Any]:
    """The workers."""
    found: dict[str, Any] = read(KUBERNETES / "statefulset.yaml")
    return found


@pytest.fixture
def configured(tmp_path: Path) -> Settings:
    """What the ConfigMap configures, with keys where the secret would lie."""
    toml: str = read(KUBERNETES / "configuration.yaml")["data"]["sendwatch.toml"]
    assert toml.count(KEYS) == 3
    for name, digit in (("internal", "1"), ("public", "2"), ("lookup", "3")):
        (tmp_path / f"{name}.key").write_text(digit * 64, encoding="utf-8")
    return settings(toml.replace(KEYS, str(tmp_path)), {}, tmp_path)


def pod(document: dict[str, Any]) -> dict[str, Any]:
    """The pod of a workload."""
    found: dict[str, Any] = document["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_kubernetes_would_take_them(version: str) -> None:
    """Valid under the schemas of an old and a new Kubernetes, with no field that it does not know."""
    files = [*sorted(KUBERNETES.glob("*.yaml")), *sorted(KUBERNETES.glob("rollup/*.yaml"))]
    assert len(files) == 9
    ask(tool("kubernetes-validate"), "--strict", "--quiet", "-k", version, *files)


def test_the_configuration_is_accepted(configured: Settings, stateful: dict[str, Any]) -> None:
    """It names the disk that is mounted and the port that is probed."""
    (container,) = pod(stateful)["containers"]
    assert configured.engine.data_dir in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert [port["containerPort"] for port in container["ports"]] == [configured.web.port]
    assert configured.web.host == "0.0.0.0"


def test_a_worker_is_called_by_its_pod(stateful: dict[str, Any]) -> None:
    """The name in the group outlives restarts, and each worker keeps its disk."""
    (container,) = pod(stateful)["containers"]
    field = {"fieldRef": {"fieldPath": "metadata.name"}}
    assert {"name": "SENDWATCH_KAFKA__INSTANCE_ID", "valueFrom": field} in container["env"]
    assert [claim["metadata"]["name"] for claim in stateful["spec"]["volumeClaimTemplates"]] == ["data"]
    assert pod(stateful)["terminationGracePeriodSeconds"] > STOP_WITHIN


@pytest.mark.parametrize("name", ["statefulset", "desk", "topics", "rollup/statefulset"])
def test_pods_have_no_rights(name: str) -> None:
    """Not root, no capability, nothing writable but the disk and /tmp, no token; the same user as the image's."""
    spec = pod(read(KUBERNETES / f"{name}.yaml"))
    (container,) = spec["containers"]
    assert container["image"] == f"sendwatch:{__version__}"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    user = spec["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"memory"}
    writable = {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable <= {"data", "tmp"}


@pytest.mark.parametrize("name", ["statefulset", "desk", "topics", "rollup/statefulset"])
def test_what_a_pod_mounts_is_there(name: str) -> None:
    """Volumes have a source, the ConfigMap and the secret are those that the files speak of, commands exist."""
    document = read(KUBERNETES / f"{name}.yaml")
    spec = pod(document)
    (container,) = spec["containers"]
    claims = [each["metadata"]["name"] for each in document["spec"].get("volumeClaimTemplates", [])]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {*volumes, *claims}
    configuration = read(KUBERNETES / "configuration.yaml")
    assert volumes["configuration"]["configMap"]["name"] == configuration["metadata"]["name"]
    said = (KUBERNETES / "configuration.yaml").read_text(encoding="utf-8")
    for secret in (volume["secret"]["secretName"] for volume in volumes.values() if "secret" in volume):
        assert f"kubectl create secret generic {secret} " in said
    assert {"name": "keys", "mountPath": KEYS, "readOnly": True} in container["volumeMounts"]
    check_command(container["args"])


def test_probes_ask_for_pages_that_exist(stateful: dict[str, Any]) -> None:
    """A restart where the loop stands still; traffic, which here is a rolling update's patience, when ready."""
    (container,) = pod(stateful)["containers"]
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in asked.values()} == {"web"}
    assert asked["startup"]["path"] == asked["liveness"]["path"] == "/-/healthy"
    assert asked["readiness"]["path"] == "/-/ready"


def test_everything_selects_the_workers(stateful: dict[str, Any]) -> None:
    """Service, budget and monitor go by the label that the pods have; all other pods have labels of their own."""
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    service, budget = read(KUBERNETES / "service.yaml"), read(KUBERNETES / "poddisruptionbudget.yaml")
    assert stateful["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels
    assert budget["spec"]["maxUnavailable"] == 1
    assert stateful["spec"]["serviceName"] == service["metadata"]["name"]
    assert len({str(labels), *(str(pod_labels(name)) for name in ("topics", "desk", "rollup/statefulset"))}) == 4


def pod_labels(name: str) -> dict[str, str]:
    """The labels of a workload's pods."""
    found: dict[str, str] = read(KUBERNETES / f"{name}.yaml")["spec"]["template"]["metadata"]["labels"]
    return found


def test_the_desk_is_reached_and_lets_in_by_token(configured: Settings) -> None:
    """Its ports are the service's, its tokens lie where they are mounted, and its disk is its own."""
    desk, service = read(KUBERNETES / "desk.yaml"), read(KUBERNETES / "desk-service.yaml")
    assert service["spec"]["selector"] == pod_labels("desk") == desk["spec"]["selector"]["matchLabels"]
    assert desk["spec"]["serviceName"] == service["metadata"]["name"]
    (container,) = pod(desk)["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"web": configured.web.port, "desk": configured.desk.port}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == ports.keys()
    assert configured.desk.lookup_key
    (where,) = (mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "tokens")
    assert configured.desk.tokens == f"{where}/tokens"
    assert [claim["metadata"]["name"] for claim in desk["spec"]["volumeClaimTemplates"]] == ["data"]


def test_who_rolls_up_has_a_name_that_lasts_and_no_disk(configured: Settings) -> None:
    """Its service is the one that it names; what it writes to may be empty at every start."""
    rollup, service = read(KUBERNETES / "rollup/statefulset.yaml"), read(KUBERNETES / "rollup/service.yaml")
    assert service["spec"]["selector"] == pod_labels("rollup/statefulset") == rollup["spec"]["selector"]["matchLabels"]
    assert rollup["spec"]["serviceName"] == service["metadata"]["name"]
    (container,) = pod(rollup)["containers"]
    field = {"fieldRef": {"fieldPath": "metadata.name"}}
    assert {"name": "SENDWATCH_KAFKA__INSTANCE_ID", "valueFrom": field} in container["env"]
    assert [port["containerPort"] for port in container["ports"]] == [configured.web.port]
    assert "volumeClaimTemplates" not in rollup["spec"]
    volumes = {volume["name"] for volume in pod(rollup)["volumes"] if "emptyDir" in volume}
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in volumes}
    assert writable == {configured.engine.data_dir, "/tmp"}


def test_the_operator_scrapes_the_job_that_alerts_name() -> None:
    """The service's port, under `job="sendwatch"`, workers that are not ready too."""
    monitor, service = read(KUBERNETES / "monitoring/servicemonitor.yaml"), read(KUBERNETES / "service.yaml")
    assert (monitor["apiVersion"], monitor["kind"]) == ("monitoring.coreos.com/v1", "ServiceMonitor")
    assert monitor["spec"].keys() == {"jobLabel", "selector", "endpoints"}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint.keys() == {"port", "path", "interval", "scrapeTimeout", "relabelings"}
    label, desk = monitor["spec"]["jobLabel"], read(KUBERNETES / "desk-service.yaml")
    rollup = read(KUBERNETES / "rollup/service.yaml")
    found = [each["metadata"]["labels"][label] for each in (service, desk, rollup)]
    assert found == ["sendwatch", "sendwatch-desk", "sendwatch-rollup"]
    assert monitor["spec"]["selector"] == {"matchExpressions": [{"key": label, "operator": "In", "values": found}]}
    for each in (service, desk, rollup):
        assert endpoint["port"] in {port["name"] for port in each["spec"]["ports"]}
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_keda_scales_by_the_wait_and_no_further_than_partitions_go(
    configured: Settings, stateful: dict[str, Any]
) -> None:
    """Four partitions or more per worker; the metric exists; down slowly."""
    scaled = read(KUBERNETES / "keda/scaledobject.yaml")
    assert (scaled["apiVersion"], scaled["kind"]) == ("keda.sh/v1alpha1", "ScaledObject")
    spec = scaled["spec"]
    assert spec.keys() == {
        "scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "advanced", "triggers",
    }  # fmt: skip
    target = {key: stateful[key] for key in ("apiVersion", "kind")} | {"name": stateful["metadata"]["name"]}
    assert spec["scaleTargetRef"] == target
    assert spec["minReplicaCount"] == stateful["spec"]["replicas"]
    assert spec["maxReplicaCount"] * 4 <= configured.topics.partitions
    (trigger,) = spec["triggers"]
    metric = re.search(r"sendwatch_(\w+)", trigger["metadata"]["query"])
    assert metric
    assert metric[1] in {each.name for each in METRICS}
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    behaviour = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    up, down = (behaviour[name]["stabilizationWindowSeconds"] for name in ("scaleUp", "scaleDown"))
    assert down >= 10 * up


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here, since systemd looks for it."""
    path = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", text, flags=re.MULTILINE), encoding="utf-8")
    return path


def test_systemd_would_take_the_unit(unit: Path) -> None:
    """No directive that it does not know."""
    ask(installed("systemd-analyze", "systemd"), "verify", "--man=no", unit)


def test_the_unit_is_hardened(unit: Path) -> None:
    """Rated below 1.5 of 10."""
    ask(installed("systemd-analyze", "systemd"), "security", "--offline=true", "--threshold=15", "--no-pager", unit)


def test_the_unit_runs_a_command_and_sets_settings_that_exist(tmp_path: Path) -> None:
    """With its specifiers filled in, the sample configuration is accepted under its environment."""
    text = UNIT.read_text(encoding="utf-8")
    program = re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert program
    check_command(shlex.split(program[1])[1:])
    for name, digit in (("internal", "1"), ("public", "2")):
        (tmp_path / f"{name}.key").write_text(digit * 64, encoding="utf-8")
        assert f"LoadCredential={name}.key:/etc/sendwatch/{name}.key" in text
    said = re.findall(r"^Environment=(SENDWATCH_\w+)=(.*)$", text, re.MULTILINE)
    filled = {"%S": str(tmp_path), "%d": str(tmp_path), "%H": "host"}
    environ = {name: re.sub(r"%\w", lambda found: filled[found[0]], value) for name, value in said}
    found = settings((DEPLOY / "sendwatch.toml").read_text(encoding="utf-8"), environ, tmp_path)
    assert found.kafka.instance_id == "host"
    assert found.engine.data_dir == str(tmp_path / "sendwatch")
    assert "ProcSubset=pid\n" not in text, "the metrics of the process come from /proc/stat too"
