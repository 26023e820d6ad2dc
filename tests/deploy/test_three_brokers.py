"""The compose file of three brokers, over docker-compose.yml: as far as it can be tested without a Docker engine."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.local.servers.broker import SETTINGS, replication
from streams.settings import load

ROOT = Path(__file__).parents[2]
BROKERS = ("kafka", "kafka-2", "kafka-3")


def merged(base: Any, over: Any) -> Any:
    """Return what Compose makes of two files: mappings are joined, everything else is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{name: merged(base.get(name), value) for name, value in over.items()}}
    return over


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    files = ("docker-compose.yml", "deploy/compose/three-brokers.yml")
    base, over = (yaml.safe_load((ROOT / name).read_text()) for name in files)
    return merged(base, over)


def environment(compose: dict[str, Any], broker: str) -> dict[str, str]:
    return {name: str(value) for name, value in compose["services"][broker]["environment"].items()}


@pytest.mark.parametrize("broker", BROKERS)
def test_a_broker_has_the_settings_of_a_local_stack_of_three(compose: dict[str, Any], broker: str):
    found = environment(compose, broker)
    expected = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in {**SETTINGS, **replication(3)}.items()}
    assert {name: found.get(name) for name in expected} == expected


def test_brokers_are_of_one_cluster_and_each_is_a_voter(compose: dict[str, Any]):
    found = {broker: environment(compose, broker) for broker in BROKERS}
    assert len({each["CLUSTER_ID"] for each in found.values()}) == 1
    voters = ",".join(f"{each['KAFKA_NODE_ID']}@{broker}:29093" for broker, each in found.items())
    for broker, each in found.items():
        assert each["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        assert f"PLAINTEXT://{broker}:19092" in each["KAFKA_ADVERTISED_LISTENERS"]
        assert compose["services"][broker]["image"] == compose["services"]["kafka"]["image"]
        assert compose["services"][broker]["volumes"][0].split(":")[0] in compose["volumes"]


def test_the_product_uses_all_of_them_and_keeps_three_copies(compose: dict[str, Any], tmp_path: Path):
    file = tmp_path / "intercom-streams.toml"
    file.write_text(compose["configs"]["product"]["content"].replace("$$", "$"))
    environment_ = {**compose["services"]["worker"]["environment"], "INTERCOM_CLIENT_SECRET": "s", "INTERCOM_APP_ID": "abc12345"}
    settings = load(str(file), environment=environment_)
    assert settings.kafka.bootstrap == ",".join(f"{broker}:19092" for broker in BROKERS)
    assert (settings.kafka.replication, settings.kafka.min_insync) == (3, 2)
