"""`access test-violation` against a real Kafka, with a worker's access agent and without one."""

import asyncio
import json

import pytest

from connectors.kafka import topics
from connectors.kafka.fact_log import append, fact_record
from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import Fact
from streams.agents.access import access
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.streams.cli.operator import Operator
from tests.support.company import AVRO
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK


@pytest.mark.asyncio
async def test_a_marked_finding_is_opened_and_closed_on_the_topic_and_the_report_names_it(
    operator: Operator, cluster: KafkaSettings
):
    known = Fact(
        id=f"w-{operator.tenant}",
        tenant=operator.tenant,
        kind="workspace.monitored",
        source="s",
        basis="decided",
        app_id="abc12345",
    )
    await append(cluster, [fact_record(AVRO, known)])
    await topics.apply(cluster, Naming(prefix=cluster.topic_prefix).changelogs((access(AVRO),)))
    async with running((access(AVRO),), kafka=cluster, limits=QUICK):
        report = await asyncio.to_thread(
            operator.printed, "access", "test-violation", "--workspace", "abc12345", "--severity", "critical"
        )
    findings = [json.loads(record.value) for record in await read_all(cluster, "access.violations.json")]
    found = [each for each in findings if each["finding_info"]["uid"] == report["finding"]]
    assert [(each["activity_id"], each["severity_id"], each["unmapped"]["check"]) for each in found] == [
        (1, 5, "T1"),
        (3, 5, "T1"),
    ]
    assert report["app_id"] == "abc12345"


def test_without_a_worker_it_says_so_and_leaves_no_test_open(operator: Operator):
    result = operator.types("access", "test-violation", "--workspace", "abc12345", "--within", "1")
    assert result.exit_code != 0
    assert "Is a worker running" in str(result.exception)
    assert [(fact.kind, fact.test.is_open) for fact in operator.log() if fact.test] == [
        ("alarm.tested", True),
        ("alarm.tested", False),
    ]
