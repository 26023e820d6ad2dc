"""The rows of all checks at one log time, computed from all facts of the log and from nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.support.access_oracle.accounts import Account
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.checks.configured import configured
from tests.support.access_oracle.checks.governed import governed
from tests.support.access_oracle.checks.identified import identified
from tests.support.access_oracle.checks.offboarded import offboarded
from tests.support.access_oracle.checks.valid_access import valid_access
from tests.support.access_oracle.decided.decisions import decided_value, linked_staff
from tests.support.access_oracle.decided.workspaces import known_workspaces, monitoring_of
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import FactDict, Key, LoggedFact
from tests.support.access_oracle.matching import match
from tests.support.access_oracle.presence import Presence
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.state import State, state_at


def rows_at(
    log: Sequence[LoggedFact], now: int, interpretation: Interpretation
) -> tuple[State, dict[Key, dict[str, Row]], dict[str, Row]]:
    """Return the state, the rows of accounts and the rows of workspaces, as of log time `now`."""
    state = state_at(log, now, interpretation)
    accounts = {key: rows for key, account in state.accounts.items() if (rows := account_rows(state, account))}
    return state, accounts, {app_id: configured(state, app_id) for app_id in known_workspaces(state)}


def account_rows(state: State, account: Account) -> dict[str, Row]:
    """Return the rows of one account; none if it is removed, never was there, or is the Fin bot ("no teammate")."""
    app_id = account.key[0]
    presence = account.presence
    if presence.status in ("removed", "none") or f"operator+{app_id}@intercom.io" in account.addresses:
        return {}
    before = presence.before if presence.before and presence.before.status == "active" else None
    stay = presence if presence.status == "active" else (before or presence)
    check = check_input(state, account, stay)
    c1 = identified(check)
    c2 = offboarded(check, c1)
    rows = {"C1": c1, "C2": c2, "C4": valid_access(check, c1, c2), "C5": governed(check)}
    monitoring = monitoring_of(state, app_id)
    if monitoring is not None and not monitoring.on:
        return {name: check.row(name, "UNKNOWN", "unmonitored", monitoring.date) for name in rows}
    if presence.status == "contradiction":
        # "UNKNOWN and a re-read, in both orders, and no finding that begins and ends at once": an open finding stays open [N4].
        return {name: _in_doubt(row, presence, has_stay=stay is not presence) for name, row in rows.items()}
    return rows


def check_input(state: State, account: Account, stay: Presence) -> CheckInput:
    link = linked_staff(state.decisions_about("link", *account.key))
    decided = state.decisions_about("class", *account.key)
    named = match(state, account, lambda record: record.identifies(state.now))
    if not state.interpretation.ambiguous_with_ended:
        active = tuple(pair for pair in named.people if not pair[0].has_left(state.now))
        named = replace(named, people=active or named.people)
    return CheckInput(
        state, account, stay, link, decided_value(decided, _classification), decided_value(decided, governance_of), named
    )


def _classification(fact: FactDict) -> str | None:
    """Return the kind of an account of no single person. "`person` classifies as a person's: as if unclassified"."""
    kind = fact["classification"]["kind"] if fact["kind"] == "account.classified" else None
    return None if kind == "person" else kind


def governance_of(fact: FactDict) -> tuple[Any, ...] | None:
    """Return kind, owner and end of the classification of an account of no single person."""
    if _classification(fact) is None:
        return None
    return tuple(fact["classification"].get(name) for name in ("kind", "owner", "expires"))


def _in_doubt(row: Row, presence: Presence, *, has_stay: bool) -> Row:
    return replace(
        row, status="UNKNOWN", reason="contradiction", since=presence.since, since_settled=False, undoubted=row,
        has_finding=row.has_finding and has_stay,
    )  # fmt: skip
