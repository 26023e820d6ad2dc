"""Facts that say what an account is: a person's, or of no single person, and then who answers for it and until when it may be there."""

from typing import Final

import msgspec

from schemas.access.facts import Classification, Fact
from streams.core.access.checks.governed import arm
from streams.core.access.facts import exemptions
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.staleness import takes_effect
from streams.core.access.state.references import put_account
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import PERSON, ClassificationDecision, FactReference

KINDS: Final = (PERSON, "service", "shared", "system", "external")


def classified(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.classified`. A kind that does not exist is void."""
    assert fact.classification is not None
    if fact.classification.kind not in KINDS:
        return Effect("void")
    return _decide(state, fact, source, now, fact.classification)


def unclassified(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.unclassified`."""
    return _decide(state, fact, source, now, None)


def _decide(state: TenantState, fact: Fact, source: FactReference, now: int, content: Classification | None) -> Effect:
    key = (fact.app_id or "", fact.account or "")
    before = state.accounts.get(*key)
    row = before or AccountRow(*key)
    current = row.classification
    if not takes_effect(fact, current.source.fact if current else None):
        return Effect("stale")
    after = msgspec.structs.replace(row, classification=_after(current, content, source))
    put_account(state, before, after)
    if (current.content if current else (None, None, None)) != (after.classification.content if after.classification else None):
        exemptions.note_classification(state, key, source)
    arm(state, after, now)
    return Effect("applied", accounts={key})


def _after(
    before: ClassificationDecision | None, content: Classification | None, source: FactReference
) -> ClassificationDecision:
    """Return the decision with the dates of what it changes; what is as before keeps its date."""
    was = before or ClassificationDecision(None, None, None, source, None, None)
    kind, owner, expires = (content.kind, content.owner, content.expires) if content else (None, None, None)
    now = ClassificationDecision(kind, owner, expires, source, was.since, was.settled)
    if now.value != was.value:
        now = msgspec.structs.replace(now, since=source.date)
    return now if now.content == was.content else msgspec.structs.replace(now, settled=source.date)
