"""Builds startable services from a stack's state: find the programs, fetch the jars, fill in the ports."""

from collections.abc import Sequence
from pathlib import Path

from connectors.local.download.artifacts import fetch
from connectors.local.download.lockfile import locked
from connectors.local.paths import cache_home
from connectors.local.progress import ProgressReporter
from connectors.local.servers import java, redis_server, registry_server
from connectors.local.servers.broker import Broker
from connectors.local.servers.class_archive import class_archive
from connectors.local.servers.formatted import FormattedData, random_id
from connectors.local.servers.redis_server import RedisServer
from connectors.local.servers.registry_server import RegistryServer
from connectors.local.servers.service import Service
from connectors.local.servers.training import make_archive
from connectors.local.stack_state import StackState

KAFKA_JAVA = 17


def services(home: Path, state: StackState, names: Sequence[str], progress: ProgressReporter) -> list[Service]:
    """Return the named services of a stack, in that order. May download; raises what `fetch` and the `find` functions raise."""
    brokers = _brokers(home, state, [name for name in names if name in state.broker_names()], progress)
    by_name: dict[str, Service] = {broker.name: broker for broker in brokers}
    if "redis" in names:
        by_name["redis"] = RedisServer(home=home, port=state.ports["redis"], program=redis_server.find())
    if "registry" in names:
        by_name["registry"] = _registry(home, state, progress)
    return [by_name[name] for name in names]


def _brokers(home: Path, state: StackState, names: Sequence[str], progress: ProgressReporter) -> list[Broker]:
    if not names:
        return []
    runtime = java.find(KAFKA_JAVA)
    jars = fetch(locked("kafka"), cache_home(), progress)
    archive = class_archive(cache_home(), runtime, jars)
    formatted = FormattedData(archive.path.with_suffix(".checkpoint"))

    def trained(folder: Path, port: int, controller: int) -> Broker:
        return Broker(
            node=1, home=folder, port=port, voters={1: controller}, cluster_id=random_id(),
            java=runtime, jars=jars, archive=archive, formatted=formatted,
        )  # fmt: skip

    make_archive(archive, trained, lambda: progress.step("Preparing Kafka for quick starts (once) ..."))
    voters = {node: state.ports[f"controller-{node}"] for node in range(1, state.brokers + 1)}
    return [
        Broker(
            node=int(name.removeprefix("kafka-")), home=home, port=state.ports[name], voters=voters, cluster_id=state.cluster_id,
            java=runtime, jars=jars, archive=archive, formatted=formatted, settings=state.settings,
        )
        for name in names
    ]  # fmt: skip


def _registry(home: Path, state: StackState, progress: ProgressReporter) -> RegistryServer:
    runtime = java.find(registry_server.JAVA)
    (archive,) = fetch(locked("registry"), cache_home(), progress)
    program = registry_server.unpack(archive, cache_home())
    return RegistryServer(home=home, port=state.ports["registry"], java=runtime, program=program)
