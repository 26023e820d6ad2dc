"""Approvals: a request for access was granted, for a time. What a policy by tickets makes of it is in `checks/policy`."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks.policy import approvals
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.staleness import takes_effect
from streams.core.access.state.directory import Directory
from streams.core.access.state.row_kinds.grant_rows import ApprovalId, ApprovalRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, FactReference, Key


def granted(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `approval.granted`. An id is taken until it is revoked: another approval under it is void."""
    grant, subject = fact.grant, approvals.subject_of(fact.app_id, fact.account, fact.staff)
    assert grant is not None
    known = state.approval_ids.get(grant.id)
    if not takes_effect(fact, known.decision if known else None):
        return Effect("stale")
    if subject is None or not grant.id or (known is not None and not known.revoked):
        return Effect("void")
    starts = max(now if grant.starts is None else grant.starts, source.date)
    row = ApprovalRow(id=grant.id, ticket=grant.ticket, starts=starts, expires=grant.expires, source=source)
    state.approvals.put(row, *subject, fact.id)
    state.approval_ids.put(ApprovalId((*subject, fact.id), fact.id), grant.id)
    return _affecting(state, subject, now)


def revoked(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `approval.revoked`: it ends at the date of this fact."""
    assert fact.grant is not None
    known = state.approval_ids.get(fact.grant.id)
    if not takes_effect(fact, known.decision if known else None):
        return Effect("stale")
    row = state.approvals.get(*known.key) if known else None
    if known is None or row is None or known.revoked:
        return Effect("void")
    state.approvals.put(msgspec.structs.replace(row, revoked=source.date), *known.key)
    state.approval_ids.put(ApprovalId(known.key, fact.id, revoked=True), fact.grant.id)
    return _affecting(state, known.key[:3], now)


def accounts_of(state: TenantState, subject: Key, directory: Directory) -> set[AccountKey]:
    """Return the accounts whose answers an approval for a subject can change."""
    kind, first, second = subject
    if kind == approvals.ACCOUNT:
        return {(first, second)}
    record = state.record_ids.get(first)
    return directory.accounts_of((record.source, record.id)) if record else set()


def _affecting(state: TenantState, subject: Key, now: int) -> Effect:
    approvals.arm(state, subject, now)
    return Effect("applied", accounts=accounts_of(state, subject, Directory(state)))
