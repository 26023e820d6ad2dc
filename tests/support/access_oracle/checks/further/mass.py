"""C16: many teammates added, removed or changed within an hour, of a workspace."""

import json

from tests.support.access_oracle.checks.further import entries as log
from tests.support.access_oracle.checks.further.answer import Answer, Options, fails, passes
from tests.support.access_oracle.registers import HOUR
from tests.support.access_oracle.state import State

HEADS = 10


def mass_change(state: State, app_id: str, options: Options) -> Answer:
    """Fail for `days` after the latest change of an hour in which `heads` teammates changed."""
    latest = max((time for _, time in mass_changes(state, app_id, options)), default=None)
    return fails("mass_change") if latest is not None and state.now < latest + log.days(options) else passes()


def mass_changes(state: State, app_id: str, options: Options) -> list[tuple[int, int]]:
    """Return when the changes of each hour began and ended in which so many teammates changed."""
    changes, heads = _changes(state, app_id), int(options.get("heads", HEADS))
    hours = [[each for each in changes if time - HOUR < each[0] <= time] for time, _ in changes]
    return [(within[0][0], within[-1][0]) for within in hours if len({account for _, account in within}) >= heads]


def _changes(state: State, app_id: str) -> list[tuple[int, str]]:
    """Return when each teammate was added, removed or changed, as far as the check was on when the log had it.

    An entry of the log names who acted and not whose role or seat it was, so each is another teammate.
    """
    on, found = False, []
    decided = state.decisions_about("settings.applied")
    for logged in state.facts:
        fact = logged.fact
        if any(logged is each for each in decided):
            on = "C16" in json.loads((fact["settings"].get("further") or {}).get("checks") or "{}")
        if not on or fact.get("app_id") != app_id:
            continue
        entry = log.entry_of(logged)
        if logged.kind in ("admin.added", "admin.removed"):
            found.append((fact["time"], str(fact["account"])))
        elif entry and entry.type in log.CHANGES:
            found.append((fact["time"], f"entry {fact['activity']['id']}"))
    return sorted(set(found))
