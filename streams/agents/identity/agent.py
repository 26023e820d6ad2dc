"""The identity agent: from what a tenant's records claim it follows which are one person or organisation; each learns whose it is.

A record that is a profile of its own needs no assignment, so a new contact that shares nothing with anybody costs one claim.
"""

from itertools import islice
from typing import Final, NamedTuple, cast

import msgspec

from schemas.activities.messages import ASSIGNMENTS_TOPIC as ACTIVITY_ASSIGNMENTS
from schemas.activities.messages import VALUE_KIND, company_subject
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles.identity import (
    ASSIGNMENT,
    CLAIM,
    COMPANY,
    CONTACT,
    DEFAULT_RULES,
    FOUNDERS_TOPIC,
    ORG,
    RULES,
    AssignmentMessage,
    Claim,
    ClaimMessage,
    IdentityRules,
    Scope,
)
from schemas.profiles.registers import Assignment, PatchCause
from schemas.versioned import Versioned
from streams.agents.identity.assignments import assignments_topic
from streams.agents.identity.claim_events import CLAIMS_TOPIC, ERASED_TYPE, OF_CONTACTS
from streams.agents.identity.tenant_claims import TenantClaims
from streams.core.identity.components import Component, Linker
from streams.core.identity.rows import ClaimRow, IdentityRow, RulesRow, group_of
from streams.core.identity.rules import LinkingKeys
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

RULES_TOPIC: Final = "identity.rules"
ROWS: Final[Versioned[IdentityRow]] = Versioned(cast("type[IdentityRow]", IdentityRow))

_MOST_OF_A_VALUE: Final = 1000  # records that are looked at: a value of more is no erased person's own
_RECORDS_IN_A_PART: Final = 1000  # of new rules: some 50 ms


def identity() -> Agent:
    """Return the agent. All claims and rules of a tenant are in one partition."""
    return Agent(name="identity", sources=(CLAIMS_TOPIC, RULES_TOPIC), step=step, codec=ROWS, resume=resume)


class _Change(NamedTuple):
    """What placements follow from: the scope, the event, and its trace."""

    scope: Scope
    cause: PatchCause
    trace: str | None


class _Place(NamedTuple):
    """The record that a record's profile is named after, and the record's merges that do not count."""

    founder: str
    ignored: tuple[str, ...] = ()


class _Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far new rules have been applied: to the records up to this one."""

    scope: Scope
    after: str
    cause: PatchCause


def step(batch: Batch, table: Table[IdentityRow], out: Outbox) -> Cursor | None:
    """Place whom each claim touches; begin to place everybody where a tenant's rules changed."""
    if batch.topic == RULES_TOPIC:
        return _rule(batch, table, out)
    compared: dict[Scope, _Compared] = {}
    for record in batch.records:
        message = CLAIM.receive(record.value, out) if record.value else None
        scope, key = Scope.of_claim((record.key or b"").decode("utf-8", "replace"))
        if scope not in compared:
            compared[scope] = _compared(scope, table)
        claims, trace = compared[scope].claims, header(record.headers, "traceparent")
        if message is None and header(record.headers, "ce_type") == ERASED_TYPE:
            if (row := claims.row(key)) is not None:
                _forget(compared[scope], record, key, row, out)
            if header(record.headers, "ce_source") == OF_CONTACTS:  # its activities may be known without a claim
                _send_erased(ACTIVITY_ASSIGNMENTS, record, key, out)
        else:
            _claimed(compared[scope], key, message or _withdrawn(record, claims, key), trace, out)
    return None


