"""The facts that a release's own commands write for a company, kept so that each trial begins with the same bytes."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench.access.company import Company, write_directory, write_policy
from bench.cluster import Cluster, read_all, source_producer
from bench.product import Deployment, command, create_topics, write_config
from connectors.kafka.settings import KafkaSettings
from schemas.partition import partition_of

FACTS = "access.facts"
_COMMAND_S = 600

Header = tuple[str, bytes]


class FactRecord(msgspec.Struct, frozen=True, array_like=True):
    """One record of the log of facts."""

    key: bytes
    value: bytes
    headers: tuple[Header, ...]


class CompanyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of each phase: the first import, the policy, and a complete file in which some have left."""

    first_import: tuple[FactRecord, ...]
    policy: tuple[FactRecord, ...]
    complete_import: tuple[FactRecord, ...]


def company_facts(cluster: Cluster, company: Company, name: str, program: tuple[str, ...]) -> CompanyFacts:
    """Run the commands of a release without a worker, and read what they appended."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(0, cluster.bootstrap, cluster.prefixed(f"facts-{name}."), Path(folder))
        config = write_config(deployment)
        create_topics(config, program)
        directory, policy = deployment.folder / "staff.csv", deployment.folder / "policy.toml"
        write_directory(company, directory)
        write_policy(policy)
        first = _appended(cluster, deployment, program, config, "staff", "import", str(directory))
        applied = _appended(cluster, deployment, program, config, "policy", "apply", str(policy), skip=len(first))
        write_directory(company, directory, leavers=company.leavers)
        complete = _appended(
            cluster, deployment, program, config, "staff", "import", "--complete", str(directory), skip=len(first) + len(applied)
        )
    cluster.delete([topic for topic in cluster.topics() if deployment.prefix in topic])
    return CompanyFacts(first_import=first, policy=applied, complete_import=complete)


def _appended(
    cluster: Cluster, deployment: Deployment, program: tuple[str, ...], config: Path, *verb: str, skip: int = 0
) -> tuple[FactRecord, ...]:
    """Run a command and return the facts it appended. One tenant has one partition, so the log's order is that of the facts."""
    command(config, *verb, program=program).wait_for_success(_COMMAND_S)
    messages: Any = read_all(cluster.bootstrap, f"{deployment.prefix}{FACTS}", cluster.prefixed("facts"))
    records = [FactRecord(message.key(), message.value(), tuple(message.headers() or ())) for message in messages]
    return tuple(records[skip:])


def publish_facts(kafka: KafkaSettings, records: tuple[FactRecord, ...]) -> None:
    """Append facts in order."""
    producer = source_producer(kafka.bootstrap, **{"compression.type": "zstd"})
    for record in records:
        headers: list[Any] = list(record.headers)
        partition = partition_of(record.key, kafka.partitions)
        producer.produce(kafka.topic(FACTS), record.value, key=record.key, headers=headers, partition=partition)
        producer.poll(0)
    producer.flush()
