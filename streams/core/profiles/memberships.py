"""The companies that a record of a person belongs to, and which of several edges a membership of an organisation is taken from."""

from collections.abc import Iterable, Mapping

from schemas.intercom.values import floor_to_second
from schemas.profiles.memberships import MembershipEdge
from schemas.profiles.registers import Registers
from streams.core.profiles.policies import ALIVE, contact_status, qualified_id
from streams.core.records.registers import active_edges, first_activations
from streams.core.records.withdrawal import is_withdrawn


def company_edges(person: str, record: str, registers: Registers) -> Mapping[str, MembershipEdge]:
    """Return the edges of a person's record, by company. A deleted, merged or withdrawn record has none."""
    if not registers.on or contact_status(registers) not in ALIVE or is_withdrawn(registers):
        return {}
    edges: dict[str, MembershipEdge] = {}
    since = first_activations(registers)
    for name, version in active_edges(registers):
        kind, _, entity = name.partition(":")
        if kind == "company":
            first = since.get(name, version)
            edges[qualified_id(record, entity)] = MembershipEdge(person, floor_to_second(first.time), first.event)
    return edges


def oldest_edge(edges: Iterable[tuple[str, MembershipEdge]]) -> tuple[str, MembershipEdge] | None:
    """Return the edge that stands for all edges of a record to the companies of one organisation, with its company."""
    return min(edges, key=lambda each: (each[1].since, each[1].event, each[0]), default=None)
