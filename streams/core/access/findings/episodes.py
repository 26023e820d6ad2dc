"""Episodes of a finding: each outcome of a check, compared with its row, opens, changes, closes or reopens one.

A finding is open while the outcome says so (`held`), about the same people. A condition that returns within ten minutes of log time
reopens its episode, unless an explicit removal lies between.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from schemas.canonical import canonical_exact, digest
from schemas.ids import derived
from schemas.plain_values import plain
from streams.core.access.checks.check import FAIL, MEDIUM, PASS, CheckOutcome
from streams.core.access.checks.policy.grace import GracePeriod
from streams.core.access.checks.presence import Period
from streams.core.access.checks.table import CHECKS
from streams.core.access.findings.sla import graded
from streams.core.access.state.row_kinds.rules_rows import FIRST_RULES, WITH_BEGINNINGS, follows
from streams.core.access.state.rows import CheckRow
from streams.core.access.state.values import CheckResult, CitedFact, Episode, FindingHandling

REOPENS_WITHIN: Final = 10 * 60 * 1000  # ms of log time

CREATE, UPDATE, CLOSE = 1, 2, 3  # OCSF activity_id of a finding


class FindingKey(NamedTuple):
    """The subject of a check's result; empty texts where a part does not apply."""

    tenant: str
    check: str
    app_id: str
    account: str
    staff: str

    def uid_alt(self) -> str:
        """Return the name of the subject, which is the same for all its episodes."""
        return f"{self.tenant}|{CHECKS[self.check].uid}|{self.app_id}|{self.account}|{self.staff}"

    def key(self) -> str:
        """Return the subject's key on `access.state`."""
        return f"{self.tenant}|{self.check}|{self.app_id}|{self.account}|{self.staff}"


class EpisodeCause(NamedTuple):
    """Why checks are evaluated: the id that names an episode that opens, the fact, its time, and log time. Times are milliseconds.

    `listed` is a list of teammates: what follows from it is inferred, since no event reported it. `rules` are those of the tenant.
    """

    id: str
    cited: CitedFact | None
    time: int
    now: int
    listed: bool = False
    rules: str = FIRST_RULES


class Terms(NamedTuple):
    """What is fixed when a finding is created: its deadline, by the time of its Create, and whether it is of the baseline."""

    grace: Callable[[int], GracePeriod | None]
    baseline: bool = False


class Closure(NamedTuple):
    """Why a finding closes, when (ms), and what supersedes it. `inferred` is a removal that only a snapshot's lack shows."""

    closed_for: str
    time: int
    superseded_by: str | None = None
    inferred: bool = False


class EpisodeEvent(NamedTuple):
    """A change of a finding: `check_result` is the one it reports, as its deadline shows it, `result` what holds now.

    `inferred` is a change that is known from a list of teammates alone.
    """

    activity: int
    episode: Episode
    check_result: CheckResult
    time: int
    result: str | None
    closed_for: str | None = None
    superseded_by: str | None = None
    inferred: bool = False


def is_open(row: CheckRow | None) -> bool:
    """Say whether the subject's finding is open."""
    return row is not None and row.episode is not None


def stays_open(episode: Episode, outcome: CheckOutcome | None, period: Period | None) -> bool:
    """Say whether an episode stays open under an outcome, in a presence (None: of a workspace)."""
    return (
        outcome is not None and outcome.result.held is not None and _same(episode, outcome) and not stays_apart(episode, period)
    )


def stays_apart(episode: Episode, period: Period | None) -> bool:
    """Say whether an explicit removal lies between an episode's presence and this one: adding again is a new episode."""
    removed = period.removed_before if period else None
    return removed is not None and episode.presence is not None and removed >= episode.presence


def keep(
    episode: Episode, outcome: CheckOutcome, cause: EpisodeCause, *, period: Period | None, context: object
) -> tuple[Episode, EpisodeEvent | None]:
    """Return an episode that stays open, and the event of its change. `context` is what else a reader would call a change."""
    result, since = outcome.result, _held(outcome)
    handling = episode.next_handling or episode.handling
    shown = graded(result, episode, cause.now, cause.rules)
    substance = _substance(shown, context, handling)
    updated = msgspec.structs.replace(
        episode,
        people=tuple(sorted({*episode.people, *result.people})),
        reported=result if result.result == FAIL or episode.reported.result != FAIL else episode.reported,
        since=since,
        presence=period.start.time if period else None,
        handling=handling,
        next_handling=None,
    )
    if substance == episode.substance:
        return updated, None
    updated = msgspec.structs.replace(
        updated,
        sequence=episode.sequence + 1,
        substance=substance,
        evidence=_with_cause(outcome.evidence if updated.reported is result else episode.evidence, cause),
    )
    began = max(since, shown.since) if follows(cause.rules, WITH_BEGINNINGS) else episode.created
    time = max(episode.created, cause.time, began)
    return updated, EpisodeEvent(UPDATE, updated, shown, time, shown.result, inferred=cause.listed)


