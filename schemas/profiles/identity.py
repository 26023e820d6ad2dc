"""What the agents of records and the identity agent send each other: what a record claims, and whose record it is.

`docs/profiles.md` says what follows from a tenant's claims.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from schemas.errors import InvalidRecord
from schemas.profiles.registers import Assignment, PatchCause
from schemas.profiles.version import Version
from schemas.versioned import Versioned

PERSON: Final = "person"
ORG: Final = "org"
"""The types of profiles. A tenant's records of each are compared among themselves."""

CONTACT: Final = "contact"
COMPANY: Final = "company"

EXTERNAL_ID: Final = "external_id"
EMAIL: Final = "email"
PHONE: Final = "phone"
KEY_TYPES: Final = (EXTERNAL_ID, EMAIL, PHONE)
"""What a record of a person can be recognised by."""

COMPANY_ID: Final = "company_id"
DOMAIN: Final = "domain"
ORG_KEY_TYPES: Final = (COMPANY_ID, DOMAIN)
"""What a record of an organisation can be recognised by."""

OWN_IDS: Final = frozenset({EXTERNAL_ID, COMPANY_ID})
"""The keys that are the customer's own ids: every character counts, but what is blocked is blocked in any case of its letters."""

ANY: Final = "any"
NEXT: Final = "next"
MODES: Final = (ANY, NEXT)
"""Whether every key of a record links it, or only the first in the order of the rules that it has."""

FORMS: Final = 1
"""The version of the normal forms in which keys are claimed. Raising it means to rebuild the contacts and identity agents."""

_NO_FORMS: Final = 0  # of a claim that claims nothing, not even that its record exists


_SHARED_MAILBOXES: Final = (
    "admin", "contact", "do-not-reply", "donotreply", "hello", "info", "mail", "no-reply", "noreply", "office", "postmaster", "sales",
    "support", "test",
)  # fmt: skip
_NO_IDS: Final = ("-1", "0", "anonymous", "false", "guest", "n/a", "nan", "nil", "none", "null", "true", "undefined", "unknown")

BLOCKED: Final = tuple(
    sorted((*(f"{EMAIL}:{name}@" for name in _SHARED_MAILBOXES), *(f"{EXTERNAL_ID}:{text}" for text in _NO_IDS)))
)
"""What links nobody unless a tenant wants it: mailboxes that several people read, and texts that programs write for no id."""

_MAIL_PROVIDERS: Final = (
    "aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mail.ru", "me.com",
    "msn.com", "outlook.com", "proton.me", "protonmail.com", "qq.com", "web.de", "yahoo.com", "yandex.ru", "zoho.com",
)  # fmt: skip
_SHARED_SITES: Final = (
    "blogspot.com", "facebook.com", "github.com", "github.io", "google.com", "instagram.com", "linkedin.com", "myshopify.com",
    "notion.site", "shopify.com", "sites.google.com", "twitter.com", "wixsite.com", "wordpress.com", "x.com", "youtube.com",
)  # fmt: skip

ORG_BLOCKED: Final = tuple(
    sorted(
        (
            *(f"{COMPANY_ID}:{text}" for text in _NO_IDS),
            *(f"{DOMAIN}:{host}" for host in (*_MAIL_PROVIDERS, *_SHARED_SITES)),
        )
    )
)
"""The same for organisations: texts for no id, and domains of mail providers and of sites where many have a page."""


class Key(NamedTuple):
    """A value that a record claims as its own, in normal form."""

    type: str
    value: str


class Merge(NamedTuple):
    """A record was merged into another one, as first asserted by the version."""

    target: str
    version: Version


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What one record says about who it is. `created` is ms since 1970, cut to the second; None where it is not known.

    `answer_to` is the kind of record: its assignments go to the topic `KIND.assignments`.
    """

    created: int | None = None
    keys: tuple[Key, ...] = ()
    merges: tuple[Merge, ...] = ()
    forms: int = FORMS
    answer_to: str = CONTACT

    @classmethod
    def none(cls, kind: str) -> "Claim":
        """Return what is claimed of a record of that kind which is none: nothing of it is stored, or its source is withdrawn."""
        return cls(forms=_NO_FORMS, answer_to=kind)

    @property
    def is_none(self) -> bool:
        """Return whether nothing is claimed, not even that the record exists."""
        return self.forms == _NO_FORMS


class ClaimMessage(msgspec.Struct, frozen=True, array_like=True):
    """A record's claim and the event that changed it. Its key is that of `claim_key`."""

    claim: Claim
    cause: PatchCause


class AssignmentMessage(msgspec.Struct, frozen=True, array_like=True):
    """The profile that a record belongs to from now on, and the event because of which. Its key is the record's.

    `founder` is the record that the profile is named after.
    """

    assignment: Assignment
    cause: PatchCause
    founder: str = ""


class IdentityRules(msgspec.Struct, frozen=True, array_like=True):
    """A tenant's rules for people: the keys in order, whether each links or only the first that a record has, and what links nobody.

    An entry of `blocked` is a type of key and a value, as in `email:jo@example.com`; for addresses also `email:test@`, which is
    that name in every domain, and `email:@example.com`, which is every name in that domain.
    """

    keys: tuple[str, ...] = (EXTERNAL_ID, EMAIL)
    mode: str = ANY
    blocked: tuple[str, ...] = BLOCKED
    limit: int = 50  # claimants of one value; more of them are not one person


DEFAULT_RULES: Final[Mapping[str, IdentityRules]] = MappingProxyType(
    {PERSON: IdentityRules(), ORG: IdentityRules(keys=(COMPANY_ID,), blocked=ORG_BLOCKED)}
)
"""The rules of a tenant that has none of its own, by type of profile."""


class Scope(NamedTuple):
    """The records that are compared with each other: those of one tenant and one type of profile."""

    tenant: str
    profile_type: str

    def key(self, record: str = "") -> str:
        """Return the key of a record's claim: `tenant|record`, for organisations `tenant|org|record`; without a record, that of the rules."""
        parts = (self.tenant, record) if self.profile_type == PERSON else (self.tenant, self.profile_type, record)
        return "|".join(part for part in parts if part)

    @classmethod
    def of_claim(cls, key: str) -> tuple["Scope", str]:
        """Return the scope of a claim and its record. Raises InvalidRecord for a key that is no claim's."""
        tenant, _, record = key.partition("|")
        profile_type, separator, rest = record.partition("|")
        scope, record = (cls(tenant, profile_type), rest) if separator else (cls(tenant, PERSON), record)
        if (
            not tenant
            or not record
            or "|" in record
            or scope.profile_type not in DEFAULT_RULES
            or (separator and profile_type == PERSON)
        ):
            raise InvalidRecord("a claim has the key `tenant|record` or `tenant|org|record`; only our own agents write claims")
        return scope, record

    @classmethod
    def of_rules(cls, key: str) -> "Scope":
        """Return the scope that rules with this key are for. Raises InvalidRecord for a key that is none."""
        tenant, separator, profile_type = key.partition("|")
        if not tenant or (separator and profile_type != ORG):
            raise InvalidRecord("rules have the key `tenant` or `tenant|org`; write them with the configuration")
        return cls(tenant, profile_type or PERSON)


CLAIM: Final = Versioned(ClaimMessage)
"""The codec of `identity.claims`."""

FOUNDERS_TOPIC: Final = "membership.founders"
"""Assignments of companies once more, for the memberships agent: a topic has one reader."""

ASSIGNMENT: Final = Versioned(AssignmentMessage)
"""The codec of `contact.assignments` and of the topics like it."""

RULES: Final = Versioned(IdentityRules)
"""The codec of `identity.rules`."""
