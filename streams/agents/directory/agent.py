"""The directory agent: lists of Intercom's and decisions of operators become teams, agents and members, and requests to import agents."""

from typing import Final, cast

from schemas.codec import Avro
from schemas.directory import decisions, lists
from schemas.directory.decisions import DirectoryDecision
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.directory.choices import decide
from streams.agents.directory.lists import take_part
from streams.agents.directory.workspace import DirectoryCause, WorkspaceDirectory
from streams.core.directory.rows import DirectoryRow
from streams.engine.agent import Agent, Batch, Outbox, Table

ROWS: Final[Versioned[DirectoryRow]] = Versioned(cast("type[DirectoryRow]", DirectoryRow))


def directory(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent. Its rows belong to a workspace."""

    def step(batch: Batch, table: Table[DirectoryRow], out: Outbox) -> None:
        for record in batch.records:
            trace = header(record.headers, "traceparent")
            if batch.topic == lists.TOPIC:
                part = lists.read_part(record.value, record.headers)
                workspace = _directory(tenancy, (record.key or b"").decode("utf-8", "replace"), avro, table, out)
                if take_part(part, workspace, table):
                    workspace.commit(DirectoryCause(part.list_id, part.requested_at, trace=trace))
                continue
            decision = decisions.decode(avro, record.value)
            workspace = _directory(tenancy, decision.app_id, avro, table, out)
            if not _is_in_place(decision, workspace.tenant, batch, record):
                out.send(batch.topic, decision.app_id, record.value, record.headers)
                continue
            event = derived(decision.id, "decision", batch.partition, record.offset)  # a repeated id is another event
            cause = DirectoryCause(event, decision.time, decision.id, decision.actor, trace)
            if decide(decision, workspace, cause):
                workspace.commit(cause)

    return Agent(name="directory", sources=(lists.TOPIC, decisions.TOPIC), step=step, codec=ROWS)


def _directory(tenancy: Tenancy, app_id: str, avro: Avro, table: Table[DirectoryRow], out: Outbox) -> WorkspaceDirectory:
    tenant = tenancy.owners.get(app_id)
    if tenant is None:
        raise InvalidRecord("the workspace of this record is no tenant's; configure it, then redrive the dead letter")
    return WorkspaceDirectory(tenant, app_id, avro, table, out)


def _is_in_place(decision: DirectoryDecision, tenant: str, batch: Batch, record: Message) -> bool:
    """Return whether the partition is that of the workspace; a producer with another partitioner may have written to any."""
    key = decision.app_id.encode()
    if decision.tenant != tenant or (record.key and record.key != key):
        raise InvalidRecord("a decision has the key and the tenant of its workspace; nobody decides for another tenant")
    return bool(record.key) and batch.is_in_place(key)
