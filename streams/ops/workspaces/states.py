"""The states of workspaces on their topic, and how they are changed: each change is a state and an entry in the journal, in one transaction."""

import time
from functools import partial

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import latest_of_each
from connectors.kafka.transaction import TopicRecord, transactions
from schemas import workspaces
from schemas.codec import Avro
from schemas.ids import derived
from schemas.operations import WORKSPACE_CHANGED, Operation
from schemas.workspaces import WorkspaceState, WorkspaceStatus, after
from streams.ops.journal import entry_of

_CHANGE_ID = "workspaces"  # one process at a time decides what follows from the state before


async def states(kafka: KafkaSettings, avro: Avro) -> dict[str, WorkspaceState]:
    """Return the latest state of each workspace that ever had one. Raises Unavailable."""
    return await latest_of_each(kafka, workspaces.TOPIC, partial(workspaces.decode, avro))


async def change(
    kafka: KafkaSettings, avro: Avro, act: str, *, tenant: str, app_id: str, actor: str | None, reason: str | None
) -> WorkspaceState:
    """Bring a workspace into the state that an act leads to. Raises BadConfiguration where it does not follow from the state before."""
    async with transactions(kafka, _CHANGE_ID) as producer:
        before = (await states(kafka, avro)).get(app_id)
        status = after(act, app_id, before.state if before else WorkspaceStatus.ACTIVE)
        now = max(time.time_ns() // 1_000_000, before.since + 1 if before else 0)
        state = WorkspaceState(tenant=tenant, app_id=app_id, state=status, since=now, actor=actor, reason=reason)
        await producer.append([_state_record(avro, state), journal_entry(avro, WORKSPACE_CHANGED, state, {"act": act})])
    return state


def journal_entry(avro: Avro, kind: str, state: WorkspaceState, details: dict[str, str]) -> TopicRecord:
    """Return the journal's entry of what was done with a workspace."""
    operation = Operation(
        id=derived(kind, state.app_id, state.state, state.since, *(f"{name}={text}" for name, text in sorted(details.items()))),
        kind=kind,
        time=state.since,
        actor=state.actor,
        process=f"workspace-{state.app_id}",
        reason=state.reason,
        details={"workspace": state.app_id, "state": state.state, **details},
    )
    return entry_of(avro, operation)


def _state_record(avro: Avro, state: WorkspaceState) -> TopicRecord:
    headers = workspaces.event_context(avro, state).headers()
    return TopicRecord(workspaces.TOPIC, state.app_id.encode(), workspaces.encode(avro, state), headers)
