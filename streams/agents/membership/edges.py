"""Edges: which companies a record belongs to, as a record of whose person. The agent of the record sends them to the memberships agent.

An edge has one key, and the person it names changes when the record moves from one person to another. Only the agent of the
record sees all of its states in order; of two persons' agents either could be the later one.
"""

from collections.abc import Mapping

from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.message import Headers
from schemas.profiles.memberships import EDGE, TOPIC, EdgeKey, EdgeMessage, MembershipEdge
from schemas.profiles.registers import Assignment, PatchCause, Registers
from streams.core.identity.claims import without_merges
from streams.core.profiles.memberships import company_edges
from streams.engine.agent import Outbox

Edges = Mapping[str, MembershipEdge]


def edges_of(record: str, assignment: Assignment, registers: Registers) -> Edges:
    """Return the edges of a record, by company."""
    if not registers.on:
        return {}
    return company_edges(assignment.profile, record, without_merges(registers, assignment.ignored))


def may_differ(before: Registers, after: Registers) -> bool:
    """Return whether edges can differ between two states of a record: fields, which most events are about, decide nothing here."""
    return (before.on, before.off, before.since, before.complete) != (after.on, after.off, after.since, after.complete)


def send_changes(
    record: str, before: Edges, after: Edges, *, cause: PatchCause, step: str, trace: str | None, out: Outbox
) -> None:
    """Send the edges that differ; those that ended as tombstones. `step` names what the cause did to the record."""
    for company in sorted(before.keys() | after.keys()):
        edge = after.get(company)
        if before.get(company) != edge:
            key = EdgeKey(company, record)
            send_edge(key, edge, event_id=derived(str(key), cause.event, step), cause=cause, trace=trace, out=out)


def send_edge(
    key: EdgeKey, edge: MembershipEdge | None, *, event_id: str, cause: PatchCause, trace: str | None, out: Outbox
) -> None:
    """Send an edge, or its end. Of several states within one transaction the last alone is sent: nobody asks for those before it."""

    def made() -> tuple[bytes | None, Headers]:
        context = EventContext(
            id=event_id,
            source="/intercom-streams/memberships",
            type=f"membership.edge.{'ended' if edge is None else 'changed'}.v1",
            origin=Origin.DERIVED,
            time=cause.time or None,
            subject=key.record,
            partition_key=key.company,
            causation_id=cause.event,
            trace_parent=trace,
        )
        return None if edge is None else EDGE.encode(EdgeMessage(edge, cause), out.encoding), context.headers()

    out.send_latest(TOPIC, str(key), made)
