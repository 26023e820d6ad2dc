"""`account classify`: what an account is, who answers for it, and until when it may be there."""

import time
from pathlib import Path

import click

from schemas.access.facts import Classification
from schemas.cloudevents import timestamp
from schemas.errors import InvalidRecord
from streams.cli.decisions.account import CLASSES, Wanted
from streams.cli.decisions.bulk import file_option, read_rows, yes_option
from streams.cli.decisions.for_accounts import AccountDecider
from streams.cli.decisions.options import Deciding, NamedParam, deciding, optional_account_argument, until_option
from streams.cli.decisions.staff_reference import known_staff, staff_id
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.cli.workspace import tenant_of_workspace, workspace_in
from streams.core.access.checks.governed import EXTERNAL
from streams.core.access.facts.classification import KINDS

_COLUMNS = ("account", "kind", "owner", "until", "workspace")
_NONE = "none"


@click.command()
@optional_account_argument
@click.argument("kind", required=False, type=click.Choice([*KINDS, _NONE]))
@click.option("--owner", metavar="STAFF", help="Who answers for it: SOURCE/RECORD, or an id that findings show.")
@until_option
@file_option
@yes_option
@workspace_option
@deciding
@click.pass_context
def classify(
    ctx: click.Context, *, account: str | None, kind: str | None, owner: str | None, until: int | None, file: Path | None,
    yes: bool, workspace: str | None, how: Deciding,
) -> None:  # fmt: skip
    """Say what ACCOUNT is: person, service, shared, system or external; none takes it back.

    Check C5 wants an owner of a shared account, an end of an external one, and owners who are employed. A CSV for --file has the columns
    account, kind and, where needed, owner, until and workspace.
    """
    if (file is None) == (account is None or kind is None):
        raise click.UsageError("Give ACCOUNT and KIND, or --file CSV.")
    settings = kafka_of(ctx)
    tenant = tenant_of_workspace(settings.tenancy, workspace)
    known = run(known_staff(settings, tenant)) if owner or file else {}

    def wanted(row: dict[str, str]) -> Wanted:
        app_id = workspace_in(settings.tenancy, tenant, row.get("workspace") or workspace)
        return Wanted(app_id, NamedParam().convert(row["account"], None, None), _content(row, known), CLASSES)

    given = {
        "account": account or "",
        "kind": kind or "",
        "owner": owner or "",
        "until": timestamp(until) if until is not None else "",
    }
    rows = read_rows(file, _COLUMNS, _COLUMNS[:2], wanted) if file else [wanted(given)]
    AccountDecider(settings, tenant, how).decide(ctx, rows, "classified", shown=file is not None and not yes, names=known)


def _content(row: dict[str, str], known: dict[str, str]) -> Classification | None:
    kind, owner, until = row["kind"].casefold(), row.get("owner"), row.get("until")
    if kind == _NONE:
        if owner or until:
            raise InvalidRecord("what is not classified any more has no owner and no end: leave them out")
        return None
    if kind not in KINDS:
        raise InvalidRecord(f"the kind '{row['kind']}' is none of {', '.join(KINDS)}")
    ends = None if not until else TimeParam().convert(until, None, None)
    if ends is not None and kind != EXTERNAL:
        raise InvalidRecord(f"only an external account has an end, and it is to be {kind}: nothing would end then")
    if ends is not None and ends <= time.time_ns() // 1_000_000:
        raise InvalidRecord("the end of the access is in the past. Remove the teammate in Intercom, or give a later one")
    return Classification(kind=kind, owner=staff_id(known, owner) if owner else None, expires=ends)
