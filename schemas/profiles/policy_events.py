"""The record of `profile.policies`: a version of a tenant's policy for one kind of profile, never deleted, so that its history can be shown."""

from typing import Final

import msgspec

from schemas.canonical import canonical, digest
from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.plain_values import plain
from schemas.profiles.policies import FieldPolicy, PolicyMessage, ProfilePolicy, SourceStrategy

TOPIC: Final = "profile.policies"
SCHEMA: Final = "profile_policy"

OPERATOR: Final = "operator"
CONFIGURATION: Final = "configuration"


class SourceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The strategy of one source, as published."""

    source: str
    strategy: str


class FieldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the fields that a pattern matches, as published; `*` in a list of sources means all of them."""

    pattern: str
    strategy: str | None = None
    only_empty: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()


class PolicyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A policy, whose it is and who applied it; `replaces` is the id of the event before."""

    id: str
    tenant: str
    kind: str
    version: int
    time: int
    origin: str
    actor: str | None = None
    replaces: str | None = None
    hash: str
    enabled: bool = True
    strategy: str
    priority: tuple[str, ...] = ()
    sources: tuple[SourceEntry, ...] = ()
    fields: tuple[FieldEntry, ...] = ()
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    select: str | None = None
    archive_deleted: bool = False
    email: bool = True
    sms: bool = False

    @property
    def policy(self) -> ProfilePolicy:
        """Return what it says."""
        return ProfilePolicy(
            enabled=self.enabled,
            strategy=self.strategy,
            priority=self.priority,
            sources=tuple(SourceStrategy(each.source, each.strategy) for each in self.sources),
            fields=tuple(
                FieldPolicy(each.pattern, each.strategy, each.only_empty, each.locked, each.priority) for each in self.fields
            ),
            allow=self.allow,
            deny=self.deny,
            hash=self.hashed,
            select=self.select,
            archive_deleted=self.archive_deleted,
            email=self.email,
            sms=self.sms,
        )

    @property
    def message(self) -> PolicyMessage:
        """Return what agents get."""
        return PolicyMessage(self.version, self.id, self.time, self.policy)


def policy_event(
    policy: ProfilePolicy,
    *,
    id: str,  # noqa: A002 - as the event has it
    tenant: str,
    kind: str,
    version: int,
    time: int,
    origin: str,
    actor: str | None,
    replaces: str | None,
) -> PolicyEvent:
    """Return the event of a policy."""
    return PolicyEvent(
        id=id,
        tenant=tenant,
        kind=kind,
        version=version,
        time=time,
        origin=origin,
        actor=actor,
        replaces=replaces,
        hash=policy_hash(policy),
        enabled=policy.enabled,
        strategy=policy.strategy,
        priority=policy.priority,
        sources=tuple(SourceEntry(source=each.source, strategy=each.strategy) for each in policy.sources),
        fields=tuple(
            FieldEntry(
                pattern=each.pattern,
                strategy=each.strategy,
                only_empty=each.only_empty,
                locked=each.locked,
                priority=each.priority,
            )
            for each in policy.fields
        ),
        allow=policy.allow,
        deny=policy.deny,
        hashed=policy.hash,
        select=policy.select,
        archive_deleted=policy.archive_deleted,
        email=policy.email,
        sms=policy.sms,
    )


def policy_hash(policy: ProfilePolicy) -> str:
    """Return a hash of what a policy says."""
    return digest(canonical(msgspec.to_builtins(policy)))


def key_of(tenant: str, kind: str) -> bytes:
    """Return the key of a tenant's policy."""
    return f"{tenant}|{kind}".encode()


def encode(avro: Avro, event: PolicyEvent) -> bytes:
    """Return the event as framed Avro."""
    return avro.encode(SCHEMA, {name: value for name, value in plain(event).items() if name != "id"})


def decode(avro: Avro, data: bytes | None, event_id: str) -> PolicyEvent:
    """Return the event; its id is that of its record. Raises InvalidRecord for any other value."""
    return avro.decode_as(
        PolicyEvent, SCHEMA, data, what="policy", deleted="nothing is ever deleted from this topic", id=event_id
    )


def event_context(avro: Avro, event: PolicyEvent) -> EventContext:
    """Return the CloudEvents context of the event's record."""
    return EventContext(
        id=event.id,
        source=f"/intercom-streams/{event.origin}",
        type="profile.policy.applied.v1",
        origin=Origin.OPERATOR,
        time=event.time,
        subject=key_of(event.tenant, event.kind).decode(),
        partition_key=event.tenant,
        sequence=event.version,
        causation_id=event.replaces,
        data_schema=avro.data_schema(SCHEMA),
        content_type=AVRO,
    )
