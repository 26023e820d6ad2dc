"""The guard on complete snapshots: a mass disappearance is likelier a faulty reading than a mass departure, and is refused."""

from schemas.tenancy import GuardSettings
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.work_rows import SnapshotStaging
from streams.core.access.state.values import SnapshotProblem


def waits_behind(problem: SnapshotProblem | None, id_: str, requested: int, rules: str) -> bool:
    """Say whether a snapshot that was refused or cut off is of a later time than the one with that id, by the rules of version 5: older news answers no doubt about it."""
    if problem is None or problem.requested is None or problem.id == id_ or not follows(rules, WITH_DOUBT):
        return False
    return problem.requested > requested


def refuses(staging: SnapshotStaging, guard: GuardSettings) -> bool:
    """Say whether too many of the counted heads are absent from a snapshot that nobody confirmed: a small team changes in large shares."""
    return not staging.confirmed and staging.absent >= guard.heads and staging.absent * 100 > staging.heads * guard.percent
