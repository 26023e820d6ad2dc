"""The stages of processing a fact. A stage returns the next one, or itself where it has more to do than the chunk's budget allowed.

timers ──▶ apply ──▶ evaluate                                              most facts
               ├──▶ workspaces ──▶ accounts                                a policy: the whole tenant is evaluated
               ├──▶ move_aliases ──▶ workspaces ──▶ …                      settings with other alias domains
               ├──▶ count_rows ──▶ apply_rows ──▶ withdraw_absent ──▶ evaluate   the end of a snapshot
               └──▶ discard_rows ──▶ evaluate                              a snapshot that is refused, or was never ended
"""

from collections.abc import Callable
from itertools import islice, takewhile
from types import MappingProxyType
from typing import Final

from schemas.ids import derived
from streams.core.access.checks.deadlines import event_of
from streams.core.access.facts.apply import apply
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing import snapshot_stages
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.references import move_to_aliases
from streams.core.access.state.rows import AccountKey, PendingAccount, Timer
from streams.core.access.state.staff import staff_member
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState


def timers(chunk: Chunk) -> Stage:
    """Fire the timers due by now, the earliest first, each as of its own instant.

    The cause is the fact that armed it, never the tick.
    """
    due = list(islice(takewhile(lambda each: each[0] <= chunk.now, chunk.state.timers.walk()), chunk.budget + 1))
    if due:
        chunk.evaluation.load_context()
    for at, timer in due:
        if chunk.budget <= 0:
            return Stage.TIMERS
        chunk.budget -= max(1, _fire(chunk, at, timer))
    return Stage.APPLY


def _fire(chunk: Chunk, at: int, timer: Timer) -> int:
    """Fire a person's timer and return how many accounts were evaluated: all of that person's, as one row names them."""
    chunk.state.timers.clear(at, timer.check, timer.subject)
    cause = EpisodeCause(derived(event_of(timer.check), at, timer.fact), None, at, chunk.now)
    keys = _accounts_of(chunk.state, *timer.subject)
    for key in keys:
        chunk.evaluation.account(key, cause, at)
    return len(keys)


def _accounts_of(state: TenantState, person: str) -> list[AccountKey]:
    row = state.people.get(person)
    if row is None:
        return []
    member = staff_member([record for key in row.records if (record := state.records.get(*key))], person)
    addressed = {key for address in member.addresses for key in state.addresses.holders(address).accounts} if member else set()
    return sorted(addressed | set(row.accounts))


def apply_fact(chunk: Chunk) -> Stage:
    """Apply the fact to the rows."""
    if chunk.budget <= 0:
        return Stage.APPLY
    chunk.aliases = dict(chunk.state.alias_domains)
    chunk.effect = apply(chunk.state, chunk.fact, chunk.source, chunk.now)
    chunk.outcome, chunk.snapshot = chunk.effect.outcome, chunk.effect.snapshot
    chunk.accounts = set(chunk.effect.accounts)
    return chunk.effect.follow_up


def move_aliases(chunk: Chunk) -> Stage:
    """Move every account to the addresses it is looked up under now."""
    keys = chunk.spend(chunk.state.account_keys(_key(chunk.cursor)))
    move_to_aliases(chunk.state, keys, chunk.aliases, chunk.state.alias_domains)
    chunk.cursor = _cursor(keys) or chunk.cursor
    return Stage.MOVE_ALIASES if chunk.has_more else Stage.WORKSPACES


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
    chunk.evaluation.load_context()
    for app_id in sorted(chunk.effect.workspaces):
        chunk.evaluation.workspace(app_id, chunk.cause)
    if chunk.has_pending_accounts:
        return _evaluate_pending(chunk)
    keys = chunk.spend(sorted(chunk.accounts))
    for key in keys:
        _evaluate_account(chunk, key)
    chunk.accounts.difference_update(keys)
    return Stage.EVALUATE if chunk.has_more else Stage.END


def _evaluate_pending(chunk: Chunk) -> Stage:
    pending = chunk.state.backlog.accounts
    for key in sorted(chunk.accounts):
        pending.put(PendingAccount(), *key)
    chunk.accounts.clear()
    for item, _ in chunk.spend(pending.walk(after=chunk.cursor)):
        _evaluate_account(chunk, _key(item))
        pending.delete(item)
        chunk.cursor = item
    return Stage.EVALUATE if chunk.has_more else Stage.END


def _evaluate_account(chunk: Chunk, key: AccountKey) -> None:
    account, effect = chunk.state.accounts.get(*key), chunk.effect
    if account is not None and effect.past is not None:
        chunk.evaluation.record_past_episode(account, effect.past, chunk.cause._replace(id=derived(chunk.fact.id, "past")))
    if account is not None and effect.interrupted is not None:
        chunk.evaluation.close_all(account, chunk.cause._replace(time=effect.interrupted))
    chunk.evaluation.account(key, chunk.cause, chunk.now)


def _key(cursor: str) -> AccountKey:
    app_id, _, account = cursor.partition("|")
    return app_id, account


def _cursor(keys: list[AccountKey]) -> str:
    return "|".join(keys[-1]) if keys else ""


STAGES: Final = MappingProxyType[Stage, Callable[[Chunk], Stage]]({
    Stage.TIMERS: timers,
    Stage.APPLY: apply_fact,
    Stage.MOVE_ALIASES: move_aliases,
    Stage.WORKSPACES: workspaces,
    Stage.ACCOUNTS: accounts,
    Stage.COUNT_ROWS: snapshot_stages.count_rows,
    Stage.APPLY_ROWS: snapshot_stages.apply_rows,
    Stage.WITHDRAW_ABSENT: snapshot_stages.withdraw_absent,
    Stage.DISCARD_ROWS: snapshot_stages.discard_rows,
    Stage.EVALUATE: evaluate,
})  # fmt: skip
