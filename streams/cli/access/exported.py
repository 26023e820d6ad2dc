"""Files in place of Kafka: an export of the ledger has one tenant and says which, a backup may have several."""

from collections.abc import Collection
from pathlib import Path

import click

from schemas.errors import BadConfiguration
from streams.ops.ledger.export import HEAD
from streams.ops.ledger.head import read_head

FILES = click.option(
    "--files", type=click.Path(path_type=Path), metavar="FOLDER", help="An export of the ledger, or a backup, in place of Kafka."
)


def check_tenant(tenant: str | None, found: Collection[str]) -> None:
    """Raise BadConfiguration for a tenant of whom nothing was found: that nothing differs would be no answer about them."""
    if tenant is not None and tenant not in found:
        raise BadConfiguration(
            f"There is nothing of a tenant '{tenant}' to verify. Without --tenant those that there are are named."
        )


def tenant_of_files(folder: Path, tenant: str | None) -> str:
    """Return the tenant that was named, else the one whose ledger was exported into a folder."""
    if tenant is not None:
        return tenant
    if not (folder / HEAD).exists():
        raise click.UsageError(
            f"{folder} has no {HEAD}, so it may be a backup with several tenants: say with --tenant whose facts count"
        )
    return read_head(folder / HEAD).tenant
