"""The public schema of people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.profiles.registers import Value
from streams.core.profiles.policies import Assertion, Assertions, Records, contact_status, qualified_id
from streams.core.profiles.public_value import PublicSchema
from streams.core.records.registers import inactive_edges


def _consent_fields(records: Records, value: dict[str, Any]) -> Assertions:
    """Add consent, and the subscriptions opted out of."""
    opted_out = _opted_out(records)
    value["unsubscribed"] = sorted(opted_out)
    mail = _consent(records, _DENYING_MAIL, default=True)
    sms = _consent(records, _DENYING_SMS, default=False)
    value["email_allowed"], value["sms_allowed"] = mail[0], sms[0]
    deciding = {name: each for name, each in (("email_allowed", mail[1]), ("sms_allowed", sms[1])) if each is not None}
    return {f"unsubscribed.{name}": assertion for name, assertion in opted_out.items()} | deciding


def _opted_out(records: Records) -> Assertions:
    subscriptions: Assertions = {}
    for record, registers in records.items():
        for name, version in inactive_edges(registers):
            kind, _, entity = name.partition(":")
            if kind == "subscription":
                subscriptions[qualified_id(record, entity)] = Assertion(version, record)
    return subscriptions


_DENYING_MAIL: Final[Mapping[str, Value]] = MappingProxyType({"unsubscribed_from_emails": True})
_DENYING_SMS: Final[Mapping[str, Value]] = MappingProxyType({"sms_consent": False, "unsubscribed_from_sms": True})
"""The fields that say something about a channel, in order of name, and the value of each that forbids it."""


def _consent(records: Records, denying: Mapping[str, Value], *, default: bool) -> tuple[bool, Assertion | None]:
    """Return the most restrictive consent of all records for one channel, and the assertion that decided it.

    Any record's denying value forbids. A record without a value counts as `default`: computed here, never stored.
    """
    asserted: list[tuple[str, Assertion]] = []
    for record in sorted(records):
        for version, values in records[record].now:
            for name, forbids in denying.items():
                value = values.get(name)
                if value is not None:
                    assertion = Assertion(version, record)
                    if value == forbids:
                        return False, assertion
                    asserted.append((name, assertion))
    first = next(iter(denying))
    allowed = bool(records) and (default or len(records) == sum(name == first for name, _ in asserted))
    return allowed, asserted[0][1] if asserted else None


PERSON: Final = PublicSchema(
    status=contact_status,
    fields=frozenset({
        "external_id", "role", "email", "phone", "name", "avatar_url", "owner_id", "language_override",
        "country", "region", "city", "country_code", "continent_code", "has_hard_bounced", "marked_email_as_spam",
        "created_at", "signed_up_at", "last_seen_at", "last_replied_at", "last_contacted_at",
        "last_email_opened_at", "last_email_clicked_at",
    }),
    lists=MappingProxyType({"companies": "company", "tags": "tag", "segments": "segment", "subscribed": "subscription"}),
    computed=_consent_fields,
)  # fmt: skip
