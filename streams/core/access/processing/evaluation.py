"""Evaluate the checks about everything that a fact affected; collect the events of findings and the results that changed.

Level-triggered: the results are computed afresh from the table as it is, and compared with the results in it; nothing depends on how the
table came to be so.
"""

from collections.abc import Sequence
from functools import partial

from schemas.access.findings import CheckState
from schemas.tenancy import DEFAULT_REGION
from streams.core.access.checks import exemptions, matching, material, presence
from streams.core.access.checks import table as checks
from streams.core.access.checks.check import FAIL, AccountInput, CheckOutcome, CheckOutcomes, WorkspaceInput
from streams.core.access.checks.exemptions import VoidedAt
from streams.core.access.checks.further.switches import TIMER as FURTHER
from streams.core.access.checks.further.switches import switches_of
from streams.core.access.checks.policy.approvals import approvals_for
from streams.core.access.checks.presence import Period, Presence
from streams.core.access.findings import episodes
from streams.core.access.findings.build import Described, FindingEvent, FindingSubjects, finding_event, shown_handling
from streams.core.access.findings.closing import Closing
from streams.core.access.findings.episodes import EpisodeCause, EpisodeEvent, FindingKey
from streams.core.access.findings.sla import graded
from streams.core.access.findings.terms import TermsSource, arm
from streams.core.access.state.directory import Directory
from streams.core.access.state.freshness import interval_of
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.activity_rows import Change
from streams.core.access.state.row_kinds.grant_rows import ExemptionRow
from streams.core.access.state.row_kinds.rules_rows import WITH_BEGINNINGS, follows
from streams.core.access.state.rows import AccountRow, CheckRow, WorkspaceRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, TeammateSnapshot


