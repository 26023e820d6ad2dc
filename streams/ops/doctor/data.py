"""What the topics say of the data: dead letters, open system findings, coverage of workspaces and staff sources, and clocks."""

from collections.abc import AsyncIterator
from typing import Any, Final

from connectors.kafka.ranges import open_ranges
from schemas.codec import Avro
from schemas.tenancy import INTERVAL
from streams.ops.codec import configured_codec
from streams.ops.dead_letters.causes import summaries
from streams.ops.doctor.finding import Findings, Patient, ok, problem, warning

_RENEWED_MS: Final = 30 * 60_000  # coverage rows are renewed every 15 minutes: an older one is not to be trusted
_SKEW_MS: Final = 60_000
_SAMPLE: Final = 200  # records from the end of a topic
_MOST_LINES: Final = 5


async def schemas(patient: Patient) -> Findings:
    """Examine the schema registry: this registers what is missing, as every process does when it starts."""
    if not patient.settings.registry.url:
        return [ok("no registry is configured: the schemas of the release are used")]
    await configured_codec(patient.settings)
    return [ok("the registry has every schema of this release")]


async def dead_letters(patient: Patient) -> Findings:
    """Examine whether dead letters wait for a decision."""
    rows = [row for row in await summaries(patient.settings.kafka, await _avro(patient), lambda _: True) if row.pending]
    found = [
        warning(
            f"{row.pending} dead letters of the {row.agent} agent: {row.reason}",
            f"intercom-streams dead-letters show {row.example}",
        )
        for row in rows[:_MOST_LINES]
    ]
    return found or [ok("no dead letters wait")]


async def coverage(patient: Patient) -> Findings:
    """Examine what access answers rest on: the coverage row of each configured workspace and staff source."""
    rows = {(row["tenant"], row["app_id"], row["source"] or ""): row async for row in _coverage_rows(patient)}
    found = []
    for app_id, tenant in sorted(patient.settings.tenancy.owners.items()):
        row = rows.get((tenant, app_id, ""))
        if row is None:
            text = f"workspace {app_id}: nothing is known of its teammates yet"
            found.append(warning(text, "feed its list of teammates: intercom-streams access snapshot FILE"))
        elif patient.now - row["evaluated_through"] > _RENEWED_MS:
            minutes = (patient.now - row["evaluated_through"]) // 60_000
            found.append(
                problem(f"workspace {app_id}: its answers are {minutes} minutes old", "is a worker running, and not behind?")
            )
        elif row["result"] != "PASS":
            text = f"workspace {app_id}: the list of its teammates is not complete ({row['reason']})"
            found.append(warning(text, "feed its list of teammates: intercom-streams access snapshot FILE"))
    for company in patient.settings.tenancy.tenants.values():
        for source in company.staff_sources:
            row = rows.get((company.id, "", source.name))
            if source.freshness == INTERVAL and row is not None and row["reason"] == "stale":
                text = f"staff source {source.name} of {company.id} has missed three of its intervals"
                found.append(problem(text, "import what it has now; until then C2 and C4 of its people are UNKNOWN"))
    return found or [ok("every workspace and staff source is covered")]


async def clocks(patient: Patient) -> Findings:
    """Examine whether records come from the future: this host's clock, the brokers' or a producer's differs."""
    found = []
    for topic in ("intercom.contacts", "intercom.admins", "access.facts"):
        newest = max([record.timestamp async for record in _latest(patient, topic)], default=0)
        if newest - patient.now > _SKEW_MS:
            text = f"{topic} has a record of {(newest - patient.now) // 1000} s from now: clocks differ"
            found.append(problem(text, "synchronise the clocks of brokers, ingress and this host (NTP)"))
    return found or [ok("clocks agree to a minute")]


async def _coverage_rows(patient: Patient) -> AsyncIterator[dict[str, Any]]:
    avro = await _avro(patient)
    kafka = patient.settings.kafka
    async with open_ranges(kafka, kafka.topic("access.state"), decided=False) as reader:
        async for record in reader.records():
            if record.value is not None and b"|coverage|" in (record.key or b""):
                yield avro.decode(record.value)[1]


async def _latest(patient: Patient, topic: str) -> AsyncIterator[Any]:
    """Yield the last records of each partition."""
    kafka = patient.settings.kafka
    async with open_ranges(kafka, kafka.topic(topic), decided=False) as reader:
        async for record in reader.latest(_SAMPLE):
            yield record


async def _avro(patient: Patient) -> Avro:
    return await configured_codec(patient.settings)
