"""What follows from a fact, stage by stage. A stage returns the next one, or its own name where more is left than there was room for.

due ──▶ apply ──▶ look                                    most facts
             ├──▶ workspaces ──▶ accounts                 a policy: the whole tenant is looked at
             ├──▶ aliases ──▶ workspaces ──▶ …            settings with other alias domains
             ├──▶ count ──▶ rows ──▶ absent ──▶ look      the end of a listing
             └──▶ drop ──▶ look                           one that is refused, or was never ended
"""

from collections.abc import Callable
from itertools import islice, takewhile
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.ids import derived
from streams.core.access.facts import staff_snapshots as listings
from streams.core.access.facts import teammates as sightings
from streams.core.access.facts.apply import apply
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.references import index_aliases
from streams.core.access.state.rows import Timer
from streams.core.access.state.staff import staff_member
from streams.core.access.state.tenant import State

END: Final = "end"
Key = tuple[str, str]


def timers(turn: Chunk) -> str:
    """Fire the timers due by now, the earliest first, each as of its own instant.

    The cause is the fact that armed it, never the tick.
    """
    fired = list(islice(takewhile(lambda each: each[0] <= turn.now, turn.state.timers()), turn.budget + 1))
    if fired:
        turn.evaluation.load_context()
    for at, timer in fired:
        if turn.budget <= 0:
            return "due"
        turn.budget -= max(1, _fire(turn, at, timer))
    return "apply"


def _fire(turn: Chunk, at: int, timer: Timer) -> int:
    """Fire a timer and return how many accounts were looked at: all of one person's, for they are named in one row."""
    turn.state.disarm(at, timer.person)
    person = turn.state.person(timer.person)
    if person is None:
        return 0
    turn.state.put_person(msgspec.structs.replace(person, timer=None))
    cause = EpisodeCause(derived("employment.ended", at, timer.fact), None, at, turn.now)
    found = _accounts_of(turn.state, timer.person)
    for key in found:
        turn.evaluation.account(key, cause, at)
    return len(found)


def _accounts_of(state: State, person: str) -> list[Key]:
    row = state.person(person)
    records = [record for key in row.records if (record := state.record(key))] if row else []
    found = staff_member(records, person)
    addressed = {key for address in found.addresses for key in state.address(address).accounts} if found else set()
    return sorted(addressed | set(row.accounts if row else ()))


def apply_fact(turn: Chunk) -> str:
    """Do to the rows what the fact says."""
    if turn.budget <= 0:
        return "apply"
    turn.aliases = dict(sightings.aliases(turn.state))
    turn.effect = apply(turn.state, turn.fact, turn.source, turn.now)
    turn.outcome, turn.snapshot = turn.effect.outcome, turn.effect.snapshot
    turn.accounts = set(turn.effect.accounts)
    return turn.effect.follow_up


def aliases(turn: Chunk) -> str:
    """Move every account to the addresses it is looked up under now."""
    after = sightings.aliases(turn.state)
    keys = turn.spend(turn.state.accounts(_key(turn.cursor)))
    index_aliases(turn.state, keys, turn.aliases, after)
    turn.cursor = _behind(turn.cursor, keys)
    return "aliases" if turn.exhausted else "workspaces"


def workspaces(turn: Chunk) -> str:
    """Look at every workspace."""
    found = turn.spend(row.app_id for row in turn.state.workspaces() if row.app_id > turn.cursor)
    evaluation = turn.evaluation.load_context()
    for app_id in found:
        evaluation.workspace(app_id, turn.cause)
        turn.cursor = app_id
    return "workspaces" if turn.exhausted else "accounts"


def accounts(turn: Chunk) -> str:
    """Look at every account."""
    keys = turn.spend(turn.state.accounts(_key(turn.cursor)))
    evaluation = turn.evaluation.load_context()
    for key in keys:
        evaluation.account(key, turn.cause, turn.now)
    turn.cursor = _behind(turn.cursor, keys)
    return "accounts" if turn.exhausted else END


def evaluate(turn: Chunk) -> str:
    """Look at what the fact touched: in order, and where there are more accounts than fit into one turn, by the notes of them."""
    turn.evaluation.load_context()
    for app_id in sorted(turn.effect.workspaces):
        turn.evaluation.workspace(app_id, turn.cause)
    if turn.has_pending_accounts:
        return _evaluate_pending(turn)
    keys = turn.spend(sorted(turn.accounts))
    for key in keys:
        _evaluate_account(turn, key)
    turn.accounts.difference_update(keys)
    return "look" if turn.exhausted else END


def _evaluate_pending(turn: Chunk) -> str:
    for key in sorted(turn.accounts):
        turn.state.pending.put_unseen(key)
    turn.accounts.clear()
    for place, key in turn.spend(turn.state.pending.unseen(turn.cursor)):
        _evaluate_account(turn, key)
        turn.state.pending.drop_unseen(place)
        turn.cursor = place
    return "look" if turn.exhausted else END


def _evaluate_account(turn: Chunk, key: Key) -> None:
    account, touched = turn.state.account(key), turn.effect
    if account is not None and touched.past is not None:
        turn.evaluation.record_past_episode(account, touched.past, turn.cause._replace(id=derived(turn.fact.id, "past")))
    if account is not None and touched.interrupted is not None:
        turn.evaluation.close_all(account, turn.cause._replace(time=touched.interrupted))
    turn.evaluation.account(key, turn.cause, turn.now)


def _key(after: str) -> Key:
    app_id, _, account = after.partition("|")
    return app_id, account


def _behind(after: str, keys: list[Key]) -> str:
    return "|".join(keys[-1]) if keys else after


STAGES: Final = MappingProxyType[str, Callable[[Chunk], str]]({
    "due": timers,
    "apply": apply_fact,
    "aliases": aliases,
    "workspaces": workspaces,
    "accounts": accounts,
    "count": listings.count,
    "rows": listings.apply_rows,
    "absent": listings.withdraw_absent,
    "drop": listings.discard,
    "look": evaluate,
})  # fmt: skip
