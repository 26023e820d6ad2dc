"""The stages of a snapshot of teammates: ask the guard, apply the rows, and infer the removal of those it lacks.

A snapshot applies only as a whole: nobody's checks are evaluated before its last row is in the table.
"""

from typing import Final

import msgspec

from schemas.ids import derived
from streams.core.access.checks import presence
from streams.core.access.checks.snapshots import ACCEPTED
from streams.core.access.facts import teammates
from streams.core.access.facts.snapshots import StagedSnapshot, snapshot_of, staged_snapshot, teammates_snapshot
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing import coverage
from streams.core.access.processing.chunk import APPLIED, Chunk
from streams.core.access.processing.guard import refuses, waits_behind
from streams.core.access.processing.snapshot_stages import discard
from streams.core.access.state.row_kinds.rules_rows import WITH_BEGINNINGS, WITH_DOUBT, follows
from streams.core.access.state.row_kinds.work_rows import SnapshotStaging, StagedRecord
from streams.core.access.state.rows import AccountRow, TeammatesRow, Timer
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import SnapshotProblem, TeammateSnapshot

REMEMBERED: Final = 32  # snapshots by workspace: five days of one every four hours; what rests on an older one is kept by account

_EVENT: Final = "snapshot_void"  # names the cause of a finding that opens by the timer


