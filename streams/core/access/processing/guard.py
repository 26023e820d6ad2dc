"""The guard on complete snapshots: a mass disappearance is likelier a faulty reading than a mass departure, and is refused."""

from typing import Final

from streams.core.access.state.row_kinds.work_rows import SnapshotStaging

GUARD_HEADS: Final = 10  # fewer than that may be absent at once: a small team changes in large shares
GUARD_PERCENT: Final = 20  # of those present before; more than that is refused


def refuses(staging: SnapshotStaging) -> bool:
    """Say whether too many of the counted heads are absent from a snapshot that nobody confirmed."""
    return not staging.confirmed and staging.absent >= GUARD_HEADS and staging.absent * 100 > staging.heads * GUARD_PERCENT
