"""Facts that people decided: links, classifications, policies, settings. A decision that replaces another than the one in force is stale."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.precedence import takes_effect
from streams.core.access.state.references import put_account
from streams.core.access.state.rows import AccountRow, Decision, FactReference, PolicyRow, SettingsRow, WorkspaceRow
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState


def linked(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.linked`."""
    return _decide(state, fact, source, "link", fact.staff)


def unlinked(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.unlinked`."""
    return _decide(state, fact, source, "link", None)


def classified(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.classified`."""
    return _decide(state, fact, source, "classification", fact.classification.kind if fact.classification else None)


def unclassified(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.unclassified`."""
    return _decide(state, fact, source, "classification", None)


def policy(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `policy.applied`: every workspace and account is evaluated again."""
    before = state.policy.get()
    if not takes_effect(fact, before.source.fact if before else None) or fact.policy is None:
        return Effect("stale")
    state.policy.put(PolicyRow(fact.policy, source))
    return Effect("applied", follow_up=Stage.WORKSPACES)


def settings(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `settings.applied`; other alias domains move the accounts to other lookup addresses first."""
    before = state.settings.get()
    if not takes_effect(fact, before.source.fact if before else None) or fact.settings is None:
        return Effect("stale")
    old, new = state.alias_domains, fact.settings.alias_domains
    state.settings.put(SettingsRow(fact.settings, source))
    for app_id in fact.settings.workspaces:
        if state.workspaces.get(app_id) is None:
            state.workspaces.put(WorkspaceRow(app_id, source), app_id)
    return Effect("applied", follow_up=Stage.WORKSPACES if old == new else Stage.MOVE_ALIASES)


def monitored(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `workspace.monitored`."""
    app_id = fact.app_id or ""
    if state.workspaces.get(app_id) is not None:
        return Effect("superseded")
    state.workspaces.put(WorkspaceRow(app_id, source), app_id)
    return Effect("applied", workspaces={app_id})


def _decide(state: TenantState, fact: Fact, source: FactReference, field: str, value: str | None) -> Effect:
    key = (fact.app_id or "", fact.account or "")
    before = state.accounts.get(*key)
    row = before or AccountRow(*key)
    current: Decision | None = getattr(row, field)
    if not takes_effect(fact, current.source.fact if current else None):
        return Effect("stale")
    after = msgspec.structs.replace(row, **{field: Decision(value, source)})
    put_account(state, before, after, aliases=state.alias_domains)
    return Effect("applied", accounts={key})