class Evaluation:
    """One evaluation of a tenant's checks. `events` are in order, `states` has the latest result of each subject that changed."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self.events: list[FindingEvent] = []
        self.states: dict[str, CheckState | None] = {}

    def load_context(self, directory: Directory | None = None) -> "Evaluation":
        """Read what holds for every account. To be called before anything is evaluated, and again once rows have changed.

        `directory` is the people as they are now, if they have been read.
        """
        self._policy = self._state.policy.get()
        self._rules = self._state.rules_version
        settings = self._state.settings.get()
        self._switches = switches_of(settings.settings if settings else None)
        self._snapshots_of: dict[str, tuple[TeammateSnapshot, ...]] = {}
        self._directory = directory or Directory(self._state)
        self._terms = TermsSource(self._state, self._directory, self._policy)
        return self

    def workspace(self, app_id: str, cause: EpisodeCause) -> None:
        """Evaluate the checks about a workspace as of the cause's log time."""
        row = self._state.workspaces.get(app_id)
        if row is not None:
            outcomes = checks.of_workspace(self._workspace_input(row, cause.now))
            outcomes = self._exempted(outcomes, app_id, "", cause.now, exemptions.never_voided)
            self._reconcile(app_id, None, outcomes, None, cause)

    def account(self, key: AccountKey, cause: EpisodeCause, at: int) -> None:
        """Evaluate the checks about an account as of an instant (ms); a key without account is that of a workspace with invitations."""
        account = self._state.accounts.get(*key)
        if not key[1]:
            self.workspace(key[0], cause)
        elif account is not None:
            present = presence.presence_of(account, self._snapshots(account.app_id))
            self._reconcile(account.app_id, account, self._outcomes(account, present, at), present, cause)

    def record_past_episode(self, account: AccountRow, period: Period, cause: EpisodeCause) -> None:
        """Publish the findings of a presence that had ended before it was reported, as opened and closed; no row is kept."""
        assert period.end is not None
        removed, cause = period.end.time, cause._replace(rules=self._rules)
        view = self._input(account, period, removed - 1)._replace(over=True)  # as of the last instant of the presence
        outcomes = checks.of_account(view)
        failing = _failing_by(outcomes, removed, self._rules)
        if follows(self._rules, WITH_BEGINNINGS):
            voided_at = partial(material.voided_at, self._state, view, outcomes)
            outcomes = self._exempted(outcomes, account.app_id, account.id, removed - 1, voided_at)
        for check in failing:
            outcome = outcomes[check]
            key = FindingKey(self._state.tenant, check, account.app_id, account.id, outcome.result.staff or "")
            terms = self._terms.of(key, outcome, cause.now)
            for event in episodes.past_episode(key, outcome, cause, period=period, removed=removed, terms=terms):
                self._publish(key, event, account, outcome, cause.now)

    def exemption_voided_at(self, row: ExemptionRow, at: int) -> int | None:
        """Return when a material change voided an exemption (ms), as of an instant; None where none did, as of a workspace's."""
        account = self._state.accounts.get(row.app_id, row.account) if row.account else None
        judged = None if account is None else _judged(presence.presence_of(account, self._snapshots(row.app_id)), removed=False)
        if account is None or judged is None:
            return row.reclassified
        view = self._input(account, judged, at)
        return material.voided_at(self._state, view, checks.of_account(view), row)

    def _workspace_input(self, row: WorkspaceRow, at: int) -> WorkspaceInput:
        freshness, settings = self._state.read_settings.freshness, self._state.read_settings.row
        return WorkspaceInput(
            workspace=row,
            policy=self._policy,
            teammates=self._state.teammates.get(row.app_id),
            sources=dict(self._state.sources.walk()),
            reporting={name: row for name, row in self._state.coverage.walk("source") if interval_of(freshness.get(name))},
            settings=settings.source if settings else None,
            at=at,
            switches=self._switches,
            directory=self._directory,
            invites=dict(self._state.invites.walk(row.app_id)) if self._switches else {},
            accounts_at=partial(_accounts_at, self._state, row.app_id),
            changes=_changes(self._state, row.app_id) if self._switches else (),
            test=self._state.alarm_tests.get(row.app_id),
            rules=self._rules,
        )

    def _snapshots(self, app_id: str) -> tuple[TeammateSnapshot, ...]:
        """Return the remembered snapshots of a workspace, read once for all its accounts."""
        if app_id not in self._snapshots_of:
            self._snapshots_of[app_id] = self._state.snapshots_of(app_id)
        return self._snapshots_of[app_id]

    def _outcomes(self, account: AccountRow, present: Presence, at: int) -> CheckOutcomes:
        row = self._state.workspaces.get(account.app_id)
        judged = _judged(present, removed=bool(self._switches))
        if judged is None:
            return {}
        view = self._input(account, judged, at)
        is_over = present.period is None and present.unsettled is None
        outcomes = checks.of_removed_account(view) if is_over else checks.of_account(view)
        if row is not None and row.monitored is False:
            return checks.all_unknown(outcomes, "unmonitored", row.date or 0, held=False)
        silent = self._state.silent_since(account.app_id)
        voided_at = partial(material.voided_at, self._state, view, outcomes)  # whose it is, also where its presence is in doubt
        if present.unsettled is not None:
            held = present.period is not None
            outcomes = checks.all_unknown(outcomes, "presence_unsettled", present.unsettled.time, held=held)
        elif silent is not None:
            outcomes = checks.all_unknown(outcomes, "workspace_silent", silent, held=True)
        return self._exempted(outcomes, account.app_id, account.id, at, voided_at)

    def _exempted(self, outcomes: CheckOutcomes, app_id: str, account: str, at: int, voided_at: VoidedAt) -> CheckOutcomes:
        if all(outcome.result.held is None for outcome in outcomes.values()):
            return outcomes
        rows = [row for _, row in self._state.exemptions.walk(app_id, account)]
        return exemptions.exempted(outcomes, rows, at, voided_at) if rows else outcomes

    def _input(self, account: AccountRow, period: Period, at: int) -> AccountInput:
        link = account.link.value if account.link else None
        return AccountInput(
            account=account,
            period=period,
            match=matching.match(account, self._directory, at),
            linked=self._directory.person_of(link) if link else None,
            leavers=() if link else tuple(matching.named_leavers(account, self._directory, at)),
            directory=self._directory,
            policy=self._policy,
            at=at,
            approvals=partial(approvals_for, self._state, account.app_id, account.id),
            switches=self._switches,
            activity=partial(self._state.activities.get, account.app_id, account.id),
            workspace_activity=partial(self._state.activities.get, account.app_id, ""),
            rules=self._rules,
        )

    def _reconcile(
        self, app_id: str, account: AccountRow | None, outcomes: CheckOutcomes, present: Presence | None, cause: EpisodeCause
    ) -> None:
        """Compare the outcomes about an account, or about a workspace, with the rows before."""
        account_id = account.id if account else ""
        before = self._state.check_rows(app_id, account_id)
        closing = Closing(account, present, outcomes, before, self._state, self._directory, cause._replace(rules=self._rules))
        for check in checks.in_order({*before, *outcomes}):
            row = before.get(check) or CheckRow()
            key = FindingKey(self._state.tenant, check, app_id, account_id, "")
            before[check] = after = self._advance(key, row, outcomes.get(check), closing)
            arm(self._state, key, row.episode, after.episode, cause.now)
            self._put_check(app_id, account_id, check, row, after)
        if self._switches:
            at, fact = min((each.changes for each in outcomes.values() if each.changes), default=(None, ""))
            self._state.timers.set(FURTHER, (app_id, account_id), at, fact)

    def _advance(self, key: FindingKey, row: CheckRow, outcome: CheckOutcome | None, closing: Closing) -> CheckRow:
        """Return a check's row after an outcome, and publish what happens to its finding."""
        cause, account, period = closing.cause, closing.account, closing.period
        episode, closed = row.episode, episodes.remembered(row.closed, cause.now)
        if episode is not None and not episodes.stays_open(episode, outcome, period):
            over, event = episodes.close(episode, closing.of(key.check, episode, outcome), cause)
            self._publish(key._replace(staff=episode.staff), event, account, outcome, cause.now)
            episode, closed = None, (*closed, over)
        if outcome is None or outcome.result.held is None:
            return CheckRow(check_result=outcome.result if outcome else None, episode=episode, closed=closed)
        context = self._subjects(account, outcome, cause.now).context()
        if episode is not None:
            episode, changed = episodes.keep(episode, outcome, cause, period=period, context=context)
        else:
            named = key._replace(staff=outcome.result.staff or "")
            terms = self._terms.of(named, outcome, cause.now)
            episode, changed, closed = episodes.begin(named, outcome, cause, closed, period=period, context=context, terms=terms)
        if changed is not None:
            self._publish(key._replace(staff=episode.staff), changed, account, outcome, cause.now)
        return CheckRow(check_result=graded(outcome.result, episode, cause.now, self._rules), episode=episode, closed=closed)

    def _publish(
        self, key: FindingKey, event: EpisodeEvent, account: AccountRow | None, outcome: CheckOutcome | None, now: int
    ) -> None:
        subjects = self._subjects(account, outcome, now)
        if subjects.owner is None and key.staff and (person := self._directory.person_of(key.staff)):
            subjects = subjects._replace(owner=self._described(person, now))
        region = self._state.read_settings.regions.get(key.app_id, DEFAULT_REGION)
        self.events.append(finding_event(key, event, subjects, now, rules=self._rules, region=region))

    def _put_check(self, app_id: str, account: str, check: str, before: CheckRow, after: CheckRow) -> None:
        if after == before:
            return
        if after == CheckRow():
            self._state.checks.delete(app_id, account, check)
        else:
            self._state.checks.put(after, app_id, account, check)
        old, new = (_check_state(self._state.tenant, check, app_id, account, row, rules=self._rules) for row in (before, after))
        if old is not None and (new is None or new[0] != old[0]):
            self.states[old[0]] = None
        if new is not None and new != old:
            self.states[new[0]] = new[1]

    def _subjects(self, account: AccountRow | None, outcome: CheckOutcome | None, now: int) -> FindingSubjects:
        owner = outcome.owner if outcome else None
        candidates = tuple(self._described(person, now) for person in outcome.candidates) if outcome else ()
        return FindingSubjects(account, self._described(owner, now) if owner else None, candidates)

    def _described(self, person: Person, now: int) -> Described:
        return Described.of(person, self._directory.precedence, now)


