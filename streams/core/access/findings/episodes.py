"""Episodes of a finding: each result, compared with the one before, opens, changes, closes or reopens one.

UNKNOWN opens nothing and closes nothing. A condition that returns within ten minutes of log time reopens its episode.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.canonical import canonical_exact, digest
from schemas.ids import derived
from schemas.plain_values import plain
from streams.core.access.checks.check import FAIL, PASS, UNKNOWN, CheckOutcome
from streams.core.access.checks.table import CHECKS
from streams.core.access.state.rows import CheckResult, CheckRow, CitedFact, Episode

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
    """Why checks are evaluated: the id that names an episode that opens, the fact, its time, and log time. Times are milliseconds."""

    id: str
    cited: CitedFact | None
    time: int
    now: int


class EpisodeEvent(NamedTuple):
    """A change of a finding: `check_result` is the one it reports, `result` what holds now."""

    activity: int
    episode: Episode
    check_result: CheckResult
    time: int
    result: str | None
    closed_for: str | None = None
    superseded_by: str | None = None


class EpisodeChange(NamedTuple):
    """The subject's row from now on, None to delete it, and the event to publish."""

    row: CheckRow | None
    event: EpisodeEvent | None = None


class Closure(NamedTuple):
    """Why a finding closes when its check has no answer any more."""

    closed_for: str = "not_applicable"
    superseded_by: str | None = None
    forget: bool = False  # the presence has ended: a later failure is a new episode


def advance(
    key: FindingKey,
    before: CheckRow | None,
    outcome: CheckOutcome | None,
    *,
    cause: EpisodeCause,
    closure: Closure,
    context: object,
) -> EpisodeChange:
    """Compare an outcome with the subject's row. `context` is what else a reader would call a change: names, roles, addresses.

    `closure` is why the finding closes where there is no outcome.
    """
    row = before or CheckRow()
    if outcome is None:
        return _without_answer(row, cause, closure)
    result = outcome.result
    after = CheckRow(check_result=result, since=_since(row, result, cause), episode=row.episode)
    if result.result == FAIL:
        return _failing(key, after, outcome, cause, _substance(result, context))
    if not is_open(row):
        return EpisodeChange(after)
    if result.result == UNKNOWN:
        return _changed(after, outcome, cause, _substance(result, context))
    return _closed(after, cause, Closure(CHECKS[result.check].closes_as))


def is_open(row: CheckRow) -> bool:
    """Say whether the subject's finding is open."""
    return row.episode is not None and row.episode.closed is None


def past_episode(
    key: FindingKey, outcome: CheckOutcome, cause: EpisodeCause, *, removed: int, context: object
) -> list[EpisodeEvent]:
    """Return the two events of an episode that had ended before it was reported."""
    substance = _substance(outcome.result, context)
    opened = _opened(key, outcome, cause, outcome.result.since, substance)
    end = max(opened.opened, removed)
    closed = msgspec.structs.replace(opened, sequence=2, closed=cause.now)
    return [
        EpisodeEvent(CREATE, opened, outcome.result, opened.opened, FAIL),
        EpisodeEvent(CLOSE, closed, outcome.result, end, PASS, closed_for="fixed"),
    ]


def _failing(key: FindingKey, after: CheckRow, outcome: CheckOutcome, cause: EpisodeCause, substance: str) -> EpisodeChange:
    if is_open(after):
        return _changed(after, outcome, cause, substance)
    episode = after.episode
    if episode is not None and episode.closed is not None and cause.now - episode.closed <= REOPENS_WITHIN:
        return _changed(_with(after, msgspec.structs.replace(episode, closed=None, substance="")), outcome, cause, substance)
    opened = _opened(key, outcome, cause, after.since, substance)
    if episode is not None and episode.uid == opened.uid:  # the same cause again: its sequence continues
        opened = msgspec.structs.replace(opened, sequence=episode.sequence + 1)
    return EpisodeChange(_with(after, opened), EpisodeEvent(CREATE, opened, outcome.result, opened.opened, FAIL))


def _opened(key: FindingKey, outcome: CheckOutcome, cause: EpisodeCause, since: int, substance: str) -> Episode:
    return Episode(
        uid=derived(key.tenant, key.check, key.app_id, key.account, key.staff, cause.id),
        sequence=1,
        opened=since,
        created=cause.now,
        failing=outcome.result,
        substance=substance,
        evidence=_with_cause(outcome.evidence, cause),
    )


def _changed(after: CheckRow, outcome: CheckOutcome, cause: EpisodeCause, substance: str) -> EpisodeChange:
    episode = after.episode
    assert episode is not None
    if episode.substance == substance:
        return EpisodeChange(after)
    failing = outcome.result.result == FAIL
    updated = msgspec.structs.replace(
        episode,
        sequence=episode.sequence + 1,
        substance=substance,
        failing=outcome.result if failing else episode.failing,
        evidence=_with_cause(outcome.evidence if failing else episode.evidence, cause),
    )
    event = EpisodeEvent(UPDATE, updated, outcome.result, max(episode.opened, cause.time), outcome.result.result)
    return EpisodeChange(_with(after, updated), event)


def _closed(after: CheckRow, cause: EpisodeCause, closure: Closure) -> EpisodeChange:
    episode = after.episode
    assert episode is not None
    closed = msgspec.structs.replace(
        episode, sequence=episode.sequence + 1, closed=cause.now, evidence=_with_cause(episode.evidence, cause)
    )
    event = EpisodeEvent(
        CLOSE, closed, episode.failing, max(episode.opened, cause.time),
        PASS if closure.closed_for == "fixed" else None, closure.closed_for, closure.superseded_by,
    )  # fmt: skip
    return EpisodeChange(None if closure.forget else _with(after, msgspec.structs.replace(closed, evidence=())), event)


def _without_answer(row: CheckRow, cause: EpisodeCause, closure: Closure) -> EpisodeChange:
    if is_open(row):
        if closure.closed_for == "fixed" and row.episode is not None and cause.time <= row.episode.opened:
            closure = closure._replace(closed_for="voided")
        return _closed(CheckRow(since=cause.time, episode=row.episode), cause, closure)
    episode = row.episode
    if closure.forget or episode is None or episode.closed is None or cause.now - episode.closed > REOPENS_WITHIN:
        return EpisodeChange(None)
    return EpisodeChange(CheckRow(since=row.since, episode=episode))


def _since(row: CheckRow, result: CheckResult, cause: EpisodeCause) -> int:
    """Return when a result began: with its condition at first, later with the fact that changed it, unless its condition has a date."""
    before = row.check_result
    if before is not None and (before.result, before.reason) == (result.result, result.reason):
        return row.since
    if result.result == FAIL and CHECKS[result.check].backdated:
        return result.since
    return result.since if before is None and row.episode is None else max(result.since, cause.time)


def _substance(result: CheckResult, context: object) -> str:
    """Hash what a reader would call a change; dates and confidence move without being one."""
    fields = {name: value for name, value in plain(result).items() if name not in ("since", "confidence")}
    return digest(canonical_exact([fields, context]))


def _with_cause(evidence: tuple[CitedFact, ...], cause: EpisodeCause) -> tuple[CitedFact, ...]:
    """Add the cause to the evidence, unless it is cited already."""
    if cause.cited is None or any(each.source.fact == cause.cited.source.fact for each in evidence):
        return evidence
    return (*evidence, cause.cited)


def _with(row: CheckRow, episode: Episode) -> CheckRow:
    return msgspec.structs.replace(row, episode=episode)
