"""The manifests: valid for Kubernetes, consistent with each other, with the product's own ports and times, and without privileges."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from connectors.intercom.ingress import app as ingress_app
from streams.settings import load

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS = [each for name in KUSTOMIZATION["resources"] for each in yaml.safe_load_all((FOLDER / name).read_text())]
WORKLOADS = [each for each in OBJECTS if each["kind"] in {"StatefulSet", "Deployment", "Job"}]
LABEL = "app.kubernetes.io/name"
VERSION = "1.32"


def named(each: dict[str, Any]) -> str:
    return f"{each['kind']} {each['metadata']['name']}"


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(workload)["containers"]
    return only


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


@pytest.mark.parametrize("each", OBJECTS, ids=named)
def test_an_object_fits_the_api(each: dict[str, Any]):
    kubernetes_validate.validate(each, VERSION, strict=True)


def test_every_file_is_a_resource():
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])
    assert all((FOLDER / name).is_file() for name in KUSTOMIZATION["configMapGenerator"][0]["files"])


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_nothing_runs_as_root_or_writes_to_its_root(workload: dict[str, Any]):
    context = pod(workload)["securityContext"]
    assert context["runAsNonRoot"]
    assert context["runAsUser"] == 10001, "the user of the Dockerfile"
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    own = container(workload)["securityContext"]
    assert own == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert pod(workload)["automountServiceAccountToken"] is False


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_what_is_mounted_is_there(workload: dict[str, Any]):
    claims = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", ())}
    volumes = {each["name"] for each in pod(workload)["volumes"]} | claims
    assert {each["name"] for each in container(workload)["volumeMounts"]} == volumes
    assert container(workload)["resources"]["requests"].keys() == {"cpu", "memory"}


def test_what_serves_nobody_is_asked_for_life_alone():
    (sync,) = [each for each in WORKLOADS if each["metadata"]["name"] == "sync"]
    assert container(sync)["livenessProbe"]["httpGet"]["path"] == "/health"
    assert "readinessProbe" not in container(sync)
    assert sync["spec"]["template"]["metadata"]["labels"] == sync["spec"]["selector"]["matchLabels"] == {LABEL: "sync"}


@pytest.mark.parametrize(
    "workload", [each for each in WORKLOADS if each["kind"] != "Job" and each["metadata"]["name"] != "sync"], ids=named
)
def test_a_server_has_probes_a_budget_a_service_and_a_selector_that_is_its_own(workload: dict[str, Any]):
    name = workload["metadata"]["name"]
    assert container(workload)["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container(workload)["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert workload["spec"]["template"]["metadata"]["labels"] == {LABEL: name}
    for selector in (
        workload["spec"]["selector"]["matchLabels"],
        of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"],
        of_kind("Service")[name]["spec"]["selector"],
    ):
        assert selector == {LABEL: name}
    assert of_kind("PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1
    if "serviceName" in workload["spec"]:
        assert of_kind("Service")[workload["spec"]["serviceName"]]["spec"]["clusterIP"] == "None"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("intercom-client-secret", "scim-token", "intercom-token"):
        (tmp_path / name).write_text("a-secret-of-some-length")
    (tmp_path / "pager-secret").write_text(f"whsec_{'A' * 44}")
    text = (FOLDER / "intercom-streams.toml").read_text().replace("/etc/intercom-streams-secrets", str(tmp_path))
    (tmp_path / "intercom-streams.toml").write_text(text)
    monkeypatch.setenv("HOSTNAME", "worker-1")
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    return load(str(tmp_path / "intercom-streams.toml"))


def test_the_configuration_is_one_and_its_ports_and_folders_are_those_of_the_pods(settings):
    workloads = {each["metadata"]["name"]: each for each in WORKLOADS}
    listen = {
        "ingress": settings.ingress.listen, "worker": settings.worker.listen, "scim": settings.scim.listen, "sync": settings.sync.listen,
        "deliver": settings.deliver.listen,
    }  # fmt: skip
    for name, address in listen.items():
        (port,) = container(workloads[name])["ports"]
        assert address == f"0.0.0.0:{port['containerPort']}"
        assert workloads[name]["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    folders = {"ingress": settings.ingress.spool, "worker": settings.worker.state_dir}
    for name, folder in folders.items():
        assert folder in {mount["mountPath"] for mount in container(workloads[name])["volumeMounts"]}
    assert settings.worker.instance == "worker-1", "a pod keeps its name, so that a rolling release moves no partition"


def test_a_pod_may_end_what_it_began(settings):
    grace = {each["metadata"]["name"]: pod(each).get("terminationGracePeriodSeconds") for each in WORKLOADS}
    asleep = {
        each["metadata"]["name"]: container(each).get("lifecycle", {}).get("preStop", {}).get("sleep", {}) for each in WORKLOADS
    }
    assert grace["ingress"] >= asleep["ingress"]["seconds"] + ingress_app._GRACE_S + ingress_app._STOP_TIMEOUT_S
    assert grace["worker"] >= 30 + 15, "transactions end within 15 s, and a rebalance is waited for"
    assert settings.worker.session_timeout_ms >= 45_000, "a pod is replaced within its session"


def test_the_volume_of_the_spool_is_larger_than_the_spool(settings):
    (claim,) = next(each for each in WORKLOADS if each["metadata"]["name"] == "ingress")["spec"]["volumeClaimTemplates"]
    size = re.fullmatch(r"(\d+)Gi", claim["spec"]["resources"]["requests"]["storage"])
    assert size is not None
    assert int(size[1]) << 30 > settings.ingress.spool_max_bytes
