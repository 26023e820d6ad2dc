"""Types of Intercom's activity log that further checks read, what is read of their metadata, and runs of events.

The metadata of most types is documented nowhere. What is not there asserts nothing, and the check says UNKNOWN.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from streams.core.access.state.row_kinds.activity_rows import ActivityEvent, ActivityRow

DAY: Final = 24 * 60 * 60 * 1000  # ms
LOGIN: Final = "login"  # in the place of a type: a login, by webhook or by the log
LOG: Final = "log"  # in the place of a type: the workspace reports its activity log
LOGGED_IN: Final = "admin.logged_in"  # the kind of fact
LOGGED_IN_ENTRY: Final = "admin_login_success"  # the type of the log's entry, which a producer may send as `admin.activity`

CREDENTIALS: Final = MappingProxyType({
    "custom_authentication_token_creation": "oauth_token_revocation",
    "messenger_api_secret_creation": "messenger_api_secret_deletion",
    "app_package_installation": "app_package_uninstallation",
    "app_package_token_regeneration": "app_package_uninstallation",
    "app_webhook_creation": "app_webhook_deletion",
})  # fmt: skip
"""What outlives an account, and the type of entry that may be its end. No entry says which one ended."""

EXPORTS: Final = ("app_data_export", "bulk_export", "conversation_pdf_export", "macro_usage_export")
CHANGES: Final = ("admin_permission_change", "role_change", "seat_change", "seat_revoke")
TWO_FACTOR: Final = "admin_two_factor_auth_change"
UNAUTHORIZED: Final = "admin_unauthorized_sign_in_method"
CONSENT, CONSENT_REVOKED = "admin_impersonation_consent_approved", "admin_impersonation_consent_revoked"

NO_PROOF_OF_PRESENCE: Final = frozenset({"admin_login_failure", UNAUTHORIZED, "admin_password_reset_request"})
"""Anybody can cause these; the account that they name need not exist any more, and nobody has used it."""

BY_ACCOUNT: Final = frozenset({LOGIN, *CREDENTIALS, *EXPORTS, *CHANGES, TWO_FACTOR, UNAUTHORIZED, CONSENT})
"""What is remembered of the account that did it."""
BY_WORKSPACE: Final = frozenset({*CREDENTIALS.values(), CONSENT_REVOKED})
"""What is remembered of the workspace, since who did it does not matter."""


class Run(NamedTuple):
    """Events of which each follows the one before within a time, and the end of that time after the last (ms)."""

    events: tuple[ActivityEvent, ...]
    over: int

    @property
    def since(self) -> int:
        return self.events[0].time

    @property
    def last(self) -> ActivityEvent:
        return self.events[-1]


def of_types(row: ActivityRow | None, types: Iterable[str], since: int | None = None) -> tuple[ActivityEvent, ...]:
    """Return the events of these types, from an instant on (ms), in order of time."""
    found = [event for type_ in types for event in (row.events.get(type_, ()) if row else ())]
    return tuple(sorted((each for each in found if since is None or each.time >= since), key=_order))


def made_by(row: ActivityRow | None) -> dict[str, int]:
    """Return how many credentials of each type an account is known to have made."""
    counts = {type_: len(row.events.get(type_, ())) for type_ in CREDENTIALS} if row else {}
    return {type_: count for type_, count in sorted(counts.items()) if count}


def listed(counts: Mapping[str, int]) -> str:
    """Return counts of types in words."""
    return ", ".join(f"{count} of {type_}" for type_, count in counts.items())


def last_run(events: Sequence[ActivityEvent], within: int) -> Run | None:
    """Return the last run of events of which each follows within that time (ms); it does not depend on when it is looked at."""
    if not events:
        return None
    run = [events[-1]]
    for event in reversed(events[:-1]):
        if run[0].time - event.time >= within:
            break
        run.insert(0, event)
    return Run(tuple(run), run[-1].time + within)


def details(type_: str, metadata: str | None) -> dict[str, str]:
    """Return what is read of an entry's metadata (JSON)."""
    read = _DETAILS.get(type_)
    if read is None or metadata is None:
        return {}
    try:
        value = msgspec.json.decode(metadata)
    except msgspec.DecodeError:
        return {}
    return read(value) if isinstance(value, dict) else {}


def _sign_in(metadata: Mapping[str, Any]) -> dict[str, str]:
    method = metadata.get("sign_in_method")
    return {"sign_in_method": method[:_LONGEST]} if isinstance(method, str) and method.isprintable() else {}


def _enabled(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return whether something is on: `enabled`, or what it is after the change."""
    for value in (metadata.get("enabled"), metadata.get("after")):
        on = value.get("enabled") if isinstance(value, dict) else value
        if isinstance(on, bool) or on in ("true", "false"):
            return {"enabled": str(on).lower()}
    return {}


def _consent(metadata: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    id_, expires = metadata.get("consent_id"), metadata.get("expired_at")
    if isinstance(id_, str | int) and not isinstance(id_, bool):
        found["consent_id"] = str(id_)[:_LONGEST]
    if isinstance(expires, int) and not isinstance(expires, bool) and 0 < expires < _LAST_SECOND:
        found["expires"] = str(expires * 1000)
    return found


def _order(event: ActivityEvent) -> tuple[int, str]:
    return event.time, event.source.fact


_LONGEST: Final = 100  # characters of a detail
_LAST_SECOND: Final = 253_402_300_800
_DETAILS: Final = MappingProxyType[str, Callable[[Mapping[str, Any]], dict[str, str]]]({
    LOGIN: _sign_in, UNAUTHORIZED: _sign_in, TWO_FACTOR: _enabled, CONSENT: _consent, CONSENT_REVOKED: _consent,
})  # fmt: skip
