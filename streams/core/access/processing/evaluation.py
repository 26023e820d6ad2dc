"""Look again at everything a fact touched, and collect what follows: findings to tell of, answers that changed.

Level-triggered: the answers are made afresh from the table as it is, and compared with the answers in it; nothing depends on how the
table came to be so.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from schemas.access.findings import CheckState, Finding
from streams.core.access.checks import matching, presence
from streams.core.access.checks import table as checks
from streams.core.access.checks.presence import Period
from streams.core.access.checks.table import FAIL, RULES, CheckInput, CheckOutcome, CheckOutcomes
from streams.core.access.findings import build as findings
from streams.core.access.findings import episodes
from streams.core.access.findings.build import FindingSubjects
from streams.core.access.findings.episodes import Closure, EpisodeCause, FindingKey
from streams.core.access.state.fields import value
from streams.core.access.state.references import index_account
from streams.core.access.state.rows import AccountRow, CheckRow, PresenceEvent
from streams.core.access.state.staff import StaffMember, staff_member
from streams.core.access.state.tenant import State

_GONE = Closure("fixed", forget=True)

Answers = dict[tuple[str, str], CheckRow]  # by check and staff member


class FindingEvent(NamedTuple):
    """An event of a finding, and whom it is about."""

    name: FindingKey
    finding: Finding


class Evaluation:
    """One look at a tenant's answers. `told` has the events in order, `states` the last answer of each subject that changed."""

    def __init__(self, state: State, now: int) -> None:
        self._state = state
        self._now = now
        self.events: list[FindingEvent] = []
        self.states: dict[str, CheckState | None] = {}

    def load_context(self) -> "Evaluation":
        """Read what holds for every account. To be called before anything is looked at, and again once rows have changed."""
        settings = self._state.settings()
        self._policy = self._state.policy()
        self._staff_known = self._state.log().people > 0
        self._aliases = settings.settings.alias_domains if settings else {}
        self._precedence = settings.settings.precedence if settings else ()
        self._members: dict[str, StaffMember | None] = {}
        return self

    def workspace(self, app_id: str, cause: EpisodeCause) -> None:
        """Answer C3."""
        row = self._state.workspace(app_id)
        if row is not None:
            self._reconcile(app_id, None, self._state.subjects(app_id, ""), checks.of_workspace(row, self._policy), cause)

    def account(self, key: tuple[str, str], cause: EpisodeCause, at: int) -> None:
        """Answer C1, C2 and C4 as of an instant."""
        account = self._state.account(key)
        if account is None:
            return
        stay = presence.current_presence(account)
        if presence.unsettled(account):
            view, before = self._view(account, account.presence_events[-1], at), self._state.subjects(*key)
            self._reconcile(account.app_id, account, before, checks.contradicted(view, _open(before)), cause)
        elif stay is None:
            self.close_all(account, cause)
        else:
            view, before = self._view(account, stay.start, at), self._state.subjects(*key)
            self._reconcile(
                account.app_id, self._pin_match(account, view, at), before, checks.of_account(view, _open(before)), cause
            )

    def close_all(self, account: AccountRow, cause: EpisodeCause) -> None:
        """End every answer about an account: whose access is gone has nothing left to fix, and holds to nobody."""
        left = self._set_match(account, None) if account.matched else account
        self._reconcile(account.app_id, left, self._state.subjects(account.app_id, account.id), {}, cause, gone=True)

    def record_past_episode(self, account: AccountRow, span: Period, cause: EpisodeCause) -> None:
        """Tell of what was wrong in a stay that was over before it was heard of, as opened and closed, and keep nothing."""
        assert span.end is not None
        view = self._view(account, span.start, span.end.time - 1)  # as of the last instant of the stay
        for (check, staff), judged in checks.of_account(view, ()).items():
            if judged.result.result == FAIL:
                name = FindingKey(self._state.tenant, check, account.app_id, account.id, staff)
                subjects = self._subjects(account, staff, judged)
                for event in episodes.past_episode(name, judged, cause, removed=span.end.time, context=subjects.context()):
                    self.events.append(FindingEvent(name, findings.finding(name, event, subjects, self._now)))

    def _view(self, account: AccountRow, start: PresenceEvent, at: int) -> CheckInput:
        link = account.link.value if account.link else None
        found = matching.match(
            link=self._member(link),
            held=self._member(account.matched),
            address=value(account.fields, "normal"),
            find=self._known_under,
            aliases=self._aliases,
            at=at,
        )
        return CheckInput(account, start, found, self._policy, self._staff_known, at)

    def _known_under(self, address: str) -> Iterable[StaffMember]:
        return [found for person in self._state.address(address).people if (found := self._member(person))]

    def _member(self, person: str | None) -> StaffMember | None:
        if person is None:
            return None
        if person not in self._members:
            self._members[person] = self._read_member(person)
        return self._members[person]

    def _read_member(self, person: str) -> StaffMember | None:
        row = self._state.person(person) if person else None
        if row is None:
            return None
        records = [record for key in row.records if (record := self._state.record(key))]
        return staff_member(records, row.id, self._precedence)

    def _pin_match(self, account: AccountRow, view: CheckInput, at: int) -> AccountRow:
        """Keep to a match made by address with somebody active, from now on."""
        if view.match.member is None or view.match.member.id == account.matched or not matching.still_matches(view.match, at):
            return account
        return self._set_match(account, view.match.member.id)

    def _set_match(self, account: AccountRow, person: str | None) -> AccountRow:
        kept = msgspec.structs.replace(account, matched=person)
        index_account(self._state, account, kept, aliases=self._aliases)
        return kept

    def _reconcile(
        self,
        app_id: str,
        account: AccountRow | None,
        before: Answers,
        judgements: CheckOutcomes,
        cause: EpisodeCause,
        *,
        gone: bool = False,
    ) -> None:
        """Compare the answers of an account, or of a workspace, with those before."""
        number, after = account.id if account else "", dict(before)
        for check, staff in sorted({*before, *judgements}):
            name = FindingKey(self._state.tenant, check, app_id, number, staff)
            row, judged = before.get((check, staff)), judgements.get((check, staff))
            ending = _GONE if gone else _ending(name, judgements, after)
            subjects = self._subjects(account, staff, judged)
            change = episodes.advance(name, row, judged, cause=cause, ending=ending, context=subjects.context())
            if change.event is not None:
                self.events.append(FindingEvent(name, findings.finding(name, change.event, subjects, self._now)))
            if change.subject != row:
                self._state.put_subject(app_id, number, (check, staff), change.subject)
                self._answered(name, row, change.subject)
                after[check, staff] = change.subject or CheckRow()

    def _answered(self, name: FindingKey, before: CheckRow | None, after: CheckRow | None) -> None:
        new = None if after is None else _state_row(name, after)
        if new != (None if before is None else _state_row(name, before)):
            self.states[name.key()] = new

    def _subjects(self, account: AccountRow | None, staff: str, judged: CheckOutcome | None) -> FindingSubjects:
        candidates = judged.result.candidates if judged else ()
        return FindingSubjects(account, self._member(staff), tuple(found for each in candidates if (found := self._member(each))))


def _open(answers: Answers) -> list[tuple[str, str]]:
    return [name for name, row in answers.items() if episodes.is_open(row)]


def _ending(name: FindingKey, judgements: CheckOutcomes, answers: Answers) -> Closure:
    """Say why a check has no answer any more: dominated by the failing C2 of the same person, or no longer applicable."""
    dominating = judgements.get(("C2", name.staff))
    if name.check == "C4" and dominating is not None and dominating.result.result == FAIL:
        row = answers.get(("C2", name.staff))
        return Closure("superseded", row.episode.uid if row and row.episode else None)
    return Closure()


def _state_row(name: FindingKey, subject: CheckRow) -> CheckState | None:
    answer = subject.check_result
    if answer is None:
        return None
    return CheckState(
        tenant=name.tenant,
        check=name.check,
        app_id=name.app_id,
        account=name.account or None,
        staff=name.staff or None,
        result=answer.result,
        reason=answer.reason,
        since=subject.since,
        finding=subject.episode.uid if subject.episode and episodes.is_open(subject) else None,
        due_time=answer.due,
        rule_version=RULES,
        policy=answer.policy,
    )
