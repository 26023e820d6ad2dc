"""Exemptions: a check that fails is accepted for an account, or for a workspace, for a time.

Two people answer for each: the one who asks and an approver. Every exemption has a reason and an id; a later decision about
the id names the one that stands. A grant that cannot hold is void: it is in the ledger, and has no effect.
"""

from typing import Final

import msgspec

from schemas.access.facts import Fact, Grant
from streams.core.access.checks import exemptions
from streams.core.access.checks.check import AccountCheck
from streams.core.access.checks.table import CHECKS
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.staleness import takes_effect
from streams.core.access.state.references import put_exemption
from streams.core.access.state.row_kinds.grant_rows import ExemptionRow, GrantId
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, DatedName, Exemption, FactReference
from streams.core.normal_forms.names import read_alike

REMEMBERED: Final = 8  # links behind a grant: one to another person is enough to void it


def granted(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `exemption.granted`."""
    assert fact.grant is not None
    known = state.exemption_ids.get(fact.grant.id)
    if not takes_effect(fact, known.decision if known else None):
        return Effect("stale")
    if (known is not None and _row(state, known).revoked is None) or not _may_hold(state.rules_version, fact, fact.grant, now):
        return Effect("void")
    return _put(state, fact.grant, _row_of(fact, fact.grant, source, now), source, now)


def revoked(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `exemption.revoked`."""
    assert fact.grant is not None
    known = state.exemption_ids.get(fact.grant.id)
    if not takes_effect(fact, known.decision if known else None):
        return Effect("stale")
    if known is None or _row(state, known).revoked is not None:
        return Effect("void")
    row = msgspec.structs.replace(_row(state, known), revoked=source.date)
    return _put(state, fact.grant, row, source, now)


def note_classification(state: TenantState, key: AccountKey, source: FactReference) -> None:
    """Note in the account's exemptions that it was classified otherwise behind them."""
    for granting, row in list(state.exemptions.walk(*key)):
        if row.reclassified is None:
            state.exemptions.put(msgspec.structs.replace(row, reclassified=source.date), *key, granting)


def note_link(state: TenantState, key: AccountKey, staff: str, source: FactReference) -> None:
    """Note in those of the account's exemptions that were given for an owner whom it was linked to behind them."""
    for granting, row in list(state.exemptions.walk(*key)):
        if row.staff is not None and staff not in {row.staff, *(link.name for link in row.links)}:
            links = (*row.links, DatedName(staff, source.date, source.offset))[:REMEMBERED]
            put_exemption(state, (*key, granting), msgspec.structs.replace(row, links=links))


def _may_hold(rules: str, fact: Fact, grant: Grant, now: int) -> bool:
    reason = fact.person.text if fact.person else None
    begins = now if grant.starts is None else grant.starts
    read = read_alike if follows(rules, WITH_DOUBT) else _without_case
    approver = read(grant.approver or "")
    return bool(
        grant.id
        and read(reason or "")
        and approver
        and approver not in {read(name) for name in _requesters(fact)}
        and (grant.expires is None or grant.expires > max(now, begins))
        and fact.app_id
        and _is_about(grant.check or "", fact)
        and (CHECKS[grant.check or ""].may_be_exempt or not follows(rules, WITH_DOUBT))
    )


def _is_about(check: str, fact: Fact) -> bool:
    """Say whether a check exists and is about what the fact names: an account, or a workspace."""
    return check in CHECKS and isinstance(CHECKS[check], AccountCheck) == (fact.account is not None)


def _requesters(fact: Fact) -> list[str]:
    """Return the names of who asks, as far as the fact has any."""
    names = [fact.actor.id if fact.actor else None, fact.person.actor if fact.person else None]
    return [name for name in names if name]


def _without_case(name: str) -> str:
    return name.strip().casefold()


def _row_of(fact: Fact, grant: Grant, source: FactReference, now: int) -> ExemptionRow:
    return ExemptionRow(
        app_id=fact.app_id or "",
        account=fact.account or "",
        check=grant.check or "",
        grant=Exemption(
            id=grant.id,
            starts=max(now if grant.starts is None else grant.starts, source.date),
            expires=grant.expires,
            approver=grant.approver,
            evidence_sha256=grant.evidence_sha256,
            reason=fact.person.text if fact.person else None,
        ),
        staff=fact.staff,
        source=source,
    )


def _row(state: TenantState, known: GrantId) -> ExemptionRow:
    row = state.exemptions.get(known.app_id, known.account, known.fact)
    assert row is not None
    return row


def _put(state: TenantState, grant: Grant, row: ExemptionRow, source: FactReference, now: int) -> Effect:
    put_exemption(state, (row.app_id, row.account, row.source.fact), row)
    state.exemption_ids.put(GrantId(row.app_id, row.account, row.source.fact, source.fact), grant.id)
    exemptions.arm(state, row.app_id, row.account, now)
    if row.account:
        return Effect("applied", accounts={(row.app_id, row.account)})
    return Effect("applied", workspaces={row.app_id})
