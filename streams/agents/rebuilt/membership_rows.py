"""Rows of the memberships agent in two generations: edges, and the organisation that a company is part of."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.memberships import MembershipEdge
from schemas.profiles.registers import PatchCause
from schemas.tenancy import Tenancy
from streams.agents.membership.publication import EdgeChange, publish_membership
from streams.agents.membership.rows import CompanyRow, EdgeRow
from streams.agents.rebuilt.group_rows import GroupRows
from streams.core.profiles.memberships import oldest_edge
from streams.engine.agent import Outbox


def comparable(group: str, item: str, row: Any) -> bytes | None:
    """Return an edge and where it counts, or the founder of a company's organisation if that is another company."""
    match row:
        case EdgeRow(edge, passed_on_to):
            return msgspec.msgpack.encode([edge, passed_on_to])
        case CompanyRow(founder=founder) if founder not in {"", group}:
            return founder.encode()
    return None


def why(live: Any, rebuilt: Any) -> str:
    """Say what of an edge or a company differs."""
    if isinstance(live, EdgeRow) and isinstance(rebuilt, EdgeRow):
        parts = [name for name in live.edge.__struct_fields__ if getattr(live.edge, name) != getattr(rebuilt.edge, name)]
        return ", ".join(parts) or "counts for another company"
    return "the company is part of another organisation"


def correct(rows: GroupRows, cause: PatchCause, out: Outbox, *, tenancy: Tenancy, avro: Avro) -> Mapping[str, Any]:
    """Publish the memberships that differ of the organisation that is named after a company."""
    tenant = tenancy.owners.get(rows.group.partition(":")[0])
    if tenant is not None:
        before, after = (_memberships(rows.group, each) for each in (rows.live, rows.rebuilt))
        change = EdgeChange(cause.event, cause, None)
        for record in sorted(before.keys() | after.keys()):
            if before.get(record) != after.get(record):
                publish_membership(avro, (derived(tenant, "org", rows.group), record), after.get(record), change, out)
    return {}


def _memberships(company: str, rows: Mapping[str, Any]) -> dict[str, tuple[str, MembershipEdge]]:
    """Return of each record the edge that its membership is taken from, with the edge's company."""
    edges: dict[str, list[tuple[str, MembershipEdge]]] = defaultdict(list)
    for item, row in rows.items():
        if isinstance(row, EdgeRow) and not row.passed_on_to:
            record, _, passed_on_by = item.partition("|")
            edges[record].append((passed_on_by or company, row.edge))
    found = {record: oldest_edge(each) for record, each in edges.items()}
    return {record: edge for record, edge in found.items() if edge is not None}
