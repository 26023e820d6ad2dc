"""`access verify`: whether the ledger, and all that it names, is as it was written."""

from pathlib import Path
from typing import Any

import click
import msgspec

from schemas.canonical import digest
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from streams.cli.access.exported import FILES, check_tenant
from streams.cli.access.keys import PUBLIC_KEY, public_key
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.cli.verbs.backup import progress_line
from streams.ops.codec import configured_codec
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.export import HEAD, SCHEMAS, codec_of
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.head import LedgerHead, read_head, verify_signature
from streams.ops.ledger.kafka_log import OF_VERIFY, kafka_log
from streams.ops.ledger.merge import OnProgress, verify_log
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier
from streams.settings import Settings


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be verified."""

    since: int | None
    until: int | None
    tenant: str | None
    restored: bool

    def verifier(self, avro: Any) -> LedgerVerifier:
        return LedgerVerifier(avro, since=self.since, until=self.until, tenant=self.tenant, repeats=self.restored)


@click.command()
@click.option("--from", "since", type=TimeParam(), help="Only entries from that log time on.")
@click.option("--to", "until", type=TimeParam(), help="Only entries before that log time.")
@FILES
@click.option("--tenant", metavar="ID", help="Only of this tenant. Default: of all in the log.")
@click.option("--restored", is_flag=True, help="The installation was restored from a backup: a run of entries may stand twice.")
@PUBLIC_KEY
@json_option
@config_option
@click.pass_context
def verify(
    ctx: click.Context, *, since: int | None, until: int | None, files: Path | None, tenant: str | None, restored: bool,
    public_key_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Verify that the ledger is whole, and that each fact, finding and present answer that it names is as it was.

    It names the first place that differs, and ends with exit code 3. With --files it needs nothing but these files: no Kafka and no configuration.
    """
    if since is not None and until is not None and since >= until:
        raise click.BadParameter("is not after --from", param_hint="--to")
    question = _Question(since=since, until=until, tenant=tenant, restored=restored)
    show = progress_line("verified", as_json=as_json)
    if files is not None:
        summary, signature = run(_of_files(files, question, public_key_file, show))
    elif public_key_file is not None:
        raise click.UsageError("--public-key is about the head in exported files: name them with --files.")
    else:
        summary, signature = run(_of_kafka(kafka_of(ctx), question, show)), None
    if since is None and until is None and not summary.behind:
        check_tenant(tenant, summary.tenants)
    if as_json:
        click.echo(
            json_line(
                {
                    **summary._asdict(),
                    "last": {name: each._asdict() for name, each in summary.last.items()},
                    "signature": signature,
                }
            )
        )
        return
    for line in lines_of(summary):
        click.echo(line)
    if signature:
        click.echo(f"head: {signature}")


def lines_of(summary: LedgerSummary) -> list[str]:
    """Return a summary in words."""
    lines = []
    for tenant, (number, hash_) in summary.tenants.items():
        first, last = summary.first[tenant], summary.last[tenant]
        lines.append(f"{tenant}: entries {first:,} to {number:,} hold; log time {timestamp(last.log_time)}, head {hash_}")
    lines.append(
        f"{summary.entries:,} entries, with {summary.facts:,} facts, {summary.findings:,} findings and {summary.answers:,} present answers"
    )
    if summary.rejected:
        lines.append(
            f"{summary.rejected:,} records of access.facts are no facts that can be understood; they are dead letters, without an entry"
        )
    if summary.repeated:
        lines.append(f"{summary.repeated:,} entries stand twice, as after a restore")
    if summary.behind:
        lines.append(
            f"{summary.behind:,} facts or findings behind the last entry have none yet: the worker has not come to them, or none wrote them"
        )
    return lines


async def _of_kafka(settings: Settings, question: _Question, show: OnProgress) -> LedgerSummary:
    avro = await configured_codec(settings)
    async with kafka_log(settings.kafka, OF_VERIFY, since=question.since, tenant=question.tenant) as log:
        return await verify_log(log, question.verifier(avro), show, until=question.until)


async def _of_files(folder: Path, question: _Question, key: Path | None, show: OnProgress) -> tuple[LedgerSummary, str | None]:
    log, avro = FilesLog.open(folder), codec_of(folder)
    head = read_head(folder / HEAD) if (folder / HEAD).exists() else None
    if head is None and key is not None:
        raise BadConfiguration(f"{folder} has no {HEAD}, so there is no signature to verify with --public-key")
    signature = verify_signature(head, public_key(key)) if head else None
    summary = await verify_log(log, question.verifier(avro), show, until=question.until)
    if head is not None and question.since is None and question.until is None:
        _compare(head, summary, log)
    return summary, signature


def _compare(head: LedgerHead, summary: LedgerSummary, log: FilesLog) -> None:
    """Raise LedgerBroken where files are not those that a head is of."""
    if head.files and head.files != log.manifest.hash:
        raise LedgerBroken(
            f"the head is of files with the manifest hash {head.files}, and these have {log.manifest.hash}: they were replaced"
        )
    if head.schemas and digest((log.folder / SCHEMAS).read_bytes()) != head.schemas:
        raise LedgerBroken(f"{log.folder / SCHEMAS} is not the file that the head is of: it was altered")
    if summary.tenants.get(head.tenant) != (head.entries, head.hash):
        raise LedgerBroken(
            f"the files do not end with entry {head.entries} of tenant {head.tenant}, hash {head.hash}, of which the head is"
        )
