"""A person as the world sees them, and the organisations that each of their records belongs to."""

from types import MappingProxyType
from typing import Any, Final

from schemas.ids import derived
from schemas.intercom.values import floor_to_second
from schemas.profiles.registers import Registers, Value
from streams.core.profiles.policies import ALIVE, Fields, Records, ResolvedValue, contact_status, qualified_id
from streams.core.profiles.public_value import PublicSchema
from streams.core.records.registers import active_edges, current, first_active, inactive_edges


def _more(records: Records, value: dict[str, Any]) -> Fields:
    """Add consent, and the subscriptions opted out of."""
    out = _opted_out(records)
    value["unsubscribed"] = sorted(out)
    mail = _consent(records, {"unsubscribed_from_emails": True}, empty=True)
    sms = _consent(records, {"sms_consent": False, "unsubscribed_from_sms": True}, empty=False)
    value["email_allowed"], value["sms_allowed"] = mail[0], sms[0]
    chosen = {"email_allowed": mail[1], "sms_allowed": sms[1]}
    return {f"unsubscribed.{name}": one for name, one in out.items()} | {n: one for n, one in chosen.items() if one}


def _opted_out(records: Records) -> Fields:
    found: Fields = {}
    for record, registers in records.items():
        for name, version in inactive_edges(registers):
            kind, _, entry = name.partition(":")
            if kind == "subscription":
                found[qualified_id(record, entry)] = ResolvedValue(False, record, version)
    return found


def _consent(records: Records, denying: dict[str, Value], *, empty: bool) -> tuple[bool, ResolvedValue | None]:
    """Return the most restrictive consent of all records for one channel, and what decided it.

    Any record's denying value forbids. A record that says nothing counts as `empty`: computed here, never stored.
    """
    said = {
        (record, name): ResolvedValue(value, record, version)
        for record, registers in sorted(records.items())
        for name, value, version in current(registers)
        if name in denying
    }
    for (_, name), chosen in said.items():
        if chosen.value == denying[name]:
            return False, chosen
    first = next(iter(denying))
    allowed = bool(records) and (empty or all((record, first) in said for record in records))
    return allowed, next(iter(said.values()), None)


PERSON: Final = PublicSchema(
    status=contact_status,
    fields=frozenset({
        "external_id", "role", "email", "phone", "name", "avatar_url", "owner_id", "language_override",
        "country", "region", "city", "country_code", "continent_code", "has_hard_bounced", "marked_email_as_spam",
        "created_at", "signed_up_at", "last_seen_at", "last_replied_at", "last_contacted_at",
        "last_email_opened_at", "last_email_clicked_at",
    }),
    lists=MappingProxyType({"companies": "company", "tags": "tag", "segments": "segment", "subscribed": "subscription"}),
    computed=_more,
)  # fmt: skip


def memberships(tenant: str, person: str, record: str, registers: Registers) -> dict[str, dict[str, Any]]:
    """Return what a record of a person belongs to, by key `org|record`. A record that is gone belongs to nothing."""
    if contact_status(registers) not in ALIVE:
        return {}
    found = {}
    for name, version in active_edges(registers):
        kind, _, entity = name.partition(":")
        if kind == "company":
            company = qualified_id(record, entity)
            org = derived(tenant, "org", company)
            first = first_active(registers, name) or version
            since = {"since": floor_to_second(first.time), "event": first.event}
            found[f"{org}|{record}"] = {"org": org, "record": record, "person": person, "company": company, **since}
    return found
