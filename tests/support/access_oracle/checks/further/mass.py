"""C16: many teammates added, removed or changed within an hour, of a workspace."""

import json
from typing import Any

from tests.support.access_oracle.checks.further import entries as log
from tests.support.access_oracle.registers import HOUR
from tests.support.access_oracle.state import State

HEADS = 10


def mass_change(state: State, app_id: str, options: dict[str, Any]) -> str | None:
    """Fail for `days` after the latest change of an hour in which `heads` teammates changed."""
    changes = _changes(state, app_id)
    heads, latest = int(options.get("heads", HEADS)), None
    for time, _ in changes:
        within = {account for other, account in changes if time - HOUR < other <= time}
        if len(within) >= heads:
            latest = time
    return "FAIL" if latest is not None and state.now < latest + log.days(options) else "PASS"


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
