"""Each alert fires when its trouble is there, for as long as it asks, and is silent on a process that is well."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from connectors.intercom.ingress.multiprocess_metrics import MultiprocessMetrics
from connectors.kafka.settings import KafkaSettings
from connectors.observability import metrics
from tests.deploy.ingress_troubles import NOBODY, watched
from tests.deploy.ingress_troubles import TROUBLES as OF_INGRESS
from tests.deploy.promql import Pages
from tests.deploy.test_queries import ALERTS
from tests.deploy.worker_troubles import TROUBLES as OF_WORKER
from tests.deploy.worker_troubles import WatchedWorker

pytestmark = pytest.mark.asyncio

RULES = {rule["alert"]: rule for rule in ALERTS}
MINUTE = 60
OF_DELIVER = {
    "WebhookBehind": lambda: metrics.WEBHOOK_BEHIND.labels("acme|pager").set(1000),
    "WebhookPaused": lambda: metrics.WEBHOOK_PAUSED.labels("acme|pager").set(1),
    "WebhookGivenUp": lambda: metrics.WEBHOOK_GIVEN_UP.labels("acme|pager").inc(),
    "EventsMissed": lambda: metrics.EVENTS_MISSED.labels("acme|pager").inc(3),
    "EventFileFailing": lambda: metrics.EVENT_FILE_FAILING.labels("acme").set(1),
}
SECONDS = {"s": 1, "m": MINUTE, "h": 60 * MINUTE}


def lasts(rule: dict[str, Any]) -> int:
    """Return for how long the alert's condition has to hold, in seconds."""
    text = rule.get("for", "0s")
    return int(text[:-1]) * SECONDS[text[-1]]


def fires(name: str, pages: dict[int, str]) -> bool:
    """Say whether the condition holds at each look since the trouble began."""
    found = Pages(pages)
    return all(found.query(RULES[name]["expr"], at) for at in sorted(pages)[1:])


def looks(rule: dict[str, Any]) -> list[int]:
    """Return when to look at the metrics behind the first time, until the alert is due."""
    return [*range(MINUTE, MINUTE + lasts(rule), 2 * MINUTE), MINUTE + lasts(rule)]


async def test_every_alert_is_tried() -> None:
    assert set(RULES) == {
        *OF_INGRESS,
        *OF_WORKER,
        *OF_DELIVER,
        "ProcessDown",
        "ScimFails",
        "IntercomRefusesReads",
        "TablesIncomplete",
        "WorkspaceSilent",
    }


@pytest.mark.parametrize("name", OF_WORKER)
async def test_an_alert_about_a_worker_fires(name: str) -> None:
    worker = WatchedWorker()
    worker.commits()
    pages = {0: await worker.page()}
    for at in looks(RULES[name]):
        OF_WORKER[name](worker)
        pages[at] = await worker.page()
    assert fires(name, pages)


@pytest.mark.parametrize("name", OF_INGRESS)
async def test_an_alert_about_an_ingress_fires(name: str, request: pytest.FixtureRequest, prefix: str, tmp_path: Path) -> None:
    trouble = OF_INGRESS[name]
    bootstrap = request.getfixturevalue("kafka") if trouble.with_kafka else NOBODY
    pages = {0: MultiprocessMetrics(folder=tmp_path, index=0, processes=1).page().decode()}
    trouble.before(tmp_path / "spool")
    async with watched(KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix), tmp_path / "spool") as ingress:
        for at in looks(RULES[name]):
            await trouble.act(ingress)
            pages[at] = await ingress.page()
    assert fires(name, pages)


async def test_the_alert_about_identity_providers_fires() -> None:
    metrics.SCIM_ANSWERS.labels("GET", 200).inc()
    pages = {0: generate_latest().decode()}
    metrics.SCIM_ANSWERS.labels("PATCH", 503).inc()
    pages[MINUTE] = generate_latest().decode()
    assert fires("ScimFails", pages)


def deliver_is_well() -> None:
    for gauge in (metrics.WEBHOOK_BEHIND, metrics.WEBHOOK_PAUSED):
        gauge.labels("acme|pager").set(0)
    metrics.EVENT_FILE_FAILING.labels("acme").set(0)
    for counter in (metrics.WEBHOOK_GIVEN_UP, metrics.EVENTS_MISSED):
        counter.labels("acme|pager").inc(0)


@pytest.mark.parametrize("name", OF_DELIVER)
async def test_an_alert_about_deliveries_fires_and_is_silent_afterwards(name: str) -> None:
    deliver_is_well()
    pages = {0: generate_latest().decode()}
    for at in looks(RULES[name]):
        OF_DELIVER[name]()
        pages[at] = generate_latest().decode()
    assert fires(name, pages)
    deliver_is_well()
    assert not Pages({0: generate_latest().decode()}).query(RULES[name]["expr"], 0)


async def test_an_endpoint_that_is_paused_is_not_also_behind() -> None:
    deliver_is_well()
    OF_DELIVER["WebhookBehind"]()
    OF_DELIVER["WebhookPaused"]()
    page = generate_latest().decode()
    deliver_is_well()
    assert not Pages({0: page, MINUTE: page}).query(RULES["WebhookBehind"]["expr"], MINUTE)


async def test_the_alert_about_refused_reads_fires() -> None:
    metrics.SYNC_READS.labels("refused").inc(0)
    pages = {0: generate_latest().decode()}
    metrics.SYNC_READS.labels("refused").inc()
    pages[MINUTE] = generate_latest().decode()
    assert fires("IntercomRefusesReads", pages)


async def test_the_alert_about_incomplete_tables_fires() -> None:
    try:
        metrics.SYNC_COMPLETENESS.labels("abc12345", "contacts", "after").set(99.99)
        pages = dict.fromkeys((0, MINUTE), generate_latest().decode())
    finally:
        metrics.SYNC_COMPLETENESS.clear()
    assert fires("TablesIncomplete", pages)


async def test_the_alert_about_a_silent_workspace_fires() -> None:
    try:
        metrics.SYNC_SILENT.labels("abc12345").set(1)
        pages = dict.fromkeys((0, MINUTE), generate_latest().decode())
    finally:
        metrics.SYNC_SILENT.clear()
    assert fires("WorkspaceSilent", pages)


async def test_a_process_that_does_not_answer_fires() -> None:
    pages = dict.fromkeys((0, MINUTE, 3 * MINUTE), 'up{job="intercom-streams",instance="worker-1"} 0\n')
    assert fires("ProcessDown", pages)


@pytest.mark.parametrize("name", RULES)
async def test_an_alert_is_silent_where_all_is_well(name: str, tmp_path: Path) -> None:
    worker = WatchedWorker()
    pages = {0: await worker.page()}
    for at in looks(RULES[name]):
        worker.commits()
        pages[at] = await worker.page()
    found = Pages(pages)
    assert not any(found.query(RULES[name]["expr"], at) for at in pages if at)
