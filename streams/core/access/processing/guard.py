"""The guard on complete snapshots: a mass disappearance is likelier a faulty reading than a mass departure, and is refused."""

from schemas.tenancy import GuardSettings
from streams.core.access.state.row_kinds.work_rows import SnapshotStaging


def refuses(staging: SnapshotStaging, guard: GuardSettings) -> bool:
    """Say whether too many of the counted heads are absent from a snapshot that nobody confirmed: a small team changes in large shares."""
    return not staging.confirmed and staging.absent >= guard.heads and staging.absent * 100 > staging.heads * guard.percent
