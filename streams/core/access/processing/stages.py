"""The stages of processing a fact. A stage returns the next one, or itself where it has more to do than the chunk's budget allowed.

timers ──▶ discard_stale ──▶ apply ──▶ evaluate ──▶ accounts               most facts; the last where a staff source reports again
               ├──▶ workspaces ──▶ accounts                                policy, settings: the whole tenant is evaluated
               └──▶ count_rows ─┬▶ count_withdrawn ──▶ apply_rows ──▶ withdraw_absent ──▶ evaluate         the end of a staff source's snapshot
                                └▶ count_absent ──▶ apply_teammates ──▶ infer_removals ──▶ evaluate        of a workspace's
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from schemas.ids import derived
from streams.core.access.checks.alarm_test import ALARM_TEST
from streams.core.access.checks.deadlines import arm_record, event_of
from streams.core.access.checks.snapshots import ACCEPTED
from streams.core.access.facts import alarm_tests, freshness
from streams.core.access.facts.apply import apply
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing import coverage, snapshot_stages, teammate_stages
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.directory import Directory
from streams.core.access.state.rows import Timer
from streams.core.access.state.stage import Stage
from streams.core.access.state.values import AccountKey
from streams.core.access.state.work_rows import PendingAccount


def timers(chunk: Chunk) -> Stage:
    """Fire the timers due by now, the earliest first, each as of its own instant.

    The cause is the fact that armed it, never the tick.
    """
    directory = None
    for at, timer in chunk.state.timers.due(chunk.now):
        if chunk.budget <= 0:
            return Stage.TIMERS
        if timer.check == ACCEPTED.id:
            if not teammate_stages.void(chunk, at, timer):
                return Stage.TIMERS
            continue
        if timer.check == ALARM_TEST.id:
            _close_test(chunk, at, timer)
            continue
        if timer.check == coverage.TIMER:
            coverage.renew(chunk, at, timer)
            continue
        if directory is None:
            directory = Directory(chunk.state)
            chunk.evaluation.load_context(directory)
        if timer.check == freshness.TIMER:
            if not _fire_freshness(chunk, at, timer):
                return Stage.TIMERS
        else:
            chunk.budget -= max(1, _fire(chunk, directory, at, timer))
    return Stage.DISCARD_STALE


def _close_test(chunk: Chunk, at: int, timer: Timer) -> None:
    (app_id,) = timer.subject
    alarm_tests.close(chunk.state, app_id)
    cause = EpisodeCause(derived("alarm_test.over", at, timer.fact), None, at, at)
    chunk.evaluation.load_context().workspace(app_id, cause)
    chunk.budget -= 1


def _fire(chunk: Chunk, directory: Directory, at: int, timer: Timer) -> int:
    """Fire a staff record's timer and return how many accounts were evaluated: all that the record can change."""
    cause = EpisodeCause(derived(event_of(timer.check), at, timer.fact), None, at, at)
    source, record = timer.subject
    chunk.state.timers.clear(at, timer.check, timer.subject)
    arm_record(chunk.state, directory, (source, record), at)
    keys = sorted(directory.accounts_of((source, record)))
    for key in keys:
        chunk.evaluation.account(key, cause, at)
    return len(keys)


