"""A policy as people write it: a TOML file, or the tables `[tenants.policies.person]` and `[tenants.policies.org]` of the configuration."""

from collections.abc import Mapping

import msgspec

from schemas.profiles.policies import OVERWRITE

Sources = bool | tuple[str, ...]
"""True for all sources, or some of them."""


class SourceText(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one source."""

    strategy: str


class FieldText(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the fields and lists that a pattern matches."""

    strategy: str | None = None
    only_empty: Sources = False
    locked: Sources = False
    priority: tuple[str, ...] = ()


class PermissionsText(msgspec.Struct, frozen=True, kw_only=True):
    """What a record without a statement permits."""

    email: bool = True
    sms: bool = False


class PolicyText(msgspec.Struct, frozen=True, kw_only=True):
    """A policy, as docs/profiles.md explains its keys."""

    enabled: bool = True
    strategy: str = OVERWRITE
    priority: tuple[str, ...] = ()
    sources: Mapping[str, SourceText] = msgspec.field(default_factory=dict)
    fields: Mapping[str, FieldText] = msgspec.field(default_factory=dict)
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()
    select: str | None = None
    archive_deleted: bool = False
    permissions: PermissionsText = PermissionsText()


class PolicyDocument(PolicyText, frozen=True, kw_only=True):
    """The same in a file of its own, which says whose policy it is, and for what."""

    kind: str
    tenant: str | None = None


class PolicyTables(msgspec.Struct, frozen=True, kw_only=True):
    """The policies in the configuration."""

    person: PolicyText | None = None
    org: PolicyText | None = None
