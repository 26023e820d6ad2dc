"""What each kind of fact does to a tenant's rows, and which answers have to be looked at again because of it: a table by kind."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.access.fact_kinds import KINDS, Support
from schemas.access.facts import Fact
from schemas.errors import InvalidRecord
from streams.core.access.facts import staff as members
from streams.core.access.facts import staff_snapshots as listings
from streams.core.access.facts import teammates as sightings
from streams.core.access.facts.precedence import takes_effect
from streams.core.access.facts.teammates import Effect
from streams.core.access.state.references import index_account
from streams.core.access.state.rows import AccountRow, Decision, FactReference, PolicyRow, SettingsRow, WorkspaceRow
from streams.core.access.state.tenant import State

Apply = Callable[[State, Fact, FactReference, int], Effect]


def apply(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a checked fact at log time `now`."""
    kind = KINDS.get(fact.kind)
    if kind is None or kind.support is Support.LATER:
        return Effect("recorded")
    return _APPLY[fact.kind](state, fact, source, now)


def check(fact: Fact) -> None:
    """Raise InvalidRecord where a part is missing that the fact's kind has to carry."""
    kind = KINDS.get(fact.kind)
    if kind is None or kind.support is Support.LATER:
        return
    missing = [part for part in kind.parts if getattr(fact, part) is None]
    if missing:
        raise InvalidRecord(f"a fact of kind {fact.kind} must carry {', '.join(missing)}; look at who writes it")


def _decided(state: State, fact: Fact, source: FactReference, field: str, value: str | None) -> Effect:
    """Set a decision about an account, unless it replaces another than the one in force."""
    key = (fact.app_id or "", fact.account or "")
    before = state.account(key)
    row = before or AccountRow(*key)
    current: Decision | None = getattr(row, field)
    if not takes_effect(fact, current.source.fact if current else None):
        return Effect("stale")
    after = msgspec.structs.replace(row, **{field: Decision(value, source)})
    index_account(state, before, after, aliases=sightings.aliases(state))
    return Effect("applied", accounts={key})


def _linked(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    return _decided(state, fact, source, "link", fact.staff)


def _unlinked(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    return _decided(state, fact, source, "link", None)


def _classified(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    return _decided(state, fact, source, "classification", fact.classification.kind if fact.classification else None)


def _unclassified(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    return _decided(state, fact, source, "classification", None)


def _policy(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    before = state.policy()
    if not takes_effect(fact, before.source.fact if before else None) or fact.policy is None:
        return Effect("stale")
    state.put_policy(PolicyRow(fact.policy, source))
    return Effect("applied", follow_up="workspaces")


def _settings(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    before = state.settings()
    if not takes_effect(fact, before.source.fact if before else None) or fact.settings is None:
        return Effect("stale")
    old, new = (before.settings.alias_domains if before else {}), fact.settings.alias_domains
    state.put_settings(SettingsRow(fact.settings, source))
    known = {row.app_id for row in state.workspaces()}
    for app_id in fact.settings.workspaces:
        if app_id not in known:
            state.put_workspace(WorkspaceRow(app_id, source))
    return Effect("applied", follow_up="workspaces" if old == new else "aliases")


def _monitored(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    app_id = fact.app_id or ""
    if state.workspace(app_id) is not None:
        return Effect("superseded")
    state.put_workspace(WorkspaceRow(app_id, source))
    return Effect("applied", workspaces={app_id})


def _nothing(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    return Effect("applied")


_APPLY: Final = MappingProxyType[str, Apply]({
    "admin.added": sightings.added,
    "admin.removed": sightings.removed,
    "admin.seen": sightings.seen,
    "admin.logged_in": sightings.seen,
    "admin.logged_out": sightings.seen,
    "admin.activity": sightings.acted,
    "staff.record": members.record,
    "staff.snapshot.started": listings.started,
    "staff.snapshot.row": listings.row,
    "staff.snapshot.ended": listings.ended,
    "account.linked": _linked,
    "account.unlinked": _unlinked,
    "account.classified": _classified,
    "account.unclassified": _unclassified,
    "policy.applied": _policy,
    "workspace.monitored": _monitored,
    "settings.applied": _settings,
    "clock.ticked": _nothing,
})  # fmt: skip
