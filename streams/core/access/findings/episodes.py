"""A finding's life: what an answer, compared with the one before, opens, changes, closes or reopens.

UNKNOWN opens nothing and closes nothing. A condition that returns within ten minutes of log time reopens its episode.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.access.facts import plain
from schemas.canonical import canonical_exact, digest
from schemas.ids import derived
from streams.core.access.checks.table import CHECKS, FAIL, PASS, UNKNOWN, CheckOutcome
from streams.core.access.state.rows import CheckResult, CheckRow, CitedFact, Episode

REOPENS_WITHIN: Final = 10 * 60 * 1000  # ms of log time

CREATE, UPDATE, CLOSE = 1, 2, 3  # OCSF activity_id of a finding


class FindingKey(NamedTuple):
    """Whom an answer is about; empty texts where a part does not apply."""

    tenant: str
    check: str
    app_id: str
    account: str
    staff: str

    def uid_alt(self) -> str:
        """Name the subject whatever the episode."""
        return f"{self.tenant}|{CHECKS[self.check].uid}|{self.app_id}|{self.account}|{self.staff}"

    def key(self) -> str:
        """Return the subject's key on `access.state`."""
        return f"{self.tenant}|{self.check}|{self.app_id}|{self.account}|{self.staff}"


class EpisodeCause(NamedTuple):
    """Why answers are looked at now: what names an episode that opens, when it happened, and log time. Times are milliseconds."""

    id: str
    cited: CitedFact | None
    time: int
    now: int


class EpisodeEvent(NamedTuple):
    """Something to say about a finding: `answer` is the one it tells of, `result` what holds now."""

    activity: int
    episode: Episode
    result_of_check: CheckResult
    time: int
    result: str | None
    closed_for: str | None = None
    superseded_by: str | None = None


class EpisodeChange(NamedTuple):
    """The subject's row from now on, None to forget it, and what to say."""

    subject: CheckRow | None
    event: EpisodeEvent | None = None


class Closure(NamedTuple):
    """What it means for a finding that its check has no answer any more."""

    closed_for: str = "not_applicable"
    superseded_by: str | None = None
    forget: bool = False  # the stay is over: whatever comes next is a new episode


def advance(
    name: FindingKey,
    before: CheckRow | None,
    judged: CheckOutcome | None,
    *,
    cause: EpisodeCause,
    ending: Closure,
    context: object,
) -> EpisodeChange:
    """Compare an answer with the subject's row. `context` is what else a reader would call a change: names, roles, addresses."""
    row = before or CheckRow()
    if judged is None:
        return _without_answer(row, cause, ending)
    answer = judged.result
    since = _since(row, answer, cause)
    after = CheckRow(check_result=answer, since=since, episode=row.episode)
    if answer.result == FAIL:
        return _failing(name, after, judged, cause, _substance(answer, context))
    if not is_open(row):
        return EpisodeChange(after)
    if answer.result == UNKNOWN:
        return _changed(after, judged, cause, _substance(answer, context))
    return _closed(after, cause, _closing(answer))


def is_open(subject: CheckRow) -> bool:
    """Say whether the subject's finding is open."""
    return subject.episode is not None and subject.episode.closed is None


def past_episode(
    name: FindingKey, judged: CheckOutcome, cause: EpisodeCause, *, removed: int, context: object
) -> list[EpisodeEvent]:
    """Return the two events of an episode that was over before it was heard of."""
    substance = _substance(judged.result, context)
    opened = _opened(name, judged, cause, judged.result.since, substance)
    end = max(opened.opened, removed)
    over = msgspec.structs.replace(opened, sequence=2, closed=cause.now)
    return [
        EpisodeEvent(CREATE, opened, judged.result, opened.opened, FAIL),
        EpisodeEvent(CLOSE, over, judged.result, end, PASS, closed_for="fixed"),
    ]


