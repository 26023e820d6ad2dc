"""A policy tried out on a log: what would be, or would have been, if it were in force from an instant on in place of those that were.

Nothing is written. The facts are read into a state of their own, and the policy is applied to it by the code that applies policies.
"""

from collections.abc import Callable, Iterable, Sequence

from schemas.access.facts import Fact, Policy
from schemas.access.policy_trials import PolicyTrial
from schemas.cloudevents import timestamp
from schemas.ids import derived
from streams.core.access.reports.findings import reported
from streams.core.access.reports.lives import FindingLife
from streams.core.access.reports.reading import ReportReading
from streams.core.access.reports.replay import keep
from streams.core.access.reports.scope import ReportScope
from streams.core.access.reports.view import ReportView
from streams.core.access.state.table import AccessTable
from streams.core.access.state.values import LogPosition

_KIND = "policy.applied"
_TEST = "T1"  # a test of the alarm is about no policy


class TriedReading(ReportReading):
    """A log in which a policy comes into force at `since` (ms), and no other one behind it does."""

    def __init__(
        self,
        table: AccessTable,
        tenant: str,
        scope: ReportScope,
        *,
        policy: Policy,
        since: int,
        after_chunk: Callable[[], None] = keep,
    ) -> None:
        super().__init__(table, tenant, scope, after_chunk)
        self._policy, self._since = policy, since
        self._is_applied = False
        self.instead_of: str | None = None
        self.before: dict[str, FindingLife] = {}  # findings that were open when it came into force

    def take(self, fact: Fact, position: LogPosition) -> bool:
        """Take the next fact; the policy comes before the first one behind its instant."""
        if not self._is_applied and position.append_time > self._since:
            self._apply()
        if self._is_applied and fact.kind == _KIND:
            return True
        return super().take(fact, position)

    def finish(self) -> None:
        """Let time pass until the instant of the question; the policy is in force then."""
        if not self._is_applied:
            self._apply()
        super().finish()

    def _apply(self) -> None:
        state, record = self.replay.state, self.record
        record.follow(self.replay.advance(self._since))
        current = state.policy.get()
        self.instead_of = current.source.fact if current else None
        self.before = {life.latest.finding_info.uid: life for life in _shown(record.lives.still_open())}
        fact = Fact(
            id=derived(state.tenant, "what-if", self._policy.hash, self._since),
            tenant=state.tenant,
            kind=_KIND,
            source="operator",
            basis="decided",
            replaces=self.instead_of,
            policy=self._policy,
        )
        record.follow(self.replay.take(fact, LogPosition(0, 0, self._since, "")))
        self._is_applied = True


def changes_now(tried: TriedReading) -> PolicyTrial:
    """Return what a policy would change now. The reading is finished, and its policy came into force at its end."""
    view = ReportView(tried.replay.state, tried.record)
    after = {life.latest.finding_info.uid: life for life in _shown(tried.record.lives.still_open())}
    opens = [life for uid, life in after.items() if uid not in tried.before]
    closes = [life for uid, life in tried.before.items() if uid not in after]
    return _trial(tried, view, opens, view, closes, stays=len(after) - len(opens), since=None)


def changes_since(tried: TriedReading, actual: ReportReading, since: int) -> PolicyTrial:
    """Return what a policy would have changed since an instant (ms). Both readings are finished, of one log and with the lives since then."""
    there = [life for life in _shown(actual.record.lives.all()) if life.reaches(since + 1)]
    would = [life for life in _shown(tried.record.lives.all()) if life.reaches(since + 1)]  # what the policy closes is not there
    opens = _without_like(would, there)
    closes = _without_like(there, would)
    views = ReportView(tried.replay.state, tried.record), ReportView(actual.replay.state, actual.record)
    return _trial(tried, views[0], opens, views[1], closes, stays=len(would) - len(opens), since=since)


def _trial(
    tried: TriedReading, opening: ReportView, opens: Sequence[FindingLife], closing: ReportView, closes: Sequence[FindingLife], *,
    stays: int, since: int | None,
) -> PolicyTrial:  # fmt: skip
    policy = tried.replay.state.policy.get()
    assert policy is not None
    return PolicyTrial(
        tenant=tried.replay.tenant,
        policy=policy.policy.hash,
        instead_of=tried.instead_of,
        since=None if since is None else timestamp(since),
        as_of=timestamp(opening.at),
        opens=tuple(reported(opening, sorted(opens, key=_order))),
        closes=tuple(reported(closing, sorted(closes, key=_order))),
        stays=stays,
    )


def _without_like(lives: Iterable[FindingLife], others: Iterable[FindingLife]) -> list[FindingLife]:
    """Return the lives of which the others have none about the same subject and people at the same time."""
    by_subject: dict[tuple[str, str, str], list[FindingLife]] = {}
    for other in others:
        by_subject.setdefault(_subject(other), []).append(other)
    return [life for life in lives if not any(_are_alike(life, other) for other in by_subject.get(_subject(life), ()))]


def _are_alike(life: FindingLife, other: FindingLife) -> bool:
    same_people = life.people == other.people or not life.people.isdisjoint(other.people)
    return same_people and _begins_before_the_end_of(life, other) and _begins_before_the_end_of(other, life)


def _begins_before_the_end_of(life: FindingLife, other: FindingLife) -> bool:
    return other.closed is None or life.opened <= other.closed


def _subject(life: FindingLife) -> tuple[str, str, str]:
    extra = life.latest.unmapped
    return extra.check, extra.app_id, extra.account or ""


def _shown(lives: Iterable[FindingLife]) -> list[FindingLife]:
    return [life for life in lives if life.latest.unmapped.check != _TEST]


def _order(life: FindingLife) -> tuple[str, str, str, int]:
    return (*_subject(life), life.opened)
