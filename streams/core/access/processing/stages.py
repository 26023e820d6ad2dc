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
from streams.core.access.facts.apply import apply
from streams.core.access.processing import coverage, snapshot_stages, teammate_stages, timers
from streams.core.access.processing.chunk import EVALUATED, Chunk, cursor_of, key_of
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.work_rows import PendingAccount
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey


def apply_fact(chunk: Chunk) -> Stage:
    """Apply the fact to the rows."""
    if chunk.budget <= 0:
        return Stage.APPLY
    chunk.effect = apply(chunk.state, chunk.fact, chunk.source, chunk.now)
    chunk.outcome = chunk.effect.outcome
    chunk.accounts, chunk.all_accounts = set(chunk.effect.accounts), chunk.effect.all_accounts
    return chunk.effect.follow_up


def workspaces(chunk: Chunk) -> Stage:
    """Evaluate every workspace, by the sources that the settings expect to report."""
    if not chunk.cursor:
        coverage.settle_sources(chunk)
    app_ids = chunk.spend(app_id for app_id, _ in list(chunk.state.workspaces.walk(after=chunk.cursor)))
    evaluation = chunk.evaluation.load_context()
    for app_id in app_ids:
        evaluation.workspace(app_id, chunk.cause)
        chunk.cursor = app_id
    return Stage.WORKSPACES if chunk.has_more else Stage.ACCOUNTS


def accounts(chunk: Chunk) -> Stage:
    """Evaluate every account."""
    keys = chunk.spend(chunk.state.account_keys(key_of(chunk.cursor)), EVALUATED)
    evaluation = chunk.evaluation.load_context()
    for key in keys:
        evaluation.account(key, chunk.cause, chunk.now)
    chunk.cursor = cursor_of(keys) or chunk.cursor
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
    keys = chunk.spend(sorted(chunk.accounts), EVALUATED)
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
    for item, _ in chunk.spend(pending.walk(after=chunk.cursor), EVALUATED):
        _evaluate_account(chunk, key_of(item))
        pending.delete(item)
        chunk.cursor = item
    return Stage.EVALUATE if chunk.has_more else _after_evaluation(chunk)


def _evaluate_account(chunk: Chunk, key: AccountKey) -> None:
    account, effect = chunk.state.accounts.get(*key), chunk.effect
    if account is not None and effect.past is not None and not _is_unmonitored(chunk.state, key[0]):
        chunk.evaluation.record_past_episode(account, effect.past, chunk.cause._replace(id=derived(chunk.fact.id, "past")))
    chunk.evaluation.account(key, chunk.cause, chunk.now)


def _is_unmonitored(state: TenantState, app_id: str) -> bool:
    """Say whether a workspace is not monitored: by the rules of version 5 a presence that is over is no finding then."""
    row = state.workspaces.get(app_id)
    return row is not None and row.monitored is False and follows(state.rules_version, WITH_DOUBT)


STAGES: Final = MappingProxyType[Stage, Callable[[Chunk], Stage]]({
    Stage.TIMERS: timers.fire_due,
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
