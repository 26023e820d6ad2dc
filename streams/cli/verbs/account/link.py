"""`account link|unlink`: an account belongs to a member of the staff, whatever its address says."""

from pathlib import Path

import click

from streams.cli.decisions.account import LINKS, Wanted
from streams.cli.decisions.bulk import file_option, read_rows, yes_option
from streams.cli.decisions.for_accounts import AccountDecider
from streams.cli.decisions.options import Deciding, NamedParam, account_argument, deciding, optional_account_argument
from streams.cli.decisions.staff_reference import known_staff, staff_id
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.workspace import tenant_of_workspace, workspace_in, workspace_of

_COLUMNS = ("account", "staff", "workspace")


@click.command()
@optional_account_argument
@click.argument("staff", required=False)
@file_option
@yes_option
@workspace_option
@deciding
@click.pass_context
def link(
    ctx: click.Context, *, account: str | None, staff: str | None, file: Path | None, yes: bool, workspace: str | None,
    how: Deciding,
) -> None:  # fmt: skip
    """Say that ACCOUNT belongs to STAFF: SOURCE/RECORD, or an id that `access queue` shows.

    A CSV for --file has the columns account, staff and, where several workspaces are configured, workspace.
    """
    if (file is None) == (account is None or staff is None):
        raise click.UsageError("Give ACCOUNT and STAFF, or --file CSV.")
    settings = kafka_of(ctx)
    tenant = tenant_of_workspace(settings.tenancy, workspace)
    known = run(known_staff(settings, tenant))

    def wanted(row: dict[str, str]) -> Wanted:
        app_id = workspace_in(settings.tenancy, tenant, row.get("workspace") or workspace)
        return Wanted(app_id, NamedParam().convert(row["account"], None, None), staff_id(known, row["staff"]), LINKS)

    rows = read_rows(file, _COLUMNS, _COLUMNS[:2], wanted) if file else [wanted({"account": account or "", "staff": staff or ""})]
    AccountDecider(settings, tenant, how).decide(ctx, rows, "linked", shown=file is not None and not yes, names=known)


@click.command()
@account_argument
@workspace_option
@deciding
@click.pass_context
def unlink(ctx: click.Context, *, account: str, workspace: str | None, how: Deciding) -> None:
    """Take the link of ACCOUNT back: its address says again whose it is."""
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    wanted = [Wanted(app_id, account, None, LINKS)]
    AccountDecider(settings, tenant, how).decide(ctx, wanted, "no longer linked")
