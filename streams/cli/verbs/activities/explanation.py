"""`activities explain`: what shows an activity, what makes its id, whose it is and why, how long its details are kept, and where it lies."""

import click

from schemas.activities.retention import COUNT, DROP
from schemas.json_lines import json_line
from streams.cli.options import config_option, json_option, tenancy_of
from streams.cli.run_async import run
from streams.cli.verbs.activities.adoption import activities
from streams.ops.activities.explain import ActivityExplanation, ActivityHorizon, ActivitySource, explain_activity
from streams.ops.codec import configured_codec
from streams.settings import Settings


@activities.command("explain")
@click.argument("activity", metavar="ID")
@json_option
@config_option
@click.pass_context
def explain(ctx: click.Context, /, *, activity: str, as_json: bool) -> None:
    """Show why an activity is whose it is. ID is its `id` on activities.

    It reads activities and activity.records whole, and inbound topics by the keys of the activity.
    """
    found = run(_explained(tenancy_of(ctx), activity))
    if found is None:
        raise click.ClickException(
            f"no topic has an activity {activity}. Take the id from activities; of one whose details have expired a mark is left where somebody has it still."
        )
    click.echo(json_line(found) if as_json else "\n".join(_lines(found)))


async def _explained(settings: Settings, activity: str) -> ActivityExplanation | None:
    avro = await configured_codec(settings)
    return await explain_activity(settings.kafka, avro, settings.tenancy, activity)


def _lines(found: ActivityExplanation) -> list[str]:
    types = sorted({value["type"] for value in found.values.values()}) or _no_longer_published(found)
    lines = [f"activity {found.id}: {', '.join(types)}", "", "What shows it"]
    lines += [_source(each) for each in found.sources] or ["  nothing that inbound topics still have"]
    lines += ["", "Whose it is"]
    for holder in found.holders:
        profile = holder.profile or "nobody yet"
        lines += [f"  {profile} by {holder.subject}", f"    {holder.because}", f"    {holder.assigned}"]
        lines += ["    its details have expired: a mark counts it"] if holder.expired else []
    lines += ["", "How long its details are kept", *(horizon_line(each) for each in found.horizons)]
    lines += ["", "Where it lies"]
    for place in found.lies_on:
        kind = "tombstone" if place.tombstone else "value"
        lines.append(
            f"  {place.topic} {place.partition}:{place.offset}  {place.key}  {kind}{'' if place.latest else ', replaced since'}"
        )
    return [*lines, "", f"read: {', '.join(f'{topic} {count}' for topic, count in found.read.items())}"]


def _no_longer_published(found: ActivityExplanation) -> list[str]:
    return [*sorted({each.type for each in found.horizons}), "no longer published"]


def _source(each: ActivitySource) -> str:
    return f"  {each.topic} {each.partition}:{each.offset}  {each.event_topic}, event {each.event}\n    identified by {' '.join(each.identified_by)}"


def horizon_line(each: ActivityHorizon) -> str:
    """Return what the policy in force says of a type, as a sentence."""
    policy = (
        f"version {each.policy} of the policy of {each.tenant}" if each.policy else f"no policy of {each.tenant} says otherwise"
    )
    kept = "without limit" if each.days is None else f"for {each.days} days"
    if each.rate == COUNT:
        return f"  {each.type} not at all: it is counted only ({policy})"
    if each.rate == DROP:
        kept = f"{kept}; new ones are neither kept nor counted"
    before = "" if each.before is None else f"; what is older than {each.before} is gone"
    return f"  {each.type} {kept} ({policy}){before}"