def void(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Discard a snapshot whose time is over, and alarm once; return whether all of it is done.

    One that waited to be confirmed has alarmed before.
    """
    app_id, id_ = timer.subject
    snapshot = teammates_snapshot(chunk.state, app_id, id_)
    staging = snapshot.staging()
    if staging is not None and not discard(chunk, snapshot):
        return False
    chunk.budget -= 1
    chunk.state.timers.clear(at, timer.check, timer.subject)
    row = chunk.state.teammates.get(app_id) or TeammatesRow()
    certain = follows(chunk.state.rules_version, WITH_DOUBT)
    if staging is not None and not staging.refused and not _is_moot(row, staging, certain=certain):
        problem = SnapshotProblem("incomplete", id_, at, staging.first, requested=staging.requested)
        chunk.state.teammates.put(msgspec.structs.replace(row, problem=problem), app_id)
        cause = EpisodeCause(derived(_EVENT, at, timer.fact), None, at, at)
        chunk.evaluation.load_context().workspace(app_id, cause)
        coverage.settle_workspace(chunk, app_id, cause)
    return True


def _is_moot(row: TeammatesRow, staging: SnapshotStaging, *, certain: bool) -> bool:
    """Say whether a refused snapshot still waits, or a complete one was requested later: then a void one is no news.

    Where the one requested last is `certain` to count, neither is one before another that was cut off.
    """
    problem = row.problem
    waits = problem is not None and (problem.reason == "refused" or (certain and (problem.requested or 0) > staging.requested))
    return waits or any(each.requested >= staging.requested for each in row.snapshots)


def count_absent(chunk: Chunk) -> Stage:
    """Count the present teammates and those of them that the snapshot would remove; refuse it where they are too many at once."""
    state, snapshot = chunk.state, staged_snapshot(chunk.state, chunk.fact)
    staging, row = _staging(snapshot), state.teammates.get(snapshot.scope) or TeammatesRow()
    applied = _applied(chunk, row, staging)
    accounts = chunk.spend(state.accounts.walk(snapshot.scope, after=chunk.cursor))
    certain = follows(state.rules_version, WITH_BEGINNINGS)
    present = {account: each for account, each in accounts if _is_present(each, row.snapshots, certain=certain)}
    lacking, following = snapshot.lacking(present), _with(row, applied)
    absent = sum(presence.presence_of(present[account], following).period is None for account in lacking)
    chunk.cursor = accounts[-1][0] if accounts else chunk.cursor
    staging = msgspec.structs.replace(staging, heads=staging.heads + len(present), absent=staging.absent + absent)
    snapshot.put(staging)
    if chunk.has_more:
        return Stage.COUNT_ABSENT
    if refuses(staging, state.read_settings.guard):
        return _refuse(chunk, snapshot, staging, row)
    state.timers.set(ACCEPTED.id, (snapshot.scope, snapshot.id), None)
    is_outdated = following[-1] != applied and follows(state.rules_version, WITH_DOUBT)
    after = msgspec.structs.replace(
        row,
        snapshots=following,
        applied=row.applied + 1,
        missed=row.missed + staging.absent,
        missed_last=row.missed_last if is_outdated else staging.absent,
    )
    state.teammates.put(after, snapshot.scope)
    return Stage.APPLY_TEAMMATES


def _is_present(account: AccountRow, snapshots: tuple[TeammateSnapshot, ...], *, certain: bool) -> bool:
    """Say whether an account is present; where it has to be `certain`, one that an event of the same second removed is not."""
    found = presence.presence_of(account, snapshots)
    return found.period is not None and not (certain and found.unsettled is not None)


def _refuse(chunk: Chunk, snapshot: StagedSnapshot, staging: SnapshotStaging, row: TeammatesRow) -> Stage:
    """Keep a snapshot until it is confirmed, or until the next one is decided.

    By the rules of version 5 one that was requested before such a one, or before one that was cut off, is no news, and is discarded before the
    next fact. Behind a later one that was applied none is refused: it removes nobody who is there now.
    """
    chunk.outcome = "refused"
    snapshot.put(msgspec.structs.replace(staging, refused=True))
    if _waits_behind(chunk.state, snapshot.scope, row, snapshot.id, staging.requested):
        chunk.state.timers.set(ACCEPTED.id, (snapshot.scope, snapshot.id), chunk.now, chunk.fact.id)
        return Stage.EVALUATE
    _drop_refused(chunk, row, snapshot.scope)
    chunk.state.timers.set(ACCEPTED.id, (snapshot.scope, snapshot.id), None)
    problem = SnapshotProblem("refused", snapshot.id, chunk.now, chunk.source, staging.heads, staging.absent, staging.requested)
    chunk.state.teammates.put(msgspec.structs.replace(row, problem=problem), snapshot.scope)
    chunk.evaluation.load_context().workspace(snapshot.scope, chunk.cause)
    return Stage.EVALUATE


def _drop_refused(chunk: Chunk, row: TeammatesRow, app_id: str) -> None:
    """Let the timer discard an earlier snapshot that waits to be confirmed, in bounded parts: it is due before the next fact."""
    if row.problem is not None and row.problem.reason == "refused" and row.problem.id != snapshot_of(chunk.fact).id:
        chunk.state.timers.set(ACCEPTED.id, (app_id, row.problem.id), chunk.now, chunk.fact.id)


def apply_teammates(chunk: Chunk) -> Stage:
    """Apply the staged rows as of the snapshot's request."""
    snapshot = staged_snapshot(chunk.state, chunk.fact)
    requested, staged = _staging(snapshot).requested, snapshot.rows.staged
    for item, row in chunk.spend(staged.walk(snapshot.scope, snapshot.id, after=chunk.cursor), APPLIED):
        assert isinstance(row, StagedRecord)
        chunk.accounts |= teammates.listed(chunk.state, *row.read(requested), _number(chunk)).accounts
        staged.delete(snapshot.scope, snapshot.id, item)
        chunk.cursor = item
    return Stage.APPLY_TEAMMATES if chunk.has_more else Stage.INFER_REMOVALS


def infer_removals(chunk: Chunk) -> Stage:
    """Find the accounts whose presence the snapshot changes by lacking them; forget the oldest snapshot where there are many."""
    state, snapshot, number = chunk.state, staged_snapshot(chunk.state, chunk.fact), _number(chunk)
    row = state.teammates.get(snapshot.scope) or TeammatesRow()
    before = [each for each in row.snapshots if each.number != number]
    forgotten = row.snapshots[0] if len(row.snapshots) > REMEMBERED else None
    for account, each in chunk.spend(state.accounts.walk(snapshot.scope, after=chunk.cursor)):
        if number not in each.listed and presence.presence_of(each, before) != presence.presence_of(each, row.snapshots):
            chunk.accounts.add((snapshot.scope, account))
        kept = presence.without_snapshot(each, row.snapshots, forgotten) if forgotten else each
        if kept is not each:
            state.accounts.put(kept, snapshot.scope, account)
        chunk.cursor = account
    if chunk.has_more:
        return Stage.INFER_REMOVALS
    applied = next(each for each in row.snapshots if each.number == number)
    waits = _waits_behind(state, snapshot.scope, row, applied.id, applied.requested)
    if not waits:
        _drop_refused(chunk, row, snapshot.scope)
    known = row.snapshots[1:] if forgotten else row.snapshots
    after = msgspec.structs.replace(row, problem=row.problem if waits else None, snapshots=known)
    state.teammates.put(after, snapshot.scope)
    teammates.monitor(state, snapshot.scope, msgspec.structs.replace(applied.source, date=applied.requested))
    snapshot.forget()
    chunk.evaluation.load_context().workspace(snapshot.scope, chunk.cause)
    return Stage.EVALUATE


def _waits_behind(state: TenantState, app_id: str, row: TeammatesRow, id_: str, requested: int) -> bool:
    """Say whether one that was refused or cut off was requested after the one with that id: older news answers no doubt about it."""
    problem = row.problem
    if problem is not None and problem.requested is None:  # a row of before has only its staging
        staging = teammates_snapshot(state, app_id, problem.id).staging()
        problem = msgspec.structs.replace(
            problem, requested=staging.requested if staging is not None and staging.refused else None
        )
    return waits_behind(problem, id_, requested, state.rules_version)


def _applied(chunk: Chunk, row: TeammatesRow, staging: SnapshotStaging) -> TeammateSnapshot:
    """Return the snapshot as it is remembered. One that was refused is completed by its end, not by the decision that confirms it."""
    id_ = snapshot_of(chunk.fact).id
    refused = row.problem.source if row.problem is not None and row.problem.id == id_ else None
    return TeammateSnapshot(staging.requested, id_, row.applied, refused or chunk.source)


def _with(row: TeammatesRow, snapshot: TeammateSnapshot) -> tuple[TeammateSnapshot, ...]:
    return tuple(sorted((*row.snapshots, snapshot), key=lambda each: (each.requested, each.id)))


def _number(chunk: Chunk) -> int:
    """Return the number of the snapshot that is applied: the last one."""
    row = chunk.state.teammates.get(chunk.fact.app_id or "")
    return row.applied - 1 if row else 0


def _staging(snapshot: StagedSnapshot) -> SnapshotStaging:
    staging = snapshot.staging()
    assert staging is not None
    return staging
