"""What Intercom's posts about teammates mean: tables from its topics and its activity log to kinds of facts, and what a payload carries.

A payload says no more than it carries: webhooks below API 2.16 have no role, so none is asserted, and none is guessed from a log entry.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.access.facts import Activity, Admin, Fact, FactPersonalData
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import Envelope
from schemas.intercom.values import identifier_or_none, instant_or_none

SOURCE: Final = "intercom.webhook"
_SECOND: Final = 1000

_KINDS: Final = MappingProxyType(
    {
        "admin.added_to_workspace": "admin.added",
        "admin.removed_from_workspace": "admin.removed",
        "admin.logged_in": "admin.logged_in",
        "admin.logged_out": "admin.logged_out",
    }
)  # any other topic about an admin: seen
_EVERY_ONE: Final = frozenset({"admin.added", "admin.removed"})

_LOG: Final = "admin.activity_log_event.created"
_LOGGED: Final = MappingProxyType({"admin_login_success": "admin.logged_in", "admin_logout": "admin.logged_out"})
_BEARING: Final = frozenset({  # on access; of any other entry of the log only that its actor was there
    "admin_deletion", "admin_deprovisioned", "admin_impersonation_consent_approved", "admin_impersonation_consent_revoked",
    "admin_impersonation_end", "admin_impersonation_start", "admin_invite_change", "admin_invite_creation", "admin_invite_deletion",
    "admin_login_failure", "admin_password_reset_request", "admin_password_reset_success", "admin_permission_change",
    "admin_provisioned", "admin_two_factor_auth_change", "admin_unauthorized_sign_in_method", "app_admin_join",
    "app_authentication_method_change", "app_google_sso_domain_change", "app_identity_verification_change",
    "app_package_installation", "app_package_token_regeneration", "app_package_uninstallation", "app_team_creation",
    "app_data_export", "app_team_deletion", "app_team_membership_modification", "app_webhook_creation", "app_webhook_deletion", "bulk_export",
    "conversation_pdf_export", "custom_authentication_token_creation", "inbox_access_change",
    "macro_usage_export", "messenger_api_secret_creation", "messenger_api_secret_deletion", "oauth_token_revocation", "role_change", "role_creation",
    "role_deletion", "seat_change", "seat_revoke", "security_settings_change", "trusted_domains_setting_change",
})  # fmt: skip

_BOT: Final = "operator+{}@intercom.io"


class TeammateFact(msgspec.Struct, frozen=True):
    """A post about a teammate, read: the fact, the item it is remembered under, and whether every one counts or only the newest.

    `once` is an item of one fact: an entry of the log is the same one over a webhook and over REST.
    `series` is of what it is the newest: a login in the activity log has its method, and the webhook of the same login has not.
    `content` names what it says of address, role and sign-in method, since an older one of other content counts too.
    """

    fact: Fact
    item: str
    every_one_counts: bool
    series: str = ""
    content: str = ""
    once: bool = False


def teammate_fact(note: Envelope, tenant: str) -> TeammateFact | None:
    """Read a post; None where it is about the bot, or names nobody. Raises InvalidRecord for one without what every such post carries."""
    if note.created_at is None:
        raise InvalidRecord(
            "the post about a teammate has no created_at, without which nothing can be put in order; look at the sender"
        )
    item = _object(msgspec.json.decode(note.item))
    fact = _entry(note, tenant, item) if note.topic == _LOG else _teammate(note, tenant, item)
    if fact is None or is_bot(fact.app_id, fact.person):
        return None
    if fact.kind == "admin.activity" and fact.activity is not None:
        return TeammateFact(fact, f"activity|{fact.activity.id}", every_one_counts=True, once=True)
    series = f"{fact.kind} of the log" if fact.kind == "admin.logged_in" and fact.activity else fact.kind
    every_one = fact.kind in _EVERY_ONE
    return TeammateFact(fact, f"account|{fact.account}", every_one_counts=every_one, series=series, content=_content(fact, item))


def _content(fact: Fact, item: Mapping[str, Any]) -> str:
    role = (fact.admin.role_id, fact.admin.role_name) if fact.admin else ()
    method = _text(_object(item.get("metadata")).get("sign_in_method"))
    return derived(*(fact.person.addresses if fact.person else ()), *(part or "" for part in (*role, method)))


def entry_of_the_log(app_id: str, item: bytes) -> Envelope:
    """Return an entry of the activity log that was read over REST as the post that Intercom sends of it. Raises InvalidRecord for what is none."""
    try:
        entry = _object(msgspec.json.decode(item))
    except msgspec.DecodeError as error:
        raise InvalidRecord("an entry of the activity log is no JSON; only backfill and sync write such records") from error
    id_, created = identifier_or_none(entry.get("id")), instant_or_none(entry.get("created_at"))
    if id_ is None or created is None:
        raise InvalidRecord("an entry of the activity log has no id, or no time; only backfill and sync write such records")
    return Envelope(
        id=derived(app_id, _LOG, id_), topic=_LOG, app_id=app_id, created_at=created // _SECOND, item=msgspec.Raw(item)
    )


def _teammate(note: Envelope, tenant: str, item: Mapping[str, Any]) -> Fact | None:
    account = identifier_or_none(item.get("id"))
    if account is None:
        raise InvalidRecord("the post about a teammate does not say whose account it is; look at the sender")
    kind = _KINDS.get(note.topic, "admin.seen")
    return _fact(note, tenant, kind, account, described(item), admin=admin_of(item))


def admin_of(item: Mapping[str, Any]) -> Admin:
    """Return what a teammate's object says of the account."""
    role = _object(item.get("role"))
    teams, seat, away = item.get("team_ids"), item.get("has_inbox_seat"), item.get("away_mode_enabled")
    return Admin(
        role_id=identifier_or_none(role.get("id")),
        role_name=_text(role.get("name")),
        has_inbox_seat=seat if isinstance(seat, bool) else None,
        team_ids=tuple(str(team) for team in teams) if isinstance(teams, list) else None,
        away=away if isinstance(away, bool) else None,
    )


