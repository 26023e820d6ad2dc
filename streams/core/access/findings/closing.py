"""Why a finding closes: fixed, not applicable, superseded, or voided because it is found never to have held."""

from typing import Final, NamedTuple

from streams.core.access.checks.check import PASS, CheckOutcome, CheckOutcomes
from streams.core.access.checks.presence import Period, Presence
from streams.core.access.checks.table import dominating
from streams.core.access.findings.episodes import Closure, EpisodeCause, stays_apart
from streams.core.access.state.directory import Directory
from streams.core.access.state.row_kinds.rules_rows import WITH_BEGINNINGS, follows
from streams.core.access.state.rows import AccountRow, CheckRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import Episode

_UNANSWERED: Final = {"no_policy": "C3"} | dict.fromkeys(("account_not_identified", "ambiguous", "staff_not_known"), "C1")
"""Reasons for which C4 cannot be answered, and the check that supersedes it then."""


class Closing(NamedTuple):
    """An evaluation in which findings close."""

    account: AccountRow | None
    present: Presence | None
    outcomes: CheckOutcomes
    rows: dict[str, CheckRow]  # by check, those that are evaluated already as they are now
    state: TenantState
    directory: Directory
    cause: EpisodeCause

    def of(self, check: str, episode: Episode, outcome: CheckOutcome | None) -> Closure:
        """Return why the finding of a check closes under an outcome. By the rules of version 4 another finding supersedes what is superseded."""
        closure = self._of(check, episode, outcome)
        if closure.closed_for == "superseded" and closure.superseded_by is None and follows(self.cause.rules, WITH_BEGINNINGS):
            return closure._replace(closed_for="not_applicable")
        return closure

    def _of(self, check: str, episode: Episode, outcome: CheckOutcome | None) -> Closure:
        reason = outcome.result.reason if outcome else ""
        time = outcome.result.since if outcome else self.cause.time
        if reason == "unmonitored":
            return Closure("not_applicable" if self.account is None else "superseded", time)
        if self.account is not None and (self._is_removed or stays_apart(episode, self.period)):
            return self._removed(episode)
        if reason == "presence_unsettled":
            return Closure("voided", time)
        return self._answered_otherwise(check, episode, outcome, time)

    def _answered_otherwise(self, check: str, episode: Episode, outcome: CheckOutcome | None, time: int) -> Closure:
        dominated_by = dominating(check, self.outcomes)
        if dominated_by is not None:
            return Closure("superseded", self.outcomes[dominated_by].result.since, self._uid_of(dominated_by))
        if check == "C2":
            return self._no_leaver(episode)
        if outcome is not None and outcome.result.result == PASS:
            return Closure("fixed", time)
        superseding = _UNANSWERED.get(outcome.result.reason) if outcome else None
        if superseding is not None:
            return Closure("superseded", time, self._uid_of(superseding))
        return Closure("not_applicable", time)

    @property
    def period(self) -> Period | None:
        """The account's presence, or the contradiction that there is instead; None for a workspace, and without either."""
        present = self.present
        if present is None or present.unsettled is None:
            return present.period if present else None
        start = present.period.start if present.period else present.unsettled
        return Period(start, None)  # a removal before it is not certain to be one

    @property
    def _is_removed(self) -> bool:
        return self.present is None or (self.present.period is None and self.present.unsettled is None)

    def _removed(self, episode: Episode) -> Closure:
        present = self.present
        gone = self.cause.now
        inferred = False
        if present is not None and present.removed is not None:
            gone, inferred = present.removed.time, present.removed.snapshot
        elif present is not None and present.period is not None and present.period.removed_before is not None:
            gone = present.period.removed_before
        return Closure("fixed" if gone > episode.since else "voided", gone, inferred=inferred)

    def _no_leaver(self, episode: Episode) -> Closure:
        """Return why C2 closes though the account stays: a link names another person, or the end was corrected or taken back."""
        link = self.account.link if self.account else None
        if link is not None and link.value:
            named = self.directory.person_of(link.value)
            if set(named.ids if named else (link.value,)).isdisjoint(episode.people):
                return Closure("not_applicable", link.since or 0)
        people = [person for id_ in episode.people if (person := self.directory.person_of(id_))]
        ended = any(person.end is not None for person in people)
        left = any(person.left(self.cause.now) for person in people)
        again = [] if ended or not follows(self.cause.rules, WITH_BEGINNINGS) else map(self.directory.employed_since, people)
        employed = max((since for since in again if since is not None), default=self.cause.now)
        return Closure("voided" if ended and not left else "not_applicable", employed)

    def _uid_of(self, check: str) -> str | None:
        app_id = self.account.app_id if self.account else ""
        row = self.rows.get(check) or self.state.checks.get(app_id, "", check)  # of the account, or of its workspace
        return row.episode.uid if row and row.episode else None
