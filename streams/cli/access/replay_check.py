"""`access replay-check`: whether the facts alone give what the topics have."""

from pathlib import Path

import click

from schemas.json_lines import json_line
from streams.cli.access.exported import FILES, check_tenant
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.backup import progress_line
from streams.ops.codec import configured_codec
from streams.ops.ledger.export import codec_of
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.kafka_log import OF_REPLAY, kafka_log
from streams.ops.ledger.merge import OnProgress
from streams.ops.ledger.record_difference import ALLOWED
from streams.ops.ledger.replay_check import ReplaySummary
from streams.ops.ledger.replay_check import replay_check as check
from streams.settings import Settings

_DIFFERS = 3  # as for a ledger that is broken
_RULES = (
    "If the entry was written by another release, look at the versions of the checks' rules first: answers made by other rules differ by right, "
    "and the release that wrote them gives them again. With equal rules a record was changed, or the facts were."
)


@click.command("replay-check")
@FILES
@click.option("--tenant", metavar="ID", help="Only of this tenant. Default: of all in the log.")
@click.option("--restored", is_flag=True, help="The installation was restored from a backup: some records may stand twice.")
@json_option
@config_option
@click.pass_context
def replay_check(ctx: click.Context, *, files: Path | None, tenant: str | None, restored: bool, as_json: bool) -> None:
    """Process all facts again, in this process and in memory, and compare findings, answers and ledger with the topics, byte for byte.

    It only reads, belongs to no group, and disturbs nobody. Where something differs it names the first record of each topic, and ends with exit code 3.
    """
    show = progress_line("processed again", as_json=as_json)
    if files is not None:
        found = run(check(FilesLog.open(files), codec_of(files), show, tenant=tenant, restored=restored))
    else:
        found = run(_of_kafka(kafka_of(ctx), show, tenant=tenant, restored=restored))
    check_tenant(tenant, found.tenants)
    if as_json:
        click.echo(json_line(found))
    else:
        for line in lines_of(found):
            click.echo(line)
    if found.differences:
        ctx.exit(_DIFFERS)


async def _of_kafka(settings: Settings, show: OnProgress, *, tenant: str | None, restored: bool) -> ReplaySummary:
    avro = await configured_codec(settings)
    async with kafka_log(settings.kafka, OF_REPLAY, tenant=tenant) as log:
        return await check(log, avro, show, tenant=tenant, restored=restored)


def lines_of(found: ReplaySummary) -> list[str]:
    """Return a result in words."""
    lines = [f"{tenant}: {number:,} entries made again, head {hash_}" for tenant, (number, hash_) in found.tenants.items()]
    compared = ", ".join(f"{topic} {count:,}" for topic, count in sorted(found.compared.items())) or "nothing"
    lines.append(f"{found.facts:,} facts processed again; records compared: {compared}")
    if found.rejected:
        lines.append(f"{found.rejected:,} facts cannot be processed, and have no entry: they are dead letters")
        lines.append(f"  the first is at {found.first_rejected}")
    if found.repeated:
        lines.append(f"{found.repeated:,} records stand twice, as after a restore")
    if found.behind:
        lines.append(f"{found.behind:,} entries are not in the log yet: a worker has still to come to their facts")
    lines += [f"may differ by release: {count:,} times {name}: {ALLOWED[name]}" for name, count in found.allowed.items()]
    if not found.differences:
        return [
            *lines,
            "the topics have what the facts give, byte for byte" + (", but for what may differ" if found.allowed else ""),
        ]
    for each in found.differences:
        lines.append(
            f"{each.topic} (partition {each.partition}) differs from entry {each.entry:,} of {each.tenant} on: event {each.event}, of fact {each.fact}"
        )
        lines += [f"  {text}" for text in each.different]
    return [*lines, _RULES]
