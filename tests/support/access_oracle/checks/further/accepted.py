"""What of the further checks exemptions accept, as of the checks before them: docs/access.md, Exemptions."""

from tests.support.access_oracle.checks.identified import identified
from tests.support.access_oracle.decided.exemptions import cover_of
from tests.support.access_oracle.decided.grants import Cover
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.rows import check_input
from tests.support.access_oracle.state import State


def accepted(state: State, check: str, app_id: str, account: str) -> Cover:
    """Return since when exemptions cover what fails, or when the last of them ended; `account` is empty for the workspace."""
    return cover_of(state, (check, app_id, account or None), _owner(state, app_id, account) if account else None)


def _owner(state: State, app_id: str, account: str) -> Row:
    """Return the row of C1, which knows whose the account is; a contradiction makes nobody else the owner, and neither does a removal."""
    known = state.accounts[app_id, account]
    doubted = known.presence.status == "contradiction"
    before = known.presence.before if doubted and known.presence.before and known.presence.before.status == "active" else None
    return identified(check_input(state, known, before or known.presence))
