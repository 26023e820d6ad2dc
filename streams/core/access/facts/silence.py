"""Facts about whether the webhooks of a workspace come. While they do not, answers about its accounts are UNKNOWN; what is open stays open.

The latest of both kinds by time counts, in whatever order they arrive.
"""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.facts.effect import Effect
from streams.core.access.state.rows import SilenceRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference


def ceased(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `workspace.silent`."""
    row = state.silences.get(fact.app_id or "") or SilenceRow()
    return _put(state, fact, msgspec.structs.replace(row, ceased=max(row.ceased or 0, source.date)))


def resumed(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `workspace.resumed`."""
    row = state.silences.get(fact.app_id or "") or SilenceRow()
    return _put(state, fact, msgspec.structs.replace(row, resumed=max(row.resumed or 0, source.date)))


def _put(state: TenantState, fact: Fact, row: SilenceRow) -> Effect:
    """Put the row. A workspace that nobody knows has no answers."""
    app_id = fact.app_id or ""
    before = state.silences.get(app_id) or SilenceRow()
    if state.workspaces.get(app_id) is None:
        return Effect("void")
    if row == before:
        return Effect("superseded")
    state.silences.put(row, app_id)
    return Effect("applied", workspaces={app_id}, all_accounts=row.since != before.since)
