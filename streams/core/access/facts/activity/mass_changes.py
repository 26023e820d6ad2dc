"""Changes of a workspace's teammates, the latest of them: remembered only where the check of mass changes is switched on."""

from typing import Final

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks.further.activities import CHANGES
from streams.core.access.checks.further.mass_change import MASS_CHANGE
from streams.core.access.checks.further.switches import switches_of
from streams.core.access.state.row_kinds.activity_rows import Change, ChangesRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

REMEMBERED: Final = 128  # changes of a workspace
_KINDS: Final = frozenset({"admin.added", "admin.removed"})


def noted(state: TenantState, fact: Fact, source: FactReference) -> bool:
    """Note a change that a fact reports; return whether anything is known that was not."""
    of_log = fact.activity is not None and fact.activity.type in CHANGES
    row = state.settings.get()
    if (fact.kind not in _KINDS and not of_log) or row is None or MASS_CHANGE.id not in switches_of(row.settings):
        return False
    subject = fact.activity.id if fact.activity is not None else fact.account or ""
    change = Change(source.date, subject, fact.id)
    before = state.changes.get(fact.app_id or "") or ChangesRow()
    if change in before.changes:
        return False
    after = msgspec.structs.replace(before, changes=tuple(sorted((*before.changes, change))[-REMEMBERED:]))
    state.changes.put(after, fact.app_id or "")
    return after != before
