"""`profiles erase` and `profiles erasures`: erase a person for good, and show what was erased and by when it is gone."""

import time

import click

from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.profiles.located import REFERENCE
from streams.ops.codec import configured_codec
from streams.ops.profiles import erase as erasures_of
from streams.ops.profiles.erase import Erasable, erasable, erasure_key, is_done
from streams.ops.profiles.receipt import ClearedStore, Receipt
from streams.ops.profiles.reference import profile_reference
from streams.settings import Settings


@click.command("erase")
@click.argument("profile", metavar=REFERENCE)
@click.option("--alone", is_flag=True, help="Only this record, and not the other records of its person.")
@click.option("--reason", metavar="TEXT", help="Why, for the journal, which is kept for good: nothing that names the person.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", type=click.FloatRange(0), default=30.0, show_default=True, metavar="SECONDS",
              help="How long to wait until the agents have done it.")  # fmt: skip
@tenant_option
@json_option
@config_option
@click.pass_context
def erase(
    ctx: click.Context,
    /,
    *,
    profile: str,
    alone: bool,
    reason: str | None,
    yes: bool,
    wait: float,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Erase a person for good: all records of theirs, wherever anything is held of them. It cannot be taken back.

    Their content leaves tables and compacted topics at once. What comes of their contacts later is dropped: late posts, replays and
    backfills. The receipt names every store and by when it is clear. It needs the secret of [tenants.erasure].
    """
    settings = kafka_of(ctx)
    what = run(_what(settings, profile, tenant, alone=alone))
    erasure_key(settings.tenancy, what.tenant)
    if not yes:
        known = "which nobody knows yet" if what.unknown else "for good"
        click.confirm(f"Erase {', '.join(what.records)} of {what.tenant}, {known}?", abort=True, err=True)
    receipt, done = run(_erase(settings, what, reason, wait))
    if as_json:
        click.echo(json_line(receipt))
    else:
        _print(receipt)
    if not done:
        raise click.ClickException(
            f"the erasure {receipt.id} is recorded, and no worker has come to it in {wait:g} s. It is done once one runs: "
            "`intercom-streams status` shows how far the agents are."
        )


@click.command("erasures")
@json_option
@config_option
@click.pass_context
def erasures(ctx: click.Context, *, as_json: bool) -> None:
    """Show the receipts of all erasures: when, by whom, and by when each store is clear."""
    settings = kafka_of(ctx)
    now = time.time_ns() // 1_000_000
    receipts = run(_receipts(settings))
    if not receipts and not as_json:
        click.echo("nobody has been erased")
    for receipt in receipts:
        if as_json:
            click.echo(json_line(receipt))
            continue
        dates = [store.clear_by for store in receipt.stores if store.clear_by is not None]
        left = sum(date > now for date in dates)
        state = f"{left} of {len(dates)} stores not clear before {timestamp(max(dates))}" if left else "clear everywhere"
        by = f" by {receipt.actor}" if receipt.actor else ""
        click.echo(f"{receipt.id}  {timestamp(receipt.time)}  {receipt.tenant}: {_records(receipt)}{by}; {state}")


async def _avro(settings: Settings) -> Avro:
    return await configured_codec(settings)


async def _what(settings: Settings, text: str, tenant: str | None, *, alone: bool) -> Erasable:
    reference = profile_reference(text, settings.tenancy, tenant)
    return await erasable(settings.kafka, await _avro(settings), settings.tenancy, reference, alone=alone)


async def _erase(settings: Settings, what: Erasable, reason: str | None, wait: float) -> tuple[Receipt, bool]:
    avro = await _avro(settings)
    receipt = await erasures_of.erase(settings.kafka, avro, settings.tenancy, what, actor=user_name(), reason=reason)
    return receipt, await is_done(settings.kafka, avro, what, wait)


async def _receipts(settings: Settings) -> list[Receipt]:
    return await erasures_of.receipts(settings.kafka, await _avro(settings))


def _records(receipt: Receipt) -> str:
    return f"{len(receipt.marks)} record{'s' if len(receipt.marks) != 1 else ''}"


def _print(receipt: Receipt) -> None:
    click.echo(f"{receipt.id}: {_records(receipt)} of {receipt.tenant} erased, {timestamp(receipt.time)}")
    for mark in receipt.marks:
        click.echo(f"  mark {mark}")
    for store in receipt.stores:
        click.echo(_line(store))


def _line(store: ClearedStore) -> str:
    date = f"clear by {timestamp(store.clear_by)}" if store.clear_by is not None else "no date"
    return f"  {store.store}: {date}\n    {store.what}; {store.how}"
