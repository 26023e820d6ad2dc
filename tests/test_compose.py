"""docker-compose.yml, as far as it can be tested without a Docker engine."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.local.servers.broker import SETTINGS, replication
from connectors.local.servers.registry_server import API
from streams.cli.verbs import VERBS
from streams.settings import load

ROOT = Path(__file__).parents[1]
PRODUCT = ("topics", "ingress", "worker", "sync")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def kafka_name(setting: str) -> str:
    return "KAFKA_" + setting.upper().replace(".", "_")


def test_every_image_is_pinned_to_a_full_version(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert [image for image in images if not re.search(r":\d+\.\d+\.\d+", image)] == []


def test_kafka_and_the_registry_have_the_versions_of_the_local_stack(compose: dict[str, Any]) -> None:
    from connectors.local.download.update_lockfile import APICURIO, KAFKA

    services = compose["services"]
    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA}"
    assert services["registry"]["image"] == f"apicurio/apicurio-registry:{APICURIO}"


def test_the_broker_has_the_settings_of_the_local_stack(compose: dict[str, Any]) -> None:
    expected = {kafka_name(name): value for name, value in {**SETTINGS, **replication(1)}.items()}
    environment = compose["services"]["kafka"]["environment"]
    assert {name: environment.get(name) for name in expected} == expected


def test_the_cluster_id_is_one_kafka_accepts(compose: dict[str, Any]) -> None:
    assert len(base64.urlsafe_b64decode(compose["services"]["kafka"]["environment"]["CLUSTER_ID"] + "==")) == 16


def test_every_service_that_stays_up_has_a_health_check(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "healthcheck" not in service] == ["topics"]


def test_what_a_service_waits_for_exists_and_can_become_what_is_waited_for(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            assert ("healthcheck" in services[name]) == (wait["condition"] == "service_healthy")


def test_the_product_runs_commands_that_exist(compose: dict[str, Any]) -> None:
    assert {compose["services"][name]["command"][0] for name in PRODUCT} <= set(VERBS)


def test_reading_from_intercom_is_left_out_where_nobody_asks_for_it(compose: dict[str, Any]) -> None:
    assert {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service} == {
        "sync": ["sync"]
    }
    assert compose["services"]["ingress"]["environment"]["INTERCOM_TOKEN"] == "${INTERCOM_TOKEN:-}"


def test_the_products_environment_fills_its_configuration_and_points_at_the_other_services(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "intercom-streams.toml"
    file.write_text(compose["configs"]["product"]["content"].replace("$$", "$"))
    environment = dict(compose["services"]["ingress"]["environment"])
    environment |= {"INTERCOM_CLIENT_SECRET": "secret", "INTERCOM_APP_ID": "abc12345", "INTERCOM_TOKEN": "t"}
    settings = load(str(file), environment=environment)
    assert settings.kafka.bootstrap == "kafka:19092"
    assert "PLAINTEXT://kafka:19092" in compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.redis.url == "redis://redis:6379/0"
    assert settings.registry.url == f"http://registry:8080{API}"
    (workspace,) = settings.tenancy.tenants["acme"].workspaces
    assert (workspace.app_id, workspace.access_token.reveal()) == ("abc12345", "t")


def test_the_health_checks_ask_where_the_configuration_listens(compose: dict[str, Any]) -> None:
    content = compose["configs"]["product"]["content"]
    for name in ("ingress", "worker", "sync"):
        asked = re.search(r"127\.0\.0\.1:(\d+)", " ".join(compose["services"][name]["healthcheck"]["test"]))
        assert asked is not None
        assert re.search(rf'listen = "[0-9.]+:{asked.group(1)}"', content)


def test_the_image_copies_what_the_wheel_is_made_of() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source.split("/")[0] for line in copied for source in line.split()}
    assert sources == {line[1:] for line in ignored if line.startswith("!")}
