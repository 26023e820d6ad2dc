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
from streams.core.access.findings.episodes import Cause
from streams.core.access.processing.chunk import Turn
from streams.core.access.state.references import tie_aliases
from streams.core.access.state.rows import Due
from streams.core.access.state.staff import member
from streams.core.access.state.tenant import State

END: Final = "end"
Key = tuple[str, str]


def due(turn: Turn) -> str:
    """Fire the timers due by now, the earliest first, each as of its own instant.

    The cause is the fact that armed it, never the tick.
    """
    fired = list(islice(takewhile(lambda each: each[0] <= turn.now, turn.state.timers()), turn.room + 1))
    if fired:
        turn.evaluation.begin()
    for at, timer in fired:
        if turn.room <= 0:
            return "due"
        turn.room -= max(1, _fire(turn, at, timer))
    return "apply"


def _fire(turn: Turn, at: int, timer: Due) -> int:
    """Fire a timer and return how many accounts were looked at: all of one person's, for they are named in one row."""
    turn.state.disarm(at, timer.person)
    person = turn.state.person(timer.person)
    if person is None:
        return 0
    turn.state.put_person(msgspec.structs.replace(person, armed=None))
    cause = Cause(derived("employment.ended", at, timer.fact), None, at, turn.now)
    found = _accounts_of(turn.state, timer.person)
    for key in found:
        turn.evaluation.account(key, cause, at)
    return len(found)


def _accounts_of(state: State, person: str) -> list[Key]:
    row = state.person(person)
    records = [record for key in row.records if (record := state.record(key))] if row else []
    found = member(records, person)
    addressed = {key for address in found.addresses for key in state.address(address).accounts} if found else set()
    return sorted(addressed | set(row.accounts if row else ()))


def apply_fact(turn: Turn) -> str:
    """Do to the rows what the fact says."""
    if turn.room <= 0:
        return "apply"
    turn.aliases = dict(sightings.aliases(turn.state))
    turn.touched = apply(turn.state, turn.fact, turn.source, turn.now)
    turn.outcome, turn.listing = turn.touched.outcome, turn.touched.listing
    turn.accounts = set(turn.touched.accounts)
    return turn.touched.then


def aliases(turn: Turn) -> str:
    """Move every account to the addresses it is looked up under now."""
    after = sightings.aliases(turn.state)
    keys = turn.take(turn.state.accounts(_key(turn.after)))
    tie_aliases(turn.state, keys, turn.aliases, after)
    turn.after = _behind(turn.after, keys)
    return "aliases" if turn.full else "workspaces"


def workspaces(turn: Turn) -> str:
    """Look at every workspace."""
    found = turn.take(row.app_id for row in turn.state.workspaces() if row.app_id > turn.after)
    evaluation = turn.evaluation.begin()
    for app_id in found:
        evaluation.workspace(app_id, turn.cause)
        turn.after = app_id
    return "workspaces" if turn.full else "accounts"


def accounts(turn: Turn) -> str:
    """Look at every account."""
    keys = turn.take(turn.state.accounts(_key(turn.after)))
    evaluation = turn.evaluation.begin()
    for key in keys:
        evaluation.account(key, turn.cause, turn.now)
    turn.after = _behind(turn.after, keys)
    return "accounts" if turn.full else END


def look(turn: Turn) -> str:
    """Look at what the fact touched: in order, and where there are more accounts than fit into one turn, by the notes of them."""
    turn.evaluation.begin()
    for app_id in sorted(turn.touched.workspaces):
        turn.evaluation.workspace(app_id, turn.cause)
    if turn.unseen:
        return _look_on(turn)
    keys = turn.take(sorted(turn.accounts))
    for key in keys:
        _look_at(turn, key)
    turn.accounts.difference_update(keys)
    return "look" if turn.full else END


def _look_on(turn: Turn) -> str:
    for key in sorted(turn.accounts):
        turn.state.pending.put_unseen(key)
    turn.accounts.clear()
    for place, key in turn.take(turn.state.pending.unseen(turn.after)):
        _look_at(turn, key)
        turn.state.pending.drop_unseen(place)
        turn.after = place
    return "look" if turn.full else END


def _look_at(turn: Turn, key: Key) -> None:
    account, touched = turn.state.account(key), turn.touched
    if account is not None and touched.past is not None:
        turn.evaluation.past(account, touched.past, turn.cause._replace(id=derived(turn.fact.id, "past")))
    if account is not None and touched.interrupted is not None:
        turn.evaluation.absent(account, turn.cause._replace(moment=touched.interrupted))
    turn.evaluation.account(key, turn.cause, turn.now)


def _key(after: str) -> Key:
    app_id, _, account = after.partition("|")
    return app_id, account


def _behind(after: str, keys: list[Key]) -> str:
    return "|".join(keys[-1]) if keys else after


STAGES: Final = MappingProxyType[str, Callable[[Turn], str]]({
    "due": due,
    "apply": apply_fact,
    "aliases": aliases,
    "workspaces": workspaces,
    "accounts": accounts,
    "count": listings.count,
    "rows": listings.rows,
    "absent": listings.absent,
    "drop": listings.drop,
    "look": look,
})  # fmt: skip
