"""Evaluate the checks about everything that a fact affected; collect the events of findings and the results that changed.

Level-triggered: the results are computed afresh from the table as it is, and compared with the results in it; nothing depends on how the
table came to be so.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.access.findings import CheckState
from streams.core.access.checks import matching, presence
from streams.core.access.checks import table as checks
from streams.core.access.checks.check import FAIL, AccountInput, CheckOutcome, CheckOutcomes, WorkspaceInput
from streams.core.access.checks.presence import Period
from streams.core.access.findings import episodes
from streams.core.access.findings.build import FindingEvent, FindingSubjects, finding_event
from streams.core.access.findings.episodes import Closure, EpisodeCause, FindingKey
from streams.core.access.state.fields import value
from streams.core.access.state.references import put_account
from streams.core.access.state.rows import AccountKey, AccountRow, CheckRow, PresenceEvent, SubjectKey
from streams.core.access.state.staff import StaffMember, staff_member
from streams.core.access.state.tenant import TenantState

_ACCESS_ENDED: Final = Closure("fixed", forget=True)

CheckRows = dict[SubjectKey, CheckRow]


class Evaluation:
    """One evaluation of a tenant's checks. `events` are in order, `states` has the latest result of each subject that changed."""

    def __init__(self, state: TenantState, now: int) -> None:
        self._state = state
        self._now = now
        self.events: list[FindingEvent] = []
        self.states: dict[str, CheckState | None] = {}

    def load_context(self) -> "Evaluation":
        """Read what holds for every account. To be called before anything is evaluated, and again once rows have changed."""
        settings = self._state.settings.get()
        self._policy = self._state.policy.get()
        self._staff_known = self._state.log.people > 0
        self._aliases = settings.settings.alias_domains if settings else {}
        self._precedence = settings.settings.precedence if settings else ()
        self._members: dict[str, StaffMember | None] = {}
        return self

    def workspace(self, app_id: str, cause: EpisodeCause) -> None:
        """Evaluate the checks about a workspace."""
        row = self._state.workspaces.get(app_id)
        if row is not None:
            outcomes = checks.of_workspace(WorkspaceInput(row, self._policy))
            self._reconcile(app_id, None, self._state.check_rows(app_id, ""), outcomes, cause)

    def account(self, key: AccountKey, cause: EpisodeCause, at: int) -> None:
        """Evaluate the checks about an account as of an instant (ms)."""
        account = self._state.accounts.get(*key)
        if account is None:
            return
        period = presence.current_presence(account)
        if presence.unsettled(account):
            view, before = self._input(account, account.presence_events[-1], at), self._state.check_rows(*key)
            self._reconcile(account.app_id, account, before, checks.unsettled(view, _open(before)), cause)
        elif period is None:
            self.close_all(account, cause)
        else:
            view, before = self._input(account, period.start, at), self._state.check_rows(*key)
            pinned = self._pin_match(account, view, at)
            self._reconcile(account.app_id, pinned, before, checks.of_account(view, _open(before)), cause)

    def close_all(self, account: AccountRow, cause: EpisodeCause) -> None:
        """Close every finding about an account whose access has ended, and release its match."""
        released = self._set_match(account, None) if account.matched else account
        before = self._state.check_rows(account.app_id, account.id)
        self._reconcile(account.app_id, released, before, {}, cause, access_ended=True)

    def record_past_episode(self, account: AccountRow, period: Period, cause: EpisodeCause) -> None:
        """Publish the failures of a presence that had ended before it was reported, as opened and closed; no row is kept."""
        assert period.end is not None
        view = self._input(account, period.start, period.end.time - 1)  # as of the last instant of the presence
        for (check, person), outcome in checks.of_account(view, ()).items():
            if outcome.result.result == FAIL:
                key = FindingKey(self._state.tenant, check, account.app_id, account.id, person)
                subjects = self._subjects(account, person, outcome)
                for event in episodes.past_episode(key, outcome, cause, removed=period.end.time, context=subjects.context()):
                    self.events.append(finding_event(key, event, subjects, self._now))

    def _input(self, account: AccountRow, start: PresenceEvent, at: int) -> AccountInput:
        match = matching.match(
            link=self._member(account.link.value if account.link else None),
            matched=self._member(account.matched),
            address=value(account.fields, "normal"),
            find=self._known_under,
            aliases=self._aliases,
            at=at,
        )
        return AccountInput(account, start, match, self._policy, self._staff_known, at)

    def _known_under(self, address: str) -> Iterable[StaffMember]:
        return [member for person in self._state.addresses.holders(address).people if (member := self._member(person))]

    def _member(self, person: str | None) -> StaffMember | None:
        if not person:
            return None
        if person not in self._members:
            self._members[person] = self._read_member(person)
        return self._members[person]

    def _read_member(self, person: str) -> StaffMember | None:
        row = self._state.people.get(person)
        if row is None:
            return None
        records = [record for key in row.records if (record := self._state.records.get(*key))]
        return staff_member(records, row.id, self._precedence)

    def _pin_match(self, account: AccountRow, view: AccountInput, at: int) -> AccountRow:
        """Keep a match by address with an active person from now on."""
        member = view.match.member
        if member is None or member.id == account.matched or not matching.is_kept(view.match, at):
            return account
        return self._set_match(account, member.id)

    def _set_match(self, account: AccountRow, person: str | None) -> AccountRow:
        matched = msgspec.structs.replace(account, matched=person)
        put_account(self._state, account, matched, aliases=self._aliases)
        return matched

    def _reconcile(
        self,
        app_id: str,
        account: AccountRow | None,
        before: CheckRows,
        outcomes: CheckOutcomes,
        cause: EpisodeCause,
        *,
        access_ended: bool = False,
    ) -> None:
        """Compare the outcomes about an account, or about a workspace, with the rows before."""
        account_id, rows = account.id if account else "", dict(before)
        for check, person in checks.in_order({*before, *outcomes}):
            key = FindingKey(self._state.tenant, check, app_id, account_id, person)
            row, outcome = before.get((check, person)), outcomes.get((check, person))
            closure = _ACCESS_ENDED if access_ended else _closure(key, outcomes, rows)
            subjects = self._subjects(account, person, outcome)
            change = episodes.advance(key, row, outcome, cause=cause, closure=closure, context=subjects.context())
            if change.event is not None:
                self.events.append(finding_event(key, change.event, subjects, self._now))
            if change.row != row:
                self._put_check(key, row, change.row)
                rows[check, person] = change.row or CheckRow()

    def _put_check(self, key: FindingKey, before: CheckRow | None, after: CheckRow | None) -> None:
        item = (key.app_id, key.account, key.check, key.staff)
        if after is None:
            self._state.checks.delete(*item)
        else:
            self._state.checks.put(after, *item)
        state = None if after is None else _check_state(key, after)
        if state != (None if before is None else _check_state(key, before)):
            self.states[key.key()] = state

    def _subjects(self, account: AccountRow | None, person: str, outcome: CheckOutcome | None) -> FindingSubjects:
        candidates = [self._member(candidate) for candidate in outcome.result.candidates] if outcome else []
        return FindingSubjects(account, self._member(person), tuple(member for member in candidates if member))


def _open(rows: CheckRows) -> list[SubjectKey]:
    return [subject for subject, row in rows.items() if episodes.is_open(row)]


def _closure(key: FindingKey, outcomes: CheckOutcomes, rows: CheckRows) -> Closure:
    """Say why a check has no answer any more: another one dominates it, or it does not apply."""
    dominating = checks.dominating(key.check, key.staff, outcomes)
    if dominating is None:
        return Closure()
    row = rows.get(dominating)
    return Closure("superseded", row.episode.uid if row and row.episode else None)


def _check_state(key: FindingKey, row: CheckRow) -> CheckState | None:
    result = row.check_result
    if result is None:
        return None
    return CheckState(
        tenant=key.tenant,
        check=key.check,
        app_id=key.app_id,
        account=key.account or None,
        staff=key.staff or None,
        result=result.result,
        reason=result.reason,
        since=row.since,
        finding=row.episode.uid if row.episode and episodes.is_open(row) else None,
        due_time=result.due,
        rule_version=checks.RULES,
        policy=result.policy,
    )
