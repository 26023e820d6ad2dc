"""A tenant's policy for one kind of profile, and the message by which agents get it. `docs/profiles.md` defines each part."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.versioned import Versioned

PERSON: Final = "person"
ORG: Final = "org"
KINDS: Final = (PERSON, ORG)
PROFILE_TOPICS: Final[Mapping[str, str]] = MappingProxyType({PERSON: "people", ORG: "orgs"})
"""The public topic of each kind of profile, which is also the name of the agent that writes it."""

OVERWRITE: Final = "overwrite"
APPEND_ONLY: Final = "append_only"
IGNORE: Final = "ignore"
FIELD_STRATEGIES: Final = (OVERWRITE, APPEND_ONLY, IGNORE)
_EXISTING: Final = "_existing"
APPEND_EXISTING: Final = "append_existing"
OVERWRITE_EXISTING: Final = "overwrite_existing"
STRATEGIES: Final = (*FIELD_STRATEGIES, APPEND_EXISTING, OVERWRITE_EXISTING)
"""What a source's records do to a profile."""

GOVERNED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        PERSON: ("contacts.policies", "person.records.policies", "people.policies"),
        ORG: ("companies.policies", "org.records.policies", "orgs.policies"),
    }
)
"""The topics by which agents get the policies of a kind: a policy is in every partition of each."""

EVERY_SOURCE: Final = "*"
"""In a list of sources: all of them."""

LONGEST_CONDITION: Final = 1_000  # characters of `select`

_HASH: Final = re.compile(r'"?hmac-sha256:[0-9a-f]{64}"?')


class SourceStrategy(msgspec.Struct, frozen=True, array_like=True):
    """The strategy of one source."""

    source: str
    strategy: str


class FieldPolicy(msgspec.Struct, frozen=True, array_like=True):
    """The rules of the fields and lists that a pattern matches. An empty `priority` is that of the policy."""

    pattern: str
    strategy: str | None = None
    only_empty: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()


class ProfilePolicy(msgspec.Struct, frozen=True, array_like=True):
    """A policy. The default one changes nothing. `sources` and `fields` are in order of name, so that equal policies have equal bytes."""

    enabled: bool = True
    strategy: str = OVERWRITE
    priority: tuple[str, ...] = ()
    sources: tuple[SourceStrategy, ...] = ()
    fields: tuple[FieldPolicy, ...] = ()
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()
    select: str | None = None
    archive_deleted: bool = False
    email: bool = True  # what a record that has no statement about a channel permits
    sms: bool = False


class PolicyMessage(msgspec.Struct, frozen=True, array_like=True):
    """The policy in force for a tenant and kind from now on, because of that event. Its key is `tenant|kind`; the highest version counts."""

    version: int
    event: str
    time: int
    policy: ProfilePolicy


class PolicyInForce(msgspec.Struct, frozen=True, array_like=True, tag="policy"):
    """The policy in force for a tenant, in the table of an agent."""

    message: PolicyMessage


POLICY: Final = Versioned(PolicyMessage)
"""The codec of the topics `*.policies` of agents."""


def creates(strategy: str) -> bool:
    """Return whether records of a source with that strategy make a profile exist."""
    return not strategy.endswith(_EXISTING)


def of_field(strategy: str) -> str:
    """Return what a source's strategy is for the value of a field."""
    return {APPEND_EXISTING: APPEND_ONLY, OVERWRITE_EXISTING: OVERWRITE}.get(strategy, strategy)


def source_of(record: str) -> str:
    """Return the source of a record, given its key."""
    return record.partition(":")[0]


def is_hash(value: object) -> bool:
    """Return whether a value is kept as a keyed hash, as text or as the JSON of one."""
    return isinstance(value, str) and len(value) <= 78 and _HASH.fullmatch(value) is not None  # noqa: PLR2004 - with quotes
