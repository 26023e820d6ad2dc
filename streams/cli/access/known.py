"""What can be asked of a tenant's answers: no workspace that there is not, and no silence, or old answer, that could be taken for a PASS."""

from collections.abc import Collection
from typing import Final

from schemas.access.findings import CheckState
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy

_LATE: Final = 30 * 60 * 1000  # ms: a worker says up to where it has evaluated every 15 minutes
NOTHING_KNOWN: Final = (
    "nothing is known yet: no check has answered, and that is no PASS. Does a worker run, and has the workspace a list of teammates? "
    "`intercom-streams doctor` says what is missing."
)


def outdated(rows: Collection[CheckState], now: int) -> str | None:
    """Return that nothing was evaluated for a while up to now (ms), as no worker runs or it has come behind; None while something was."""
    through = max((row.evaluated_through for row in rows if row.evaluated_through is not None), default=None)
    if through is None or now - through <= _LATE:
        return None
    return f"these answers are as of {timestamp(through)[:19]}Z: nothing was evaluated since, and what holds now is not known. Does a worker run?"


def check_workspace(tenancy: Tenancy, tenant: str, app_id: str | None, answers: Collection[CheckState]) -> None:
    """Raise BadConfiguration for a workspace that neither the configuration nor any answer of the tenant has."""
    known = {each for each, owner in tenancy.owners.items() if owner == tenant} | {answer.app_id for answer in answers}
    if app_id is not None and app_id not in known:
        raise BadConfiguration(f"{tenant} has no workspace '{app_id}'. Its workspaces: {', '.join(sorted(known)) or 'none'}.")
