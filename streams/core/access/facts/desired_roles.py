"""Facts that say which role a teammate is to have in Intercom. The first of them puts the rules in force that read them."""

from typing import Final

import msgspec

from schemas.access.facts import Fact
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.staleness import decided
from streams.core.access.state.references import put_account
from streams.core.access.state.row_kinds.rules_rows import WITH_ROLES
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

_LONGEST: Final = 200  # characters of a role, as in a decision of the directory


def desired(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `role.desired`. It holds from its place in the log; the account it names may come later."""
    key = (fact.app_id or "", fact.account or "")
    name = fact.role.name if fact.role else None
    if name is not None and not 0 < len(name.strip()) <= len(name) <= _LONGEST:
        return Effect("void")
    before = state.accounts.get(*key)
    row = before or AccountRow(*key)
    role = decided(fact, row.desired, name, source)
    if role is None:
        return Effect("stale")
    put_account(state, before, msgspec.structs.replace(row, desired=role))
    state.follow_rules(WITH_ROLES, source)
    return Effect("applied", accounts={key})
