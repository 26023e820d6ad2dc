"""What is read from Intercom of a workspace that is not active: what its posts are held for is not read either."""

from contextlib import suppress
from types import MappingProxyType
from typing import Final

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import BadConfiguration, TopicMissing
from schemas.workspaces import WorkspaceStatus
from streams.ops.workspaces.states import states

ABOUT_ACCESS: Final = frozenset({"teammates", "teams", "activity-log"})
"""Types of object that are read of a paused workspace too, as posts about teammates are applied: whether access is right cannot wait."""

_WHY: Final = MappingProxyType({
    WorkspaceStatus.PAUSED: "is paused, so what changes in Intercom is held until `intercom-streams workspace resume {0}`; only teammates, teams "
    "and the activity log are read, by --object",
    WorkspaceStatus.ARCHIVED: "is archived, so nothing of it is read; `intercom-streams workspace restore {0}` takes it back, paused",
    WorkspaceStatus.DELETED: "was deleted, so nothing of it is read; take it out of the configuration",
})  # fmt: skip


async def status_of(kafka: KafkaSettings, avro: Avro, app_id: str) -> WorkspaceStatus:
    """Return the state of a workspace; one without a record is active."""
    with suppress(TopicMissing):
        if (found := (await states(kafka, avro)).get(app_id)) is not None:
            return found.state
    return WorkspaceStatus.ACTIVE


def is_read(status: WorkspaceStatus, name: str) -> bool:
    """Say whether a type of object is read of a workspace in that state."""
    return status is WorkspaceStatus.ACTIVE or (status is WorkspaceStatus.PAUSED and name in ABOUT_ACCESS)


def require_read(app_id: str, status: WorkspaceStatus, names: tuple[str, ...]) -> None:
    """Raise BadConfiguration where one of these types of object is not read."""
    if not all(is_read(status, name) for name in names):
        raise BadConfiguration(f"workspace {app_id} {_WHY[status].format(app_id)}")
