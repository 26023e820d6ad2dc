"""What the activity log and logins say of what an account did: remembered for further checks, the latest of each type.

It is remembered whatever the settings say, so that a check that is switched on later knows it. In whatever order facts arrive, the same
events are remembered.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks.further import activities
from streams.core.access.checks.further.activities import (
    BY_ACCOUNT,
    BY_WORKSPACE,
    CONSENT,
    CREDENTIALS,
    LOG,
    LOGGED_IN,
    LOGGED_IN_ENTRY,
    LOGIN,
)
from streams.core.access.checks.further.switches import switches_of
from streams.core.access.facts.effect import Effect
from streams.core.access.state.row_kinds.activity_rows import ActivityEvent, ActivityRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, FactReference

REMEMBERED: Final = 16  # events of a type: what an answer rests on, and a bound for a busy account
_ENDED_BY_OTHERS: Final = frozenset({*CREDENTIALS, CONSENT})


def noted(state: TenantState, fact: Fact, source: FactReference, effect: Effect) -> Effect:
    """Remember what an account did; return the effect with the accounts whose answers that may change."""
    app_id, account = fact.app_id or "", fact.account
    type_ = _type(fact)
    event = ActivityEvent(source.date, source, activities.details(type_, fact.person.metadata if fact.person else None))
    accounts: set[AccountKey] = set()
    if account is not None and _note_account(state, (app_id, account), type_, event, is_sign=_is_sign(fact)):
        accounts.add((app_id, account))
    is_first, others = _note_workspace(
        state, app_id, account, type_, event, is_sign=_is_sign(fact), in_log=fact.activity is not None
    )
    settings = state.settings.get() if is_first else None
    return msgspec.structs.replace(
        effect,
        outcome="applied" if accounts or others else effect.outcome,
        accounts=effect.accounts | accounts | others,
        all_accounts=effect.all_accounts or bool(settings and switches_of(settings.settings)),
    )


def _type(fact: Fact) -> str:
    """Return what an account did; a login is one, whichever kind of fact its producer chose."""
    in_log = fact.activity.type if fact.activity else ""
    return LOGIN if fact.kind == LOGGED_IN or in_log == LOGGED_IN_ENTRY else in_log


def _is_sign(fact: Fact) -> bool:
    """Say whether a fact shows that somebody uses the account."""
    acted = fact.activity is not None and fact.activity.type not in activities.NO_PROOF_OF_PRESENCE
    return fact.account is not None and (fact.kind == LOGGED_IN or acted)


def _note_account(state: TenantState, key: AccountKey, type_: str, event: ActivityEvent, *, is_sign: bool) -> bool:
    before = state.activities.get(*key) or ActivityRow()
    after = _with(before, type_, event) if type_ in BY_ACCOUNT else before
    if is_sign:
        after = msgspec.structs.replace(after, last=max(after.last or (0, ""), (event.time, event.source.fact)))
    if after == before:
        return False
    state.activities.put(after, *key)
    return True


def _note_workspace(
    state: TenantState, app_id: str, account: str | None, type_: str, event: ActivityEvent, *, is_sign: bool, in_log: bool
) -> tuple[bool, set[AccountKey]]:
    """Return whether the workspace reports something for the first time, and whose answers another's activity may change."""
    before = state.activities.get(app_id, "") or ActivityRow()
    after = _with(before, type_, event) if type_ in BY_WORKSPACE else before
    if in_log and LOG not in after.events:
        after = _with(after, LOG, event)
    if is_sign and after.last is None:
        after = msgspec.structs.replace(after, last=(event.time, event.source.fact))
    if account is not None and type_ in _ENDED_BY_OTHERS:
        after = msgspec.structs.replace(after, accounts=tuple(sorted({*after.accounts, (app_id, account)})))
    if after != before:
        state.activities.put(after, app_id, "")
    others = set(after.accounts) if type_ in BY_WORKSPACE and after != before else set()
    return (LOG in after.events, after.last is None) != (LOG in before.events, before.last is None), others


def _with(row: ActivityRow, type_: str, event: ActivityEvent) -> ActivityRow:
    known: Iterable[ActivityEvent] = row.events.get(type_, ())
    if any(each.source.fact == event.source.fact for each in known):
        return row
    events = sorted((*known, event), key=lambda each: (each.time, each.source.fact))[-REMEMBERED:]
    return msgspec.structs.replace(row, events=dict(sorted({**row.events, type_: tuple(events)}.items())))
