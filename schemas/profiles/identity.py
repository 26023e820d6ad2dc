"""What the agents of records and the identity agent send each other: what a record claims, and whose record it is.

`docs/profiles.md` says what follows from a tenant's claims.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.profiles.registers import Assignment, PatchCause
from schemas.profiles.version import Version
from schemas.versioned import Versioned

EXTERNAL_ID: Final = "external_id"
EMAIL: Final = "email"
PHONE: Final = "phone"
KEY_TYPES: Final = (EXTERNAL_ID, EMAIL, PHONE)
"""What a record can be recognised by."""

ANY: Final = "any"
NEXT: Final = "next"
MODES: Final = (ANY, NEXT)
"""Whether every key of a record links it, or only the first in the order of the rules that it has."""

FORMS: Final = 1
"""The version of the normal forms in which keys are claimed. Raising it means to rebuild the contacts and identity agents."""


_SHARED_MAILBOXES: Final = (
    "admin", "contact", "do-not-reply", "donotreply", "hello", "info", "mail", "no-reply", "noreply", "office", "postmaster", "sales",
    "support", "test",
)  # fmt: skip
_NO_IDS: Final = ("-1", "0", "anonymous", "false", "guest", "n/a", "nan", "nil", "none", "null", "true", "undefined", "unknown")

BLOCKED: Final = tuple(
    sorted((*(f"{EMAIL}:{name}@" for name in _SHARED_MAILBOXES), *(f"{EXTERNAL_ID}:{text}" for text in _NO_IDS)))
)
"""What links nobody unless a tenant wants it: mailboxes that several people read, and texts that programs write for no id."""


class Key(NamedTuple):
    """A value that a record claims as its own, in normal form."""

    type: str
    value: str


class Merge(NamedTuple):
    """A record was merged into another one, as first asserted by the version."""

    target: str
    version: Version


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What one record says about who it is. `created` is ms since 1970, cut to the second; None where it is not known."""

    created: int | None = None
    keys: tuple[Key, ...] = ()
    merges: tuple[Merge, ...] = ()
    forms: int = FORMS


class ClaimMessage(msgspec.Struct, frozen=True, array_like=True):
    """A record's claim and the event that changed it. Its key is `tenant|record`."""

    claim: Claim
    cause: PatchCause


class AssignmentMessage(msgspec.Struct, frozen=True, array_like=True):
    """The profile that a record belongs to from now on, and the event because of which. Its key is the record's."""

    assignment: Assignment
    cause: PatchCause


class IdentityRules(msgspec.Struct, frozen=True, array_like=True):
    """A tenant's rules: the keys in order, whether each links or only the first that a record has, and what links nobody.

    An entry of `blocked` is a type of key and a value, as in `email:jo@example.com`; for addresses also `email:test@`, which is
    that name in every domain, and `email:@example.com`, which is every name in that domain.
    """

    keys: tuple[str, ...] = (EXTERNAL_ID, EMAIL)
    mode: str = ANY
    blocked: tuple[str, ...] = BLOCKED
    limit: int = 50  # claimants of one value; more of them are not one person


CLAIM: Final = Versioned(ClaimMessage)
"""The codec of `identity.claims`."""

ASSIGNMENT: Final = Versioned(AssignmentMessage)
"""The codec of `contact.assignments`."""

RULES: Final = Versioned(IdentityRules)
"""The codec of `identity.rules`."""