def resume(cursor: Cursor, table: Table[IdentityRow], out: Outbox) -> Cursor | None:
    """Place the next records of a scope by its rules; every component once, with its first record."""
    current, *others = _decode(cursor)
    scope, keys, claims = _compared(current.scope, table)
    change = _Change(scope, current.cause, None)
    linker = Linker(keys, claims)
    records = [record for record, _ in islice(table.walk(group_of(scope), current.after), _RECORDS_IN_A_PART)]
    for record in records:
        component = linker.component(record)
        if component is not None and component.records[0] == record:
            _place(component, claims, change, out)
    rest = [_Progress(scope, records[-1], current.cause), *others] if len(records) == _RECORDS_IN_A_PART else others
    return _encode(rest) if rest else None


class _Compared(NamedTuple):
    """A scope's claims, and which of their keys link."""

    scope: Scope
    keys: LinkingKeys
    claims: TenantClaims


def _compared(scope: Scope, table: Table[IdentityRow]) -> _Compared:
    return _Compared(scope, LinkingKeys(rules_in_force(table, scope)), TenantClaims(table, scope))


def _claimed(compared: _Compared, key: str, message: ClaimMessage, trace: str | None, out: Outbox) -> None:
    scope, keys, claims = compared
    row, before = claims.row(key), claims.claim(key)
    if message.claim.is_none:
        if row is not None and before is not None:
            _leave(compared, key, row, _Change(scope, message.cause, trace), out)
        return
    if message.claim == before:
        return
    linker = Linker(keys, claims)
    if before is None and linker.joins_nobody(key, message.claim):
        claims.replace(key, row, message.claim)
        return
    touched = linker.touched(key, before, message.claim)
    claims.replace(key, row, message.claim)
    _place_all(compared, touched, _Change(scope, message.cause, trace), out)


def _leave(compared: _Compared, key: str, row: ClaimRow, change: _Change, out: Outbox) -> None:
    """Take out a record that is none any more: no profile has it or is named after it, and its own id is nobody's alias.

    Where it has an assignment its row stays, since later ones count on from that.
    """
    _, keys, claims = compared
    none = Claim.none(row.claim.answer_to)
    touched = Linker(keys, claims).touched(key, row.claim, none)
    claims.replace(key, row, none)
    if row.assignment is None:
        claims.delete(key)
    _assign(key, _Place(key), claims, change, out)
    _place_all(compared, touched, change, out)


def _withdrawn(record: Message, claims: TenantClaims, key: str) -> ClaimMessage:
    """Return the claim of a record that claims nothing any more."""
    before = claims.claim(key) or Claim()
    return ClaimMessage(Claim.none(before.answer_to), PatchCause(header(record.headers, "ce_causationid") or "", 0))


def _forget(compared: _Compared, record: Message, key: str, before: ClaimRow, out: Outbox) -> None:
    """Withdraw the claim of an erased record, delete its row and its assignment, and place those that were one profile with it.

    The row is gone before they are placed, or the oldest record of their profile could be one that nobody knows any more. What names the erased
    one alone by a value, which nobody else claims, is erased too: it is a value of theirs, and what they did.
    """
    scope, keys, claims = compared
    message = _withdrawn(record, claims, key)
    touched = Linker(keys, claims).touched(key, before.claim, message.claim)
    claims.replace(key, before, message.claim)
    claims.delete(key)
    for value, row in _values_alone(claims, before.claim):
        claims.replace(value, row, Claim(answer_to=VALUE_KIND))
        claims.delete(value)
        _send_erased(ACTIVITY_ASSIGNMENTS, record, value, out)
    _place_all(compared, touched, _Change(scope, message.cause, header(record.headers, "traceparent")), out)
    if before.assignment is not None:
        _send_erased(assignments_topic(before.claim.answer_to), record, key, out)


def _values_alone(claims: TenantClaims, claim: Claim) -> list[tuple[str, ClaimRow]]:
    """Return the records that are named after values which one claim had, where no record but such has them now, with their rows."""
    found: dict[str, ClaimRow] = {}
    for key in claim.keys:
        records, named = claims.claimants(key, _MOST_OF_A_VALUE)
        if not records:
            found |= {each: row for each in named if (row := claims.row(each)) is not None}
    return sorted(found.items())


