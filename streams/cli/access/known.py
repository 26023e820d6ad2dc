"""What can be asked of a tenant's answers: no workspace that there is not, and no silence that could be taken for a PASS."""

from collections.abc import Collection
from typing import Final

from schemas.access.findings import CheckState
from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy

NOTHING_KNOWN: Final = (
    "nothing is known yet: no check has answered, and that is no PASS. Does a worker run, and has the workspace a list of teammates? "
    "`intercom-streams doctor` says what is missing."
)


def check_workspace(tenancy: Tenancy, tenant: str, app_id: str | None, answers: Collection[CheckState]) -> None:
    """Raise BadConfiguration for a workspace that neither the configuration nor any answer of the tenant has."""
    known = {each for each, owner in tenancy.owners.items() if owner == tenant} | {answer.app_id for answer in answers}
    if app_id is not None and app_id not in known:
        raise BadConfiguration(f"{tenant} has no workspace '{app_id}'. Its workspaces: {', '.join(sorted(known)) or 'none'}.")
