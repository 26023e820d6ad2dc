"""The rows of all checks at one log time, computed from all facts of the log and from nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from tests.support.access_oracle.accounts import Account
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.checks.configured import configured
from tests.support.access_oracle.checks.grants import exempted
from tests.support.access_oracle.checks.identified import identified
from tests.support.access_oracle.checks.offboarded import offboarded
from tests.support.access_oracle.checks.valid_access import valid_access
from tests.support.access_oracle.decisions import decided_value, linked_staff
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import FactDict, Key, LoggedFact
from tests.support.access_oracle.matching import match
from tests.support.access_oracle.presence import Presence
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.state import State, state_at
from tests.support.access_oracle.workspaces import monitoring_of


def rows_at(
    log: Sequence[LoggedFact], now: int, interpretation: Interpretation
) -> tuple[State, dict[Key, dict[str, Row]], dict[str, Row]]:
    """Return the state, the rows of accounts and the rows of workspaces, as of log time `now`."""
    state = state_at(log, now, interpretation)
    accounts = {key: rows for key, account in state.accounts.items() if (rows := account_rows(state, account))}
    return state, accounts, {app_id: configured(state, app_id) for app_id in _workspaces(state)}


def _workspaces(state: State) -> list[str]:
    named = {str(f.fact["app_id"]) for f in state.facts if f.kind.startswith(("admin.", "workspace")) and f.fact.get("app_id")}
    named.update(snapshot.app_id for snapshot in state.listings)
    for logged in state.decisions_about("settings.applied") if state.interpretation.unmonitoring else ():
        named.update(logged.fact["settings"].get("workspaces") or ())
    return [app_id for app_id in sorted(named) if monitoring_of(state, app_id) is not None]


def account_rows(state: State, account: Account) -> dict[str, Row]:
    """Return the rows of one account; none if it is removed, never was there, or is the Fin bot ("no teammate")."""
    app_id = account.key[0]
    presence = account.presence
    if presence.status in ("removed", "none") or f"operator+{app_id}@intercom.io" in account.addresses:
        return {}
    before = presence.before if presence.before and presence.before.status == "active" else None
    stay = presence if presence.status == "active" else (before or presence)
    check = _check_input(state, account, stay)
    c1 = identified(check)
    c2 = offboarded(check, c1)
    rows = {"C1": c1, "C2": c2, "C4": valid_access(check, c1, c2)}
    monitoring = monitoring_of(state, app_id)
    if monitoring is not None and not monitoring.on:
        return {name: check.row(name, "UNKNOWN", "unmonitored", monitoring.date) for name in rows}
    if presence.status == "contradiction":
        # "UNKNOWN and a re-read, in both orders, and no finding that begins and ends at once": an open finding stays open [N4].
        return {name: _in_doubt(row, presence, has_stay=stay is not presence) for name, row in rows.items()}
    return {name: exempted(check, row) for name, row in rows.items()} if state.interpretation.later_kinds else rows


def _check_input(state: State, account: Account, stay: Presence) -> CheckInput:
    link = linked_staff(state.decisions_about("link", *account.key))
    classification = decided_value(state.decisions_about("class", *account.key), _classification)
    named = match(state, account, lambda record: record.identifies(state.now))
    if not state.interpretation.ambiguous_with_ended:
        active = tuple(pair for pair in named.people if not pair[0].has_left(state.now))
        named = replace(named, people=active or named.people)
    return CheckInput(state, account, stay, link, classification, named)


def _classification(fact: FactDict) -> str | None:
    return fact["classification"]["kind"] if fact["kind"] == "account.classified" else None


def _in_doubt(row: Row, presence: Presence, *, has_stay: bool) -> Row:
    return replace(
        row, status="UNKNOWN", reason="contradiction", since=presence.since, since_settled=False,
        has_finding=row.has_finding and has_stay,
    )  # fmt: skip
