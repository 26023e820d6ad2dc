"""The identity agent: from what a tenant's records claim it follows which of them are one person, and each learns whose it is.

A record that is a person of its own needs no assignment, so a new contact that shares nothing with anybody costs one claim.
"""

from itertools import islice
from typing import Final, NamedTuple, cast

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles.identity import ASSIGNMENT, CLAIM, RULES, AssignmentMessage, Claim, ClaimMessage, IdentityRules
from schemas.profiles.registers import Assignment, PatchCause
from schemas.versioned import Versioned
from streams.agents.identity.tenant_claims import TenantClaims
from streams.core.identity.components import Component, Linker
from streams.core.identity.rows import IdentityRow, RulesRow
from streams.core.identity.rules import LinkingKeys
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

CLAIMS_TOPIC: Final = "identity.claims"
RULES_TOPIC: Final = "identity.rules"
ASSIGNMENTS_TOPIC: Final = "contact.assignments"
PERSON: Final = "person"
ROWS: Final[Versioned[IdentityRow]] = Versioned(cast("type[IdentityRow]", IdentityRow))

_NO_RULES: Final = IdentityRules()
_RECORDS_IN_A_PART: Final = 1000  # of new rules: some 50 ms


def identity() -> Agent:
    """Return the agent. All claims and rules of a tenant are in one partition."""
    return Agent(name="identity", sources=(CLAIMS_TOPIC, RULES_TOPIC), step=step, codec=ROWS, resume=resume)


class _Change(NamedTuple):
    """What placements follow from: the tenant, the event, and its trace."""

    tenant: str
    cause: PatchCause
    trace: str | None


class _Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far new rules have been applied: to the records up to this one."""

    tenant: str
    after: str
    cause: PatchCause


def step(batch: Batch, table: Table[IdentityRow], out: Outbox) -> Cursor | None:
    """Place whom each claim touches; begin to place everybody where a tenant's rules changed."""
    if batch.topic == RULES_TOPIC:
        return _rule(batch, table, out)
    tenants: dict[str, _Tenant] = {}
    for record in batch.records:
        message = CLAIM.receive(record.value, out) if record.value else _withdrawn(record)
        name, _, key = (record.key or b"").decode("utf-8", "replace").partition("|")
        if not name or not key:
            raise InvalidRecord("a claim has the key `tenant|record`; only our own agents write claims")
        if name not in tenants:
            tenants[name] = _tenant(name, table)
        _claimed(tenants[name], key, message, header(record.headers, "traceparent"), out)
    return None


def resume(cursor: Cursor, table: Table[IdentityRow], out: Outbox) -> Cursor | None:
    """Place the next records of a tenant by its rules; every component once, with its first record."""
    current, *others = _decode(cursor)
    tenant = _tenant(current.tenant, table)
    change = _Change(current.tenant, current.cause, None)
    linker = Linker(tenant.keys, tenant.claims)
    records = [record for record, _ in islice(table.walk(current.tenant, current.after), _RECORDS_IN_A_PART)]
    for record in records:
        component = linker.component(record)
        if component is not None and component.records[0] == record:
            _place(component, tenant.claims, change, out)
    rest = [_Progress(current.tenant, records[-1], current.cause), *others] if len(records) == _RECORDS_IN_A_PART else others
    return _encode(rest) if rest else None


class _Tenant(NamedTuple):
    """A tenant's claims, and which of their keys link."""

    name: str
    keys: LinkingKeys
    claims: TenantClaims


def _tenant(name: str, table: Table[IdentityRow]) -> _Tenant:
    return _Tenant(name, LinkingKeys(_rules(table, name)), TenantClaims(table, name))


def _claimed(tenant: _Tenant, key: str, message: ClaimMessage, trace: str | None, out: Outbox) -> None:
    name, keys, claims = tenant
    row = claims.row(key)
    before = None if row is None else row.claim
    if message.claim == before:
        return
    linker = Linker(keys, claims)
    if before is None and linker.joins_nobody(key, message.claim):
        claims.replace(key, row, message.claim)
        return
    touched = linker.touched(key, before, message.claim)
    claims.replace(key, row, message.claim)
    change = _Change(name, message.cause, trace)
    for component in Linker(keys, claims).components(touched):
        _place(component, claims, change, out)


def _withdrawn(record: Message) -> ClaimMessage:
    """Return the claim of a record that claims nothing any more. Its row stays: later assignments count on from it."""
    return ClaimMessage(Claim(), PatchCause(header(record.headers, "ce_causationid") or "", 0))


def _rule(batch: Batch, table: Table[IdentityRow], out: Outbox) -> Cursor | None:
    """Put the tenants' rules, and return the work of applying those that differ from the rules before."""
    changed: dict[str, _Progress] = {}
    for record in batch.records:
        rules = RULES.receive(record.value, out) if record.value else _NO_RULES
        tenant = (record.key or b"").decode("utf-8", "replace")
        if not tenant or "|" in tenant:
            raise InvalidRecord("rules have their tenant as key; write them with the configuration")
        if rules != _rules(table, tenant):
            table.put(tenant, "", RulesRow(rules))
            event = header(record.headers, "ce_id") or derived(tenant, RULES_TOPIC, record.offset)
            changed[tenant] = _Progress(tenant, "", PatchCause(event, record.timestamp))
    return _encode(list(changed.values())) if changed else None


def _rules(table: Table[IdentityRow], tenant: str) -> IdentityRules:
    row = table.get(tenant)
    return row.rules if isinstance(row, RulesRow) else _NO_RULES


def _place(component: Component, claims: TenantClaims, change: _Change, out: Outbox) -> None:
    """Send an assignment to each record whose profile, or whose merges that count, differ from what it was last sent."""
    profile = ""
    for record in component.records:
        row = claims.row(record)
        ignored = component.ignored.get(record, ())
        if row is None or (row.assignment is None and record == component.founder and not ignored):
            continue
        profile = profile or derived(change.tenant, PERSON, component.founder)
        number = 0 if row.assignment is None else row.assignment.number
        assignment = Assignment(number + 1, profile, ignored)
        if row.assignment is None or row.assignment[1:] != assignment[1:]:
            claims.assign(record, row, assignment)
            _send(record, assignment, change, out)


def _send(record: str, assignment: Assignment, change: _Change, out: Outbox) -> None:
    context = EventContext(
        id=derived(record, "assignment", assignment.number),
        source="/intercom-streams/identity",
        type="record.assigned.v1",
        origin=Origin.DERIVED,
        time=change.cause.time or None,
        subject=record,
        partition_key=record,
        causation_id=change.cause.event,
        trace_parent=change.trace,
    )
    message = AssignmentMessage(assignment, change.cause)
    out.send(ASSIGNMENTS_TOPIC, record, ASSIGNMENT.encode(message, out.encoding), context.headers())


def _encode(progress: list[_Progress]) -> Cursor:
    return msgspec.msgpack.encode(progress)


def _decode(cursor: Cursor) -> list[_Progress]:
    return msgspec.msgpack.decode(cursor, type=list[_Progress])
