"""`access test-violation`: a marked finding goes the whole way, opened and closed, so that an operator sees the pager ring."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import click
import msgspec

from connectors.kafka.fact_log import append, fact_record
from connectors.kafka.reader import StartKind, StartPosition, TopicReader, open_topic
from connectors.kafka.topics import present
from schemas.access.facts import AlarmTest, Fact
from schemas.errors import BadConfiguration, Unavailable
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.message import header
from streams.cli.operator import decision
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.workspace import workspace_of
from streams.ops.codec import configured_codec
from streams.settings import Settings

_FINDINGS: Final = "access.violations.json"
_SEVERITIES: Final = {"low": 2, "medium": 3, "high": 4, "critical": 5}  # OCSF severity_id
_OPENED, _CLOSED = 1, 3  # OCSF activity_id


class AlarmTestReport(msgspec.Struct, frozen=True):
    """Result: the finding's uid, and how long after each request its events were on the topic (ms)."""

    tenant: str
    app_id: str
    test: str
    finding: str
    opened_ms: int
    closed_ms: int


@click.command("test-violation")
@click.option("--workspace", metavar="APP_ID", help="Of which workspace. May be left out where one is configured.")
@click.option("--severity", type=click.Choice(list(_SEVERITIES)), default="high", show_default=True, help="Of the finding.")
@click.option("--hold", type=click.FloatRange(0, 3000), default=0.0, metavar="SECONDS", help="How long the finding stays open.")
@click.option("--within", type=click.FloatRange(1), default=60.0, show_default=True, metavar="SECONDS",
              help="How long to wait for each event.")  # fmt: skip
@json_option
@config_option
@click.pass_context
def test_violation(
    ctx: click.Context, *, workspace: str | None, severity: str, hold: float, within: float, as_json: bool
) -> None:
    """Open a finding that says it is a test (check T1), wait until it is published, and close it. Exit code 1 where nothing comes.

    It is on access.violations and access.violations.json like any other, and pages the same people.
    """
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    test = _Test(settings, tenant, app_id, _SEVERITIES[severity], within)
    report = run(test.run(hold, on_opened=lambda ms: None if as_json else click.echo(f"opened after {ms} ms")))
    if as_json:
        click.echo(json_line(report))
    else:
        click.echo(f"closed after {report.closed_ms} ms: finding {report.finding} of workspace {app_id} went the whole way")


class _Test:
    """One test of a workspace's alarm."""

    def __init__(self, settings: Settings, tenant: str, app_id: str, severity: int, within: float) -> None:
        self._settings, self._tenant, self._app_id, self._within = settings, tenant, app_id, within
        self._severity = severity
        self._id = secrets.token_hex(8)

    async def run(self, hold: float, on_opened: Any) -> AlarmTestReport:
        kafka = self._settings.kafka
        topic, partitions = kafka.topic(_FINDINGS), (await present(kafka)).get(kafka.topic(_FINDINGS), 0)
        if not partitions:
            raise BadConfiguration(f"There is no topic {topic} at {kafka.bootstrap}. Run: intercom-streams topics apply")
        async with open_topic(kafka, topic, range(partitions), StartPosition(StartKind.END)) as reader:
            findings = _findings(reader)
            async with aclosing(findings):
                try:
                    opened, opened_ms = await self._await(findings, self._fact(is_open=True), _OPENED)
                    on_opened(opened_ms)
                    await asyncio.sleep(hold)
                except BaseException:
                    await self._append(self._fact(is_open=False))  # the worker may still find the first one
                    raise
                _, closed_ms = await self._await(findings, self._fact(is_open=False), _CLOSED)
        return AlarmTestReport(self._tenant, self._app_id, self._id, opened["finding_info"]["uid"], opened_ms, closed_ms)

    async def _await(self, findings: AsyncIterator[Any], fact: Fact, activity: int) -> tuple[dict[str, Any], int]:
        """Append a fact; return the finding's event that it causes, and after how many milliseconds it was read."""
        begun = time.monotonic()
        await self._append(fact)
        try:
            async with asyncio.timeout(self._within):
                async for record in findings:
                    finding = json.loads(record.value) if header(record.headers, "ce_causationid") == fact.id else None
                    if finding is not None and finding["activity_id"] == activity:
                        return finding, int((time.monotonic() - begun) * 1000)
        except TimeoutError:
            pass
        verb = "opened" if activity == _OPENED else "closed"
        raise Unavailable(
            f"No finding was {verb} within {self._within:g} s. Is a worker running, is its lag small, and is no other test of "
            f"{self._app_id} open? The test closes by itself within an hour."
        )

    async def _append(self, fact: Fact) -> None:
        avro = await configured_codec(self._settings)
        await append(self._settings.kafka, [fact_record(avro, fact)])

    def _fact(self, *, is_open: bool) -> Fact:
        test = AlarmTest(id=self._id, is_open=is_open, severity=self._severity)
        id_ = derived(self._tenant, "alarm.tested", self._app_id, self._id, str(is_open))
        return decision(id=id_, tenant=self._tenant, kind="alarm.tested", app_id=self._app_id, test=test)


async def _findings(reader: TopicReader) -> AsyncGenerator[Any]:
    async for batch in reader.batches(None, asyncio.Event()):
        for record in batch:
            yield record
