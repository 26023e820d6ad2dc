"""The public schema of people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.profiles import policies
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Version
from streams.core.profiles.policies import Assertion, Assertions, Records, contact_status, qualified_id
from streams.core.profiles.public_schema import ConsentBasis, PublicSchema
from streams.core.profiles.storage import CONSENT_FIELDS
from streams.core.records.completeness import incomplete_lists
from streams.core.records.kept import kept_with_registers
from streams.core.records.registers import inactive_edges

_LISTS_OF_KIND: Final[Mapping[str, str]] = MappingProxyType({
    "company": "companies", "tag": "tags", "segment": "segments", "subscription": "subscribed", "subscription-": "unsubscribed",
})  # fmt: skip


def _consent_fields(basis: ConsentBasis, value: dict[str, Any]) -> Assertions:
    """Add consent, the subscriptions opted out of, and which lists are known to be incomplete."""
    value["incomplete"] = sorted(
        {_LISTS_OF_KIND[kind] for registers in basis.contributors.values() for kind in incomplete_lists(registers)}
    )
    opted_out = _opted_out(basis.unmerged)
    value["unsubscribed"] = sorted(opted_out)
    stated = {record: each for record, registers in basis.unmerged.items() if (each := _statements(registers))}
    statements = dict(sorted(stated.items()))
    mail = _consent(basis, statements, _DENYING_MAIL, default=basis.permissions.email)
    sms = _consent(basis, statements, _DENYING_SMS, default=basis.permissions.sms)
    value["email_allowed"], value["sms_allowed"] = mail[0], sms[0]
    deciding = {name: each for name, each in (("email_allowed", mail[1]), ("sms_allowed", sms[1])) if each is not None}
    return {f"unsubscribed.{name}": assertion for name, assertion in opted_out.items()} | deciding


def _opted_out(records: Records) -> Assertions:
    subscriptions: Assertions = {}
    for record, registers in records.items():
        for name, version in inactive_edges(registers) if registers.off else ():
            kind, _, entity = name.partition(":")
            if kind == "subscription":
                opting = Assertion(version, record)
                latest = subscriptions.setdefault(qualified_id(record, entity), opting)
                if latest < opting:
                    subscriptions[qualified_id(record, entity)] = opting
    return subscriptions


_DENYING_MAIL: Final[Mapping[str, Value]] = MappingProxyType({"unsubscribed_from_emails": True})
_DENYING_SMS: Final[Mapping[str, Value]] = MappingProxyType({"sms_consent": False, "unsubscribed_from_sms": True})
"""The fields that say something about a channel, and the value of each that forbids it. The other value of the first one permits it."""


_Statements = list[tuple[str, Value, Version]]


@kept_with_registers
def _statements(registers: Registers) -> _Statements:
    """Return what a record says about the channels, the latest first. Of a field that was emptied the last value counts."""
    return [
        (name, value, version)
        for version, values in (*registers.now, *registers.last)
        for name in CONSENT_FIELDS
        if (value := values.get(name)) is not None
    ]


def _consent(
    basis: ConsentBasis, statements: Mapping[str, _Statements], denying: Mapping[str, Value], *, default: bool
) -> tuple[bool, Assertion | None]:
    """Return the most restrictive consent of all records for one channel, and the assertion that decided it.

    `statements` are those of the records that have some. Any record's denying value forbids, also that of a deleted one. A record without a value counts as `default`: computed here, never
    stored.
    """
    permission = next(iter(denying))
    deciding: Assertion | None = None
    permitted = len(basis.contributors.keys() - statements.keys()) if default else 0
    for record, stated in statements.items():
        contributes, permits = record in basis.contributors, default
        for name, value, version in stated:
            forbids = denying.get(name)
            if forbids is None:  # it is about the other channel
                continue
            if value == forbids:
                return False, Assertion(version, record)
            permits = permits or name == permission
            if contributes:
                deciding = deciding or Assertion(version, record)
        permitted += contributes and permits
    return permitted == len(basis.contributors) > 0, deciding


PERSON: Final = PublicSchema(
    kind=policies.PERSON,
    status=contact_status,
    fields=frozenset({
        "external_id", "role", "email", "phone", "name", "avatar_url", "owner_id", "language_override",
        "country", "region", "city", "country_code", "continent_code", "has_hard_bounced", "marked_email_as_spam",
        "created_at", "signed_up_at", "last_seen_at", "last_replied_at", "last_contacted_at",
        "last_email_opened_at", "last_email_clicked_at",
    }),
    texts=frozenset({
        "external_id", "role", "email", "phone", "name", "avatar_url", "owner_id", "language_override",
        "country", "region", "city", "country_code", "continent_code",
    }),
    ends=frozenset({"archived_at", "archived_because", "deleted_at", "merged_into"}),
    lists=MappingProxyType({"companies": "company", "tags": "tag", "segments": "segment", "subscribed": "subscription"}),
    computed=_consent_fields,
)  # fmt: skip
