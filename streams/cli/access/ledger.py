"""`access ledger export|head|check|key`: what is kept outside of the installation, and whether the log still agrees with it."""

import os
from pathlib import Path

import click

from connectors.signatures.ed25519 import PublicKey, SigningKey
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from streams.cli.access.keys import PUBLIC_KEY, ledger_settings_of, public_key, signing_key_of
from streams.cli.access.verify import lines_of
from streams.cli.decisions.options import tenant_option
from streams.cli.group import CommandGroup
from streams.cli.options import config_option, json_option
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs.backup import progress_line
from streams.ops.codec import configured_codec
from streams.ops.ledger.compare_head import HeadComparison, compare_head
from streams.ops.ledger.export import HEAD, codec_of, current_head
from streams.ops.ledger.export import export as export_files
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.head import LedgerHead, read_head, verify_signature, write_head
from streams.ops.ledger.kafka_log import kafka_log
from streams.settings import Settings

ledger = CommandGroup("ledger", help="Keep the ledger outside of the installation, and compare it with what was kept.")
_UNSIGNED = click.option("--unsigned", is_flag=True, help="Without a signature, where no key is configured.")


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_UNSIGNED
@tenant_option
@json_option
@config_option
@click.pass_context
def export(ctx: click.Context, *, folder: Path, unsigned: bool, tenant: str | None, as_json: bool) -> None:
    """Write a tenant's facts, findings and ledger into FOLDER, which is new or empty, with the signed head.

    The folder can be verified with `access verify --files FOLDER`, without Kafka. It has personal data; `head.json` in it has none.
    """
    settings = ledger_settings_of(ctx)
    whose, key = tenant_of(settings.tenancy, tenant), _key(settings, unsigned=unsigned)
    head, lines = run(_export(settings, folder, whose, key, as_json=as_json))
    if as_json:
        click.echo(json_line(head))
        return
    for line in lines:
        click.echo(line)
    click.echo(f"written to {folder}, {verify_signature(head, key.public if key else None)}")


@ledger.command("head")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there in place of the terminal.")
@_UNSIGNED
@tenant_option
@config_option
@click.pass_context
def head_(ctx: click.Context, *, out: Path | None, unsigned: bool, tenant: str | None) -> None:
    """Sign the head of a tenant's ledger as it is now. It has nothing personal; keep one a day where nobody here can change it."""
    settings = ledger_settings_of(ctx)
    head = run(_head(settings, tenant_of(settings.tenancy, tenant), _key(settings, unsigned=unsigned)))
    if out is None:
        click.echo(json_line(head))
    else:
        write_head(out, head)
        click.echo(f"entry {head.entries:,} of {head.tenant}, hash {head.hash}, in {out}")


@ledger.command()
@click.argument("kept", metavar="HEAD", type=click.Path(path_type=Path))
@click.option(
    "--files", type=click.Path(path_type=Path), metavar="FOLDER", help="Compare with an export or a backup in place of Kafka."
)
@click.option("--restored", is_flag=True, help="The installation was restored from a backup: a run of entries may stand twice.")
@PUBLIC_KEY
@json_option
@config_option
@click.pass_context
def check(
    ctx: click.Context, *, kept: Path, files: Path | None, restored: bool, public_key_file: Path | None, as_json: bool
) -> None:
    """Compare HEAD, a file that `access ledger head` wrote or a folder that was exported, with the ledger of today.

    The signature is verified with --public-key, else with the configured key, else with the one that the head names.
    """
    head = read_head(kept / HEAD if kept.is_dir() else kept)
    settings = None if files is not None else ledger_settings_of(ctx)
    signature = verify_signature(head, _expected(settings, public_key_file))
    found = run(_compare(head, settings, files, repeats=restored))
    if as_json:
        click.echo(json_line({"tenant": head.tenant, "kept": head.entries, "signature": signature, **found._asdict()}))
    else:
        click.echo(f"head of {head.tenant} taken {timestamp(head.taken)}: {signature}")
        click.echo(
            f"entry {head.entries:,} is as it was, and with it all before; {found.added:,} entries were added, head {found.hash}"
        )


@ledger.command("key")
@click.option("--new", type=click.Path(path_type=Path), metavar="FILE", help="Make a private key in FILE, which must not exist.")
@json_option
@config_option
@click.pass_context
def key_(ctx: click.Context, *, new: Path | None, as_json: bool) -> None:
    """Print the public key with which heads of this installation are verified: publish it where auditors find it."""
    public = _new_key(new) if new is not None else _configured(ctx)
    if as_json:
        click.echo(json_line({"id": public.id, "key": public.text, "pem": public.pem}))
        return
    if new is not None:
        click.echo(f'a private key is in {new}: configure it as [ledger] signing_key = "${{file:{new.name}}}"', err=True)
    click.echo(f"key {public.id}", err=True)
    click.echo(public.pem, nl=False)


def _configured(ctx: click.Context) -> PublicKey:
    key = signing_key_of(ledger_settings_of(ctx))
    if key is None:
        raise BadConfiguration("no ledger.signing_key is configured; `access ledger key --new FILE` makes one")
    return key.public


def _new_key(path: Path) -> PublicKey:
    key = SigningKey.new()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.pem)
    except FileExistsError:
        raise BadConfiguration(
            f"{path} exists already, and a key is never overwritten: what it signed could not be signed again"
        ) from None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be written: {error.strerror}") from None
    return key.public


def _key(settings: Settings, *, unsigned: bool) -> SigningKey | None:
    key = signing_key_of(settings)
    if key is None and not unsigned:
        raise BadConfiguration(
            "no ledger.signing_key is configured, so the head cannot be signed: make a key with `access ledger key --new FILE` and configure "
            "it, or give --unsigned"
        )
    return None if unsigned else key


def _expected(settings: Settings | None, file: Path | None) -> PublicKey | None:
    if file is not None or settings is None:
        return public_key(file)
    key = signing_key_of(settings)
    return key.public if key else None


async def _export(
    settings: Settings, folder: Path, tenant: str, key: SigningKey | None, *, as_json: bool
) -> tuple[LedgerHead, list[str]]:
    avro = await configured_codec(settings)
    show = progress_line("exported", as_json=as_json)
    head, summary = await export_files(settings.kafka, avro, folder, tenant, key=key, on_progress=show)
    return head, lines_of(summary)


async def _head(settings: Settings, tenant: str, key: SigningKey | None) -> LedgerHead:
    avro = await configured_codec(settings)
    return await current_head(settings.kafka, avro, tenant, key=key)


async def _compare(head: LedgerHead, settings: Settings | None, files: Path | None, *, repeats: bool) -> HeadComparison:
    if files is not None or settings is None:
        assert files is not None
        return await compare_head(FilesLog.open(files), codec_of(files), head, repeats=repeats)
    avro = await configured_codec(settings)
    async with kafka_log(settings.kafka, (), tenant=head.tenant) as log:
        return await compare_head(log, avro, head, repeats=repeats)
