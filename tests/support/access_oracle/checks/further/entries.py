"""What the further checks read: switches of the settings, and entries of the activity log."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from tests.support.access_oracle.log import NO_PROOF, LoggedFact
from tests.support.access_oracle.registers import DAY
from tests.support.access_oracle.state import State

LOGIN: Final = "admin_login_success"
INVITED: Final = ("admin_invite_creation", "admin_invite_change")
UNINVITED: Final = "admin_invite_deletion"
CHANGES: Final = ("admin_permission_change", "role_change", "seat_change", "seat_revoke")
TWO_FACTOR: Final = "admin_two_factor_auth_change"
REFUSED: Final = "admin_unauthorized_sign_in_method"
CONSENT, CONSENT_REVOKED = "admin_impersonation_consent_approved", "admin_impersonation_consent_revoked"
CREDENTIALS: Final = {  # each with the entry that says that one of its kind works no more (reference/intercom.md 2.5)
    "custom_authentication_token_creation": "oauth_token_revocation",
    "messenger_api_secret_creation": "messenger_api_secret_deletion",
    "app_package_installation": "app_package_uninstallation",
    "app_package_token_regeneration": "app_package_uninstallation",
    "app_webhook_creation": "app_webhook_deletion",
}
MADE: Final = (*CREDENTIALS, "app_data_export", "bulk_export", "conversation_pdf_export", "macro_usage_export")
DAYS: Final = 30  # "a finding is open for `days` (30) after the latest event"


@dataclass(frozen=True)
class LogEntry:
    """One entry of the activity log, or a login by its own webhook."""

    type: str
    time: int
    app_id: str
    account: str | None
    metadata: dict[str, Any]


def switches(state: State) -> dict[str, dict[str, Any]]:
    """Return the checks that the settings in force switch on, with their options. "Without a line a check has no answer"."""
    text = state.setting(lambda settings: (settings.get("further") or {}).get("checks")).value
    found: dict[str, dict[str, Any]] = json.loads(text) if text else {}
    return found


def days(options: dict[str, Any], usual: int = DAYS) -> int:
    """Return the option in milliseconds."""
    return int(options.get("days", usual)) * DAY


def entries(state: State, app_id: str, account: str | None, types: Collection[str]) -> list[LogEntry]:
    """Return the entries of these types in the workspace, by time; only those that the account made, if it is given."""
    found = [entry for logged in state.facts if (entry := entry_of(logged)) and entry.type in types and entry.app_id == app_id]
    return sorted((e for e in found if account in (None, e.account)), key=lambda entry: entry.time)


def entry_of(logged: LoggedFact) -> LogEntry | None:
    fact = logged.fact
    if fact["kind"] not in ("admin.activity", "admin.logged_in"):
        return None
    type_ = LOGIN if fact["kind"] == "admin.logged_in" else fact["activity"]["type"]
    metadata = json.loads((fact.get("person") or {}).get("metadata") or "{}")
    account = fact.get("account")
    return LogEntry(type_, fact["time"], fact["app_id"], None if account is None else str(account), metadata)


def log_is_known(state: State, app_id: str) -> bool:
    """Whether a login or an entry of the log was ever reported: without any, its silence says nothing."""
    return any(entry.app_id == app_id for logged in state.facts if (entry := entry_of(logged)))


def signs_of_life(state: State, app_id: str, account: str | None = None) -> list[int]:
    """Return when an account, or any of the workspace, logged in or did what the log has an entry of; not what anybody can cause [N26]."""
    named = [
        f
        for f in state.facts
        if f.kind.startswith("admin.") and f.fact.get("app_id") == app_id and f.fact.get("account") is not None
    ]
    used = [
        f for f in named if f.kind == "admin.logged_in" or (f.fact.get("activity") or {}).get("type", NO_PROOF[0]) not in NO_PROOF
    ]
    return [f.fact["time"] for f in used if account in (None, str(f.fact["account"]))]
