"""Webhook endpoints: is one paused, does anybody deliver, and how far behind is it."""

from typing import Final

from connectors.kafka.admin import admin_client
from connectors.kafka.group_lag import group_lag
from schemas.webhooks.posted import SOURCE
from streams.ops.codec import configured_codec
from streams.ops.deliver.endpoint import group_of
from streams.ops.deliver.states import is_paused, states
from streams.ops.doctor.finding import Findings, Patient, ok, problem, warning

_NOTEWORTHY_LAG: Final = 100  # offsets; a marker of a transaction is one too


async def deliveries(patient: Patient) -> Findings:
    """Examine every endpoint of the configuration."""
    settings = patient.settings
    kafka = settings.kafka
    endpoints = [(tenant.id, endpoint.name) for tenant in settings.tenancy.tenants.values() for endpoint in tenant.webhooks]
    if not endpoints:
        return [ok("no webhook endpoint is configured")]
    known = await states(kafka, await configured_codec(settings))
    found = []
    for tenant, name in endpoints:
        group, key = group_of(kafka, tenant, name), f"{tenant}|{name}"
        async with admin_client(kafka) as admin:
            (response,) = await admin.describe_consumer_groups([group])
        has_members = bool(response.groups[0][5])
        async with group_lag(kafka, group, kafka.topic(SOURCE)) as lag:
            behind = sum((await lag()).values())
        if is_paused(known, key):
            why = known[key].reason or "no reason was given"
            found.append(
                warning(f"endpoint {key} is paused ({why}), {behind:,} offsets behind", "intercom-streams webhooks resume")
            )
        elif not has_members:
            found.append(
                problem(
                    f"nobody delivers to endpoint {key}: its events wait in Kafka", "start `intercom-streams deliver` or `run`"
                )
            )
        elif behind > _NOTEWORTHY_LAG:
            found.append(
                warning(f"endpoint {key} is {behind:,} offsets behind", "`intercom-streams webhooks try` says what it answers")
            )
        else:
            found.append(ok(f"endpoint {key} is {behind} offsets behind"))
    return found