def _fire_freshness(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate every account as of the instant at which a source becomes stale or fresh; return whether all of them are done."""
    cause = EpisodeCause(derived("source.freshness", at, timer.fact), None, at, at)
    keys = chunk.spend(chunk.state.account_keys(_key(chunk.cursor)))
    for key in keys:
        chunk.evaluation.account(key, cause, at)
    chunk.cursor = _cursor(keys) or chunk.cursor
    if chunk.has_more:
        return False
    chunk.cursor = ""
    chunk.state.timers.clear(at, timer.check, timer.subject)
    freshness.arm(chunk.state, timer.subject[0], at)
    coverage.settle_source(chunk, timer.subject[0], at)
    return True


def apply_fact(chunk: Chunk) -> Stage:
    """Apply the fact to the rows."""
    if chunk.budget <= 0:
        return Stage.APPLY
    chunk.effect = apply(chunk.state, chunk.fact, chunk.source, chunk.now)
    chunk.outcome = chunk.effect.outcome
    chunk.accounts, chunk.all_accounts = set(chunk.effect.accounts), chunk.effect.all_accounts
    return chunk.effect.follow_up


def workspaces(chunk: Chunk) -> Stage:
    """Evaluate every workspace."""
    app_ids = chunk.spend(app_id for app_id, _ in list(chunk.state.workspaces.walk(after=chunk.cursor)))
    evaluation = chunk.evaluation.load_context()
    for app_id in app_ids:
        evaluation.workspace(app_id, chunk.cause)
        chunk.cursor = app_id
    return Stage.WORKSPACES if chunk.has_more else Stage.ACCOUNTS


def accounts(chunk: Chunk) -> Stage:
    """Evaluate every account."""
    keys = chunk.spend(chunk.state.account_keys(_key(chunk.cursor)))
    evaluation = chunk.evaluation.load_context()
    for key in keys:
        evaluation.account(key, chunk.cause, chunk.now)
    chunk.cursor = _cursor(keys) or chunk.cursor
    return Stage.ACCOUNTS if chunk.has_more else Stage.END


def evaluate(chunk: Chunk) -> Stage:
    """Evaluate what the fact affected, in order; more accounts than the budget allows become rows of pending accounts."""
    if not (chunk.effect.workspaces or chunk.accounts or chunk.has_pending_accounts):
        return _after_evaluation(chunk)
    chunk.evaluation.load_context(chunk.effect.directory)
    for app_id in sorted(chunk.effect.workspaces):
        chunk.evaluation.workspace(app_id, chunk.cause)
    if chunk.has_pending_accounts:
        return _evaluate_pending(chunk)
    keys = chunk.spend(sorted(chunk.accounts))
    for key in keys:
        _evaluate_account(chunk, key)
    chunk.accounts.difference_update(keys)
    return Stage.EVALUATE if chunk.has_more else _after_evaluation(chunk)


def _after_evaluation(chunk: Chunk) -> Stage:
    return Stage.ACCOUNTS if chunk.all_accounts else Stage.END


def _evaluate_pending(chunk: Chunk) -> Stage:
    pending = chunk.state.backlog.accounts
    for key in sorted(chunk.accounts):
        pending.put(PendingAccount(), *key)
    chunk.accounts.clear()
    for item, _ in chunk.spend(pending.walk(after=chunk.cursor)):
        _evaluate_account(chunk, _key(item))
        pending.delete(item)
        chunk.cursor = item
    return Stage.EVALUATE if chunk.has_more else _after_evaluation(chunk)


def _evaluate_account(chunk: Chunk, key: AccountKey) -> None:
    account, effect = chunk.state.accounts.get(*key), chunk.effect
    if account is not None and effect.past is not None:
        chunk.evaluation.record_past_episode(account, effect.past, chunk.cause._replace(id=derived(chunk.fact.id, "past")))
    chunk.evaluation.account(key, chunk.cause, chunk.now)


def _key(cursor: str) -> AccountKey:
    app_id, _, account = cursor.partition("|")
    return app_id, account


def _cursor(keys: list[AccountKey]) -> str:
    return "|".join(keys[-1]) if keys else ""


STAGES: Final = MappingProxyType[Stage, Callable[[Chunk], Stage]]({
    Stage.TIMERS: timers,
    Stage.DISCARD_STALE: snapshot_stages.discard_stale,
    Stage.APPLY: apply_fact,
    Stage.WORKSPACES: workspaces,
    Stage.ACCOUNTS: accounts,
    Stage.COUNT_ROWS: snapshot_stages.count_rows,
    Stage.COUNT_WITHDRAWN: snapshot_stages.count_withdrawn,
    Stage.APPLY_ROWS: snapshot_stages.apply_rows,
    Stage.WITHDRAW_ABSENT: snapshot_stages.withdraw_absent,
    Stage.COUNT_ABSENT: teammate_stages.count_absent,
    Stage.APPLY_TEAMMATES: teammate_stages.apply_teammates,
    Stage.INFER_REMOVALS: teammate_stages.infer_removals,
    Stage.EVALUATE: evaluate,
})  # fmt: skip