def described(item: Mapping[str, Any]) -> FactPersonalData:
    """Return a teammate's name and address."""
    return _person(item.get("name"), item.get("email"))


def _entry(note: Envelope, tenant: str, item: Mapping[str, Any]) -> Fact | None:
    actor = _object(item.get("performed_by"))
    account = identifier_or_none(actor.get("id")) if actor.get("type") == "admin" else None
    type_ = _text(item.get("activity_type")) or "unknown"
    kind = _LOGGED.get(type_, "admin.activity" if type_ in _BEARING else "admin.seen")
    if account is None and kind != "admin.activity":
        return None
    metadata = item.get("metadata")
    is_kept = kind in ("admin.activity", "admin.logged_in")
    person = msgspec.structs.replace(
        _person(None, actor.get("email")),
        ip=_text(actor.get("ip")),
        text=_text(item.get("activity_description")) if kind == "admin.activity" else None,
        metadata=msgspec.json.encode(metadata, order="sorted").decode() if metadata and is_kept else None,
    )
    entry = Activity(id=identifier_or_none(item.get("id")) or note.id, type=type_)
    return _fact(note, tenant, kind, account, person, activity=entry)


def _fact(
    note: Envelope, tenant: str, kind: str, account: str | None, person: FactPersonalData, *, admin: Admin | None = None,
    activity: Activity | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        id=derived(note.id, kind),
        tenant=tenant,
        kind=kind,
        source=SOURCE,
        basis="observed",
        time=None if note.created_at is None else note.created_at * 1000,
        app_id=note.app_id,
        account=account,
        person=person,
        admin=admin,
        activity=activity,
    )


def is_bot(app_id: str | None, person: FactPersonalData | None) -> bool:
    """Say whether these are the name and address of Fin, which Intercom lists among the teammates of its workspace."""
    bot = _BOT.format(app_id).casefold()
    return person is not None and any(address.strip().casefold() == bot for address in person.addresses)


def _person(name: object, address: object) -> FactPersonalData:
    text = _text(address)
    return FactPersonalData(name=_text(name), addresses=(text,) if text else ())


def _text(value: object) -> str | None:
    """Return a text that Avro can spell, or None."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and value else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
