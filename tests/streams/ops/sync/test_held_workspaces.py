"""Of a workspace that is not active, what its posts are held for is not read either."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.workspaces import WorkspaceStatus
from streams.ops.backfill.objects import OBJECTS
from streams.ops.sync import process as syncing
from streams.ops.sync.catch_up import SyncSchedule
from streams.ops.sync.pending import Place
from streams.ops.sync.process import SyncProcess
from streams.ops.workspaces.reading import is_read, require_read
from tests.streams.ops.sync.test_target_reads import CONTACT, CONVERSATION, TEAMMATES, TENANCY, WORKSPACE, Appended, PartlyThere

PAUSED, ARCHIVED, DELETED = WorkspaceStatus.PAUSED, WorkspaceStatus.ARCHIVED, WorkspaceStatus.DELETED


def test_of_a_paused_workspace_only_what_is_about_access_is_read() -> None:
    assert {name for name in OBJECTS if is_read(PAUSED, name)} == {"teammates", "teams", "activity-log"}
    assert all(is_read(WorkspaceStatus.ACTIVE, name) for name in OBJECTS)
    assert not any(is_read(status, name) for name in OBJECTS for status in (ARCHIVED, DELETED))


@pytest.mark.parametrize(
    ("status", "names", "words"),
    [
        (PAUSED, ("teammates", "contacts"), "workspace abc12345 is paused, .*`intercom-streams workspace resume abc12345`"),
        (ARCHIVED, ("teammates",), "is archived, .*`intercom-streams workspace restore abc12345`"),
        (DELETED, ("tags",), "was deleted"),
    ],
)
def test_a_command_says_why_it_reads_nothing(status: WorkspaceStatus, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(BadConfiguration, match=words):
        require_read("abc12345", status, names)
    require_read("abc12345", PAUSED, ("teammates", "activity-log"))


@pytest.mark.parametrize(
    ("status", "written"), [(PAUSED, {"access.facts", "intercom.directory"}), (ARCHIVED, set()), (DELETED, set())]
)
@pytest.mark.asyncio
async def test_sync_serves_no_more_and_takes_held_posts_for_no_silence(
    status: WorkspaceStatus, written: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def status_of(*_: object) -> WorkspaceStatus:
        return status

    async def unwanted(*_: object, **__: object) -> Any:
        raise AssertionError("it looked for silence, or for what is due")

    monkeypatch.setattr(syncing, "status_of", status_of)
    monkeypatch.setattr(SyncProcess, "_heartbeat", unwanted)
    monkeypatch.setattr(syncing.CatchUp, "read_due", unwanted)

    def client(_app_id: str) -> RestClient:
        transport = httpx.MockTransport(PartlyThere())
        return RestClient(WORKSPACE, ProcessBudget(lambda: 1.0), transport=transport, sleep=lambda _: asyncio.sleep(0))

    schedule = SyncSchedule(teammates_s=60, resync_s=60, reconcile_s=60, heartbeat_s=60)
    sync = SyncProcess(KafkaSettings(bootstrap=""), Avro.local(), TENANCY, schedule, client)
    targets = [CONTACT, TEAMMATES, CONVERSATION]
    for offset, target in enumerate(targets):
        sync._pending.add(target, Place("p", offset), 0, now=0)
    kept = Appended()
    async with AsyncExitStack() as stack:
        await sync._work("abc12345", targets, kept, stack, due_until=asyncio.Event())  # type: ignore[arg-type]
    assert set(kept.topics) == written
    assert len(sync._pending) == 0
    assert not sync._is_due("abc12345", sync._reads.teammates_read, 60)
    assert not sync._is_due("abc12345", sync._looked, 60)
    assert not sync._is_due("abc12345", sync._caught_up, 60)