def _failing(name: FindingKey, after: CheckRow, judged: CheckOutcome, cause: EpisodeCause, substance: str) -> EpisodeChange:
    if is_open(after):
        return _changed(after, judged, cause, substance)
    episode = after.episode
    if episode is not None and episode.closed is not None and cause.now - episode.closed <= REOPENS_WITHIN:
        return _changed(_with(after, msgspec.structs.replace(episode, closed=None, substance="")), judged, cause, substance)
    opened = _opened(name, judged, cause, after.since, substance)
    if episode is not None and episode.uid == opened.uid:  # the same cause again: its numbers go on
        opened = msgspec.structs.replace(opened, sequence=episode.sequence + 1)
    return EpisodeChange(_with(after, opened), EpisodeEvent(CREATE, opened, judged.result, opened.opened, FAIL))


def _opened(name: FindingKey, judged: CheckOutcome, cause: EpisodeCause, since: int, substance: str) -> Episode:
    uid = derived(name.tenant, name.check, name.app_id, name.account, name.staff, cause.id)
    return Episode(
        uid=uid,
        sequence=1,
        opened=since,
        created=cause.now,
        failing=judged.result,
        substance=substance,
        exhibits=_shown(judged.evidence, cause),
    )


def _changed(after: CheckRow, judged: CheckOutcome, cause: EpisodeCause, substance: str) -> EpisodeChange:
    episode = after.episode
    assert episode is not None
    if episode.substance == substance:
        return EpisodeChange(after)
    time = max(episode.opened, cause.time)
    failing = judged.result.result == FAIL
    going = msgspec.structs.replace(
        episode,
        sequence=episode.sequence + 1,
        substance=substance,
        failing=judged.result if failing else episode.failing,
        exhibits=_shown(judged.evidence if failing else episode.exhibits, cause),
    )
    return EpisodeChange(_with(after, going), EpisodeEvent(UPDATE, going, judged.result, time, judged.result.result))


def _closed(after: CheckRow, cause: EpisodeCause, ending: Closure) -> EpisodeChange:
    episode = after.episode
    assert episode is not None
    over = msgspec.structs.replace(
        episode, sequence=episode.sequence + 1, closed=cause.now, exhibits=_shown(episode.exhibits, cause)
    )
    event = EpisodeEvent(
        CLOSE, over, episode.failing, max(episode.opened, cause.time),
        PASS if ending.closed_for == "fixed" else None, ending.closed_for, ending.superseded_by,
    )  # fmt: skip
    return EpisodeChange(None if ending.forget else _with(after, msgspec.structs.replace(over, exhibits=())), event)


def _without_answer(row: CheckRow, cause: EpisodeCause, ending: Closure) -> EpisodeChange:
    if is_open(row):
        if ending.closed_for == "fixed" and row.episode is not None and cause.time <= row.episode.opened:
            ending = ending._replace(closed_for="voided")
        return _closed(CheckRow(since=cause.time, episode=row.episode), cause, ending)
    episode = row.episode
    if ending.forget or episode is None or episode.closed is None or cause.now - episode.closed > REOPENS_WITHIN:
        return EpisodeChange(None)
    return EpisodeChange(CheckRow(since=row.since, episode=episode))


def _closing(answer: CheckResult) -> Closure:
    return Closure(
        "not_applicable" if answer.check == "C2" else "fixed"
    )  # C2 passes again only where no end of employment stands


def _since(row: CheckRow, answer: CheckResult, cause: EpisodeCause) -> int:
    """Return when an answer began: with its condition at first sight, later with what changed it, unless its condition has a date."""
    before = row.check_result
    if before is not None and (before.result, before.reason) == (answer.result, answer.reason):
        return row.since
    if answer.result == FAIL and CHECKS[answer.check].backdated:
        return answer.since
    return answer.since if before is None and row.episode is None else max(answer.since, cause.time)


def _substance(answer: CheckResult, context: object) -> str:
    """Hash what a reader would call a change, which leaves out what moves without being one."""
    told = {name: value for name, value in plain(answer).items() if name not in ("since", "confidence")}
    return digest(canonical_exact([told, context]))


def _shown(exhibits: tuple[CitedFact, ...], cause: EpisodeCause) -> tuple[CitedFact, ...]:
    """Add the cause to the evidence, unless it is there."""
    if cause.cited is None or any(each.source.fact == cause.cited.source.fact for each in exhibits):
        return exhibits
    return (*exhibits, cause.cited)


def _with(subject: CheckRow, episode: Episode) -> CheckRow:
    return msgspec.structs.replace(subject, episode=episode)