def close(episode: Episode, closure: Closure, cause: EpisodeCause) -> tuple[Episode, EpisodeEvent]:
    """Return a closed episode, as it is kept for ten minutes, and the event."""
    closed = msgspec.structs.replace(
        episode, sequence=episode.sequence + 1, closed=cause.now, evidence=_with_cause(episode.evidence, cause)
    )
    time = max(episode.created, closure.time)
    if follows(cause.rules, WITH_BEGINNINGS):
        undated = closure.closed_for == "fixed" and closure.time <= episode.since  # it passes since before it failed
        time = max(time, episode.since, cause.time if undated else time)
    result = PASS if closure.closed_for == "fixed" else None
    reported = graded(_inferred(episode.reported) if closure.inferred else episode.reported, episode, cause.now, cause.rules)
    inferred = cause.listed or closure.inferred
    event = EpisodeEvent(CLOSE, closed, reported, time, result, closure.closed_for, closure.superseded_by, inferred)
    return msgspec.structs.replace(closed, evidence=(), substance=""), event


def begin(
    key: FindingKey,
    outcome: CheckOutcome,
    cause: EpisodeCause,
    closed: tuple[Episode, ...],
    *,
    period: Period | None,
    context: object,
    terms: Terms,
) -> tuple[Episode, EpisodeEvent, tuple[Episode, ...]]:
    """Return the episode that an outcome opens or reopens, the event, and the closed ones that are left."""
    for episode in reversed(closed):
        recent = episode.closed is not None and cause.now - episode.closed <= REOPENS_WITHIN
        if recent and _same(episode, outcome) and not stays_apart(episode, period):
            opened = msgspec.structs.replace(episode, closed=None, substance="")
            kept, event = keep(opened, outcome, cause, period=period, context=context)
            assert event is not None
            return kept, event, tuple(each for each in closed if each is not episode)
    opened = _opened(key, outcome, cause, period, terms)
    shown = graded(outcome.result, opened, cause.now, cause.rules)
    opened = msgspec.structs.replace(opened, substance=_substance(shown, context, None))
    same = next((each for each in closed if each.uid == opened.uid), None)
    if same is not None:  # the same cause again: its sequence continues
        opened = msgspec.structs.replace(opened, sequence=same.sequence + 1)
    event = EpisodeEvent(CREATE, opened, shown, opened.created, shown.result, inferred=cause.listed)
    return opened, event, tuple(each for each in closed if each is not same)


def past_episode(
    key: FindingKey, outcome: CheckOutcome, cause: EpisodeCause, *, period: Period, removed: int, terms: Terms
) -> list[EpisodeEvent]:
    """Return the two events of an episode that had ended before it was reported: as of the last instant of the presence."""
    opened = _opened(key, outcome, cause, period, terms)
    shown = graded(outcome.result, opened, removed - 1, cause.rules)
    closed = msgspec.structs.replace(opened, sequence=2, closed=cause.now)
    by_snapshot = period.end is not None and period.end.snapshot and follows(cause.rules, WITH_BEGINNINGS)
    last = _inferred(shown) if by_snapshot else shown
    return [
        EpisodeEvent(CREATE, opened, shown, opened.created, shown.result, inferred=cause.listed),
        EpisodeEvent(
            CLOSE, closed, last, max(opened.created, removed), PASS, closed_for="fixed", inferred=cause.listed or by_snapshot
        ),
    ]


def remembered(closed: tuple[Episode, ...], now: int) -> tuple[Episode, ...]:
    """Return the closed episodes that may still reopen, and the last one.

    The fact that caused the last one may arrive again at any time (a workspace is monitored again by the same fact). It then causes the
    same finding, whose sequence must continue: subscribers would drop an event with an id that they have seen.
    """
    return tuple(each for each in closed[:-1] if each.closed is not None and now - each.closed <= REOPENS_WITHIN) + closed[-1:]


def _opened(key: FindingKey, outcome: CheckOutcome, cause: EpisodeCause, period: Period | None, terms: Terms) -> Episode:
    since = _held(outcome)
    grace = terms.grace(since)
    return Episode(
        uid=derived(key.tenant, key.check, key.app_id, key.account, key.staff, cause.id),
        staff=key.staff,
        people=outcome.result.people,
        sequence=1,
        reported=outcome.result,
        created=since,
        since=since,
        created_log=cause.now,
        presence=period.start.time if period else None,
        substance="",
        evidence=_with_cause(outcome.evidence, cause),
        due=grace.due if grace else None,
        grace=dict(grace.parameters) if grace else {},
        baseline=terms.baseline,
    )


def _inferred(result: CheckResult) -> CheckResult:
    """Return a result whose end is inferred from a snapshot, and not reported."""
    parameters = {**result.parameters, "evidence": "snapshot"}
    return msgspec.structs.replace(result, confidence=min(result.confidence, MEDIUM), parameters=dict(sorted(parameters.items())))


def _held(outcome: CheckOutcome) -> int:
    return outcome.result.since if outcome.result.held is None else outcome.result.held


def _same(episode: Episode, outcome: CheckOutcome) -> bool:
    """Say whether an outcome is about people of the episode, by whichever of their ids."""
    return not episode.people or not set(episode.people).isdisjoint(outcome.result.people)


def _substance(result: CheckResult, context: object, handling: FindingHandling | None) -> str:
    """Hash what a reader would call a change."""
    fields = {name: value for name, value in plain(result).items() if name not in ("confidence", "people")}
    fields["handling"] = handling.facts[-1] if handling else None
    return digest(canonical_exact([fields, context]))


def _with_cause(evidence: tuple[CitedFact, ...], cause: EpisodeCause) -> tuple[CitedFact, ...]:
    """Add the cause to the evidence, unless it is cited already."""
    if cause.cited is None or any(each.source.fact == cause.cited.source.fact for each in evidence):
        return evidence
    return (*evidence, cause.cited)