def _send_erased(topic: str, record: Message, key: str, out: Outbox) -> None:
    """Delete the assignment of an erased record."""
    context = EventContext(
        id=derived(key, "assignment", "erased"),
        source="/intercom-streams/identity",
        type=ERASED_TYPE,
        origin=Origin.DERIVED,
        subject=key,
        partition_key=key,
        causation_id=header(record.headers, "ce_causationid"),
        trace_parent=header(record.headers, "traceparent"),
    )
    out.send(topic, key, None, context.headers())


def _rule(batch: Batch, table: Table[IdentityRow], out: Outbox) -> Cursor | None:
    """Put the tenants' rules, and return the work of applying those that differ from the rules before."""
    changed: dict[Scope, _Progress] = {}
    for record in batch.records:
        scope = Scope.of_rules((record.key or b"").decode("utf-8", "replace"))
        rules = RULES.receive(record.value, out) if record.value else DEFAULT_RULES[scope.profile_type]
        if rules != rules_in_force(table, scope):
            table.put(group_of(scope), "", RulesRow(rules))
            event = header(record.headers, "ce_id") or derived(scope.key(), RULES_TOPIC, record.offset)
            changed[scope] = _Progress(scope, "", PatchCause(event, record.timestamp))
    return _encode(list(changed.values())) if changed else None


def rules_in_force(table: Table[IdentityRow], scope: Scope) -> IdentityRules:
    """Return a scope's rules."""
    row = table.get(group_of(scope))
    return row.rules if isinstance(row, RulesRow) else DEFAULT_RULES[scope.profile_type]


def _place_all(compared: _Compared, touched: set[str], change: _Change, out: Outbox) -> None:
    for component in Linker(compared.keys, compared.claims).components(touched):
        _place(component, compared.claims, change, out)


def _place(component: Component, claims: TenantClaims, change: _Change, out: Outbox) -> None:
    """Send an assignment to each record whose profile, or whose merges that count, differ from what it was last sent."""
    for record in component.records:
        _assign(record, _Place(component.founder, component.ignored.get(record, ())), claims, change, out)


def _assign(record: str, place: _Place, claims: TenantClaims, change: _Change, out: Outbox) -> None:
    """Send a record the assignment that says its place, unless that was sent last. Who is a profile of its own from the beginning needs none."""
    founder, ignored = place
    row = claims.row(record)
    if row is None or (row.assignment is None and record == founder and not ignored):
        return
    number = 0 if row.assignment is None else row.assignment.number
    assignment = Assignment(number + 1, derived(*change.scope, founder), ignored)
    if row.assignment is None or row.assignment[1:] != assignment[1:]:
        claims.assign(record, row, assignment)
        _send(record, row.claim.answer_to, AssignmentMessage(assignment, change.cause, founder), change, out)


def _send(record: str, kind: str, message: AssignmentMessage, change: _Change, out: Outbox) -> None:
    context = EventContext(
        id=derived(record, "assignment", message.assignment.number),
        source="/intercom-streams/identity",
        type="record.assigned.v1",
        origin=Origin.DERIVED,
        causation_id=change.cause.event,
        trace_parent=change.trace,
    )
    value = ASSIGNMENT.encode(message, out.encoding)
    out.send(assignments_topic(kind), record, value, context.headers())
    if change.scope.profile_type == ORG:
        out.send(FOUNDERS_TOPIC, record, value, context.headers())
    if kind == COMPANY:
        out.send(ACTIVITY_ASSIGNMENTS, company_subject(record), value, context.headers())
    elif kind == CONTACT:
        out.send(ACTIVITY_ASSIGNMENTS, record, value, context.headers())


def _encode(progress: list[_Progress]) -> Cursor:
    return msgspec.msgpack.encode(progress)


def _decode(cursor: Cursor) -> list[_Progress]:
    return msgspec.msgpack.decode(cursor, type=list[_Progress])
