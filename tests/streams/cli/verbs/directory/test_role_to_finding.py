"""A role that is chosen at the command line reaches the access answers: through the directory agent, as a fact, on a real Kafka."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.kafka import topics
from connectors.kafka.fact_log import append, fact_record
from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import Fact
from schemas.topics import TOPICS
from streams.agents.access import access
from streams.engine.naming import Naming
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.directory.test_directory import AGENT, fed, shown, working
from tests.support.company import AVRO, DAY, T0, admin, everyone, policy, staff
from tests.support.intercom_bodies import APP

ACCESS = access(AVRO)


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    made = Installation(settings, tmp_path, list(TOPICS), {"acme": {APP: "support"}})
    asyncio.run(topics.apply(settings, Naming(prefix=prefix).changelogs([AGENT, ACCESS]), only=[]))
    return made


def findings(installation: Installation) -> list[tuple[int, str]]:
    """Return what happened to findings of C4, with the reason: 1 opened, 2 updated, 3 closed."""
    events: list[dict[str, Any]] = [json.loads(record.value) for record in installation.read("access.violations.json")]
    return [(each["activity_id"], each["unmapped"]["reason"]) for each in events if each["unmapped"]["check"] == "C4"]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited for: {what}"


def happened(installation: Installation, *facts: Fact) -> None:
    own = [msgspec.structs.replace(fact, app_id=APP) if fact.app_id else fact for fact in facts]
    asyncio.run(append(installation.kafka, [fact_record(AVRO, fact) for fact in own]))


def test_a_role_that_intercom_does_not_have_opens_a_finding_until_it_is_given(installation: Installation, tmp_path: Path) -> None:
    fed(installation, tmp_path)
    ada = "ada@acme.example"
    happened(installation, policy(everyone(APP)), staff("77", ada, name="Ada"), admin("admin.added", "1", ada, role="Support"))
    with working(installation, ACCESS):
        until(lambda: "agent|1" in shown(installation), "the lists are applied")
        installation.printed("directory", "role", ada, "Support", "--reason", "as she is")
        (report,) = installation.printed("directory", "role", ada, "Lead", "--reason", "she leads from May on")
        assert report["outcome"] == "applied"
        until(lambda: findings(installation) != [], "the finding")
        assert findings(installation) == [(1, "chosen_role_differs")]
        assert shown(installation)["agent|1"]["drift"] is True
        happened(installation, admin("admin.seen", "1", ada, at=T0 + DAY, role="Lead"))
        until(lambda: len(findings(installation)) > 1, "the end of the finding")
        assert [activity for activity, _ in findings(installation)] == [1, 3]
