"""Merges as Intercom reports them, and which of them count: a cycle of merges, which cannot be, ignores its newest one."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.profiles.version import Version


class MergeEdge(NamedTuple):
    """One record was merged into another, first asserted by the version."""

    version: Version
    source: str
    target: str


def ignored_merges(edges: Iterable[MergeEdge]) -> frozenset[tuple[str, str]]:
    """Return source and target of each edge that would close a cycle of those older than it."""
    targets: dict[str, list[str]] = {}
    ignored = set()
    for _, source, target in sorted(edges, key=_by_age):
        if _leads_to(target, source, targets):
            ignored.add((source, target))
        else:
            targets.setdefault(source, []).append(target)
    return frozenset(ignored)


def _by_age(edge: MergeEdge) -> tuple[int, str, str]:
    """Order edges by time and then by their records: ids of events say nothing that anybody could check."""
    return edge.version.time, edge.source, edge.target


def _leads_to(start: str, end: str, targets: dict[str, list[str]]) -> bool:
    pending, seen = [start], {start}
    while pending:
        record = pending.pop()
        if record == end:
            return True
        for target in targets.get(record, ()):
            if target not in seen:
                seen.add(target)
                pending.append(target)
    return False