def _changes(state: TenantState, app_id: str) -> Sequence[Change]:
    row = state.changes.get(app_id)
    return row.changes if row else ()


def _accounts_at(state: TenantState, app_id: str, address: str) -> list[AccountRow]:
    """Return the accounts of a workspace that have or had an address."""
    rows = [state.accounts.get(*key) for key in state.addresses.holders(address).accounts if key[0] == app_id]
    return [row for row in rows if row is not None and address in row.ever]


def _failing_by(outcomes: CheckOutcomes, removed: int, rules: str) -> list[str]:
    """Return the checks that a presence failed until its end (ms): not those that fail by a later decision alone, by the rules of version 4."""
    failing = [check for check, each in outcomes.items() if each.result.result == FAIL and check not in checks.WITHOUT_PRESENCE]
    later = follows(rules, WITH_BEGINNINGS)
    return [check for check in failing if not later or outcomes[check].result.since < removed]


def _judged(present: Presence, *, removed: bool) -> Period | None:
    """Return the presence that is judged: the present one or a contradiction; where neither is there and `removed`, the removal."""
    start = present.period or (Period(present.unsettled, None) if present.unsettled else None)
    over = Period(present.removed, present.removed) if present.removed is not None and removed else None
    return start or over


def _check_state(
    tenant: str, check: str, app_id: str, account: str, row: CheckRow, *, rules: str
) -> tuple[str, CheckState] | None:
    result = row.check_result
    if result is None:
        return None
    state = CheckState(
        tenant=tenant,
        check=check,
        app_id=app_id,
        account=account or None,
        staff=result.staff,
        result=result.result,
        reason=result.reason,
        since=result.since,
        finding=row.episode.uid if row.episode else None,
        due_time=result.due,
        sla_state=result.sla_state,
        baseline=row.episode.baseline if row.episode else False,
        exemption=result.exemption.id if result.exemption else None,
        handling=shown_handling(row.episode.handling) if row.episode else None,
        rule_version=rules,
        policy=result.policy,
    )
    return FindingKey(tenant, check, app_id, account, result.staff or "").key(), state
