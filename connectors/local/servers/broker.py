"""One Kafka broker in KRaft combined mode: its settings, how it is formatted and started, and when it is ready."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from connectors.local.ports import HOST
from connectors.local.servers.class_archive import ClassArchive
from connectors.local.servers.formatted import FormattedData
from connectors.local.servers.probe import Coordinator, coordinator_known
from connectors.local.servers.service import log_of
from schemas.errors import Unavailable

_MESSAGE_BYTES = 2 * 1024 * 1024 + 64 * 1024  # 2 MiB of value, and room for key, headers and the batch around them
_COPIES = 3  # the cluster works with two of them
_MOST_HEAP = (
    "2g"  # taken as it is needed: a partition takes 33 kB, and with 512 MB and 12,000 of them a broker only collected garbage
)
_FORMAT_S = 120  # takes 1.5 s on an idle machine

SETTINGS = MappingProxyType({
    "auto.create.topics.enable": "false",  # a misspelt topic is an error, not a new topic with wrong settings
    "message.max.bytes": str(_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(_MESSAGE_BYTES),
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",  # 10 s by default: a dead worker blocks partitions
    "group.min.session.timeout.ms": "1000",  # tests expire members in seconds
    "group.initial.rebalance.delay.ms": "250",  # long enough for workers started together to join one generation
    "offsets.topic.num.partitions": "4",  # 50 by default, each loaded by every start
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",  # we do not use it
    "log.retention.ms": "604800000",  # seven days for topics without a retention of their own
    "broker.session.timeout.ms": "6000",  # the cluster fences a killed broker after this time
    "broker.heartbeat.interval.ms": "1000",
})  # fmt: skip
"""The settings that the engine needs from any broker for development; docker-compose.yml has the same table."""


def replication(brokers: int) -> dict[str, str]:
    """Return the replication settings: three replicas, two in sync for a write; with fewer brokers one on each, one in sync."""
    copies = str(min(brokers, _COPIES))
    needed = "2" if brokers >= _COPIES else "1"
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": needed,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": needed,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": needed,
    }


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """Broker `node` (from 1) of a cluster whose controllers are `voters` (node to port)."""

    node: int
    home: Path
    port: int
    voters: dict[int, int]
    cluster_id: str
    java: Path
    jars: tuple[Path, ...]
    archive: ClassArchive
    formatted: FormattedData
    settings: Mapping[str, str] = MappingProxyType({})  # they override those of `configuration`

    @property
    def name(self) -> str:
        return f"kafka-{self.node}"

    def prepare(self) -> None:
        (self.home / self.name / "tmp").mkdir(parents=True, exist_ok=True)
        self._config.write_text("".join(f"{key}={value}\n" for key, value in self.configuration().items()))
        (self.home / "log4j2.properties").write_text(_LOGGING)
        if not self.formatted.write(self._data, self.cluster_id, self.node):
            self._format()
            self.formatted.keep(self._data)

    def configuration(self) -> dict[str, str]:
        """Return the whole server.properties. A setting may extend the usual value, which stands for its own name in braces."""
        voters = ",".join(f"{node}@{HOST}:{port}" for node, port in sorted(self.voters.items()))
        usual = {
            "process.roles": "broker,controller",
            "node.id": str(self.node),
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self.voters[self.node]}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
            "log.dirs": str(self._data),
            **SETTINGS,
            **replication(len(self.voters)),
        }
        return usual | {name: value.replace(f"{{{name}}}", usual.get(name, "")) for name, value in self.settings.items()}

    def command(self) -> list[str]:
        return self.command_with(self.archive.used())

    def command_with(self, options: Sequence[str]) -> list[str]:
        """Return the command line with these options of the JVM for its classes."""
        return [
            *self._java("-server", "-Xms128m", f"-Xmx{_MOST_HEAP}", "-XX:MaxGCPauseMillis=20", *options),
            "kafka.Kafka",
            str(self._config),
        ]

    def ready(self) -> bool:
        """Return whether the broker names the coordinators of groups and transactions.

        A KRaft broker answers only once it is registered and unfenced, and this request makes the cluster create its
        internal topics, which would otherwise cause errors in the first consumer and producer.
        """
        return all(coordinator_known(HOST, self.port, kind) for kind in Coordinator)

    @property
    def _data(self) -> Path:
        return self.home / self.name / "data"

    @property
    def _config(self) -> Path:
        return self.home / self.name / "server.properties"

    def _java(self, *options: str) -> list[str]:
        return [
            str(self.java), *options, "-Djava.awt.headless=true",
            f"-Djava.io.tmpdir={self.home / self.name / 'tmp'}", f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}",
            "-cp", ":".join(map(str, self.jars)),
        ]  # fmt: skip

    def _format(self) -> None:
        command = [
            *self._java("-Xmx128m", "-XX:TieredStopAtLevel=1", *self.archive.used()), "kafka.tools.StorageTool", "format",
            "--cluster-id", self.cluster_id, "--config", str(self._config),
        ]  # fmt: skip
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"Kafka needs more than {_FORMAT_S} s to format its data folder. Is this machine overloaded?"
            ) from None
        if result.returncode:
            log = log_of(self.home, self.name)
            log.write_text(result.stdout + result.stderr)
            tail = "\n".join((result.stdout + result.stderr).splitlines()[-5:])
            raise Unavailable(
                f"Kafka could not format its data folder:\n{tail}\nAll of it is in {log}. `stack up --fresh` starts from nothing."
            )


_LOGGING = """\
# Warnings to the console, whose output is the broker's log; it stays small however long the stack runs.
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""
