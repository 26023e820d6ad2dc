"""What answers rest on: an unbroken series of complete snapshots of a workspace's teammates, and of a staff source.

Coverage is no finding: S1, S3 and S4 say what went wrong. It is what a reader needs to distinguish "nobody is there" from "nobody looked".
"""

from typing import Final, NamedTuple

from streams.core.access.checks.check import PASS, UNKNOWN
from streams.core.access.state.rows import CoverageRow, SourceRow, TeammatesRow
from streams.core.access.state.values import SnapshotProblem

CHECK: Final = "coverage"  # in the place of a check: of the rows of `access.state` that are about coverage
NO_SNAPSHOT: Final = "no_complete_snapshot"
STALE: Final = "stale"
SILENT: Final = "silent"
COMPLETE: Final = "complete"


class Coverage(NamedTuple):
    """Whether something is covered, since when that is so, and the request time of the first snapshot of the series (ms)."""

    result: str
    reason: str
    since: int
    complete_since: int | None = None


def of_workspace(row: TeammatesRow | None, silent: int | None, before: CoverageRow | None, now: int) -> Coverage:
    """Return the coverage of a workspace's teammates at log time `now` (ms), whose webhooks are missing since `silent` (ms)."""
    if silent is not None:
        return Coverage(UNKNOWN, SILENT, silent)
    if row is None:
        return _without(before, NO_SNAPSHOT, now)
    latest = max(row.snapshots, key=lambda each: each.number, default=None)
    return _of_series(before, row.problem, latest.requested if latest else None, now)


def of_source(row: SourceRow | None, stale: int | None, before: CoverageRow | None, now: int) -> Coverage:
    """Return the coverage of a staff source, which is `stale` since an instant (ms)."""
    if stale is not None:
        return Coverage(UNKNOWN, STALE, stale)
    if row is None:
        return _without(before, NO_SNAPSHOT, now)
    latest = max(row.snapshots, key=lambda each: each.number, default=None)
    return _of_series(before, row.problem, latest.requested if latest else None, now)


def _of_series(before: CoverageRow | None, problem: SnapshotProblem | None, latest: int | None, now: int) -> Coverage:
    """A series begins with the first snapshot after a break. A problem breaks it, and a later snapshot begins another."""
    if problem is not None:
        return _without(before, f"snapshot_{problem.reason}", problem.since)
    if latest is None:
        return _without(before, NO_SNAPSHOT, now)
    since = before.complete_since if before is not None and before.complete_since is not None else latest
    return Coverage(PASS, COMPLETE, since, since)


def _without(before: CoverageRow | None, reason: str, since: int) -> Coverage:
    """Return that nothing is covered; the same reason again keeps its date."""
    return Coverage(UNKNOWN, reason, before.since if before is not None and before.reason == reason else since)
