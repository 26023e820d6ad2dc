"""Take out of a table of records what a policy denies, and withdraw what had followed from it.

Profiles need no patch: their agent has the same policy, and takes it out of its own copies.
"""

from collections.abc import Callable
from typing import NamedTuple, cast

from schemas.ids import derived
from schemas.profiles.policies import PolicyInForce
from schemas.profiles.registers import ERASED, PatchCause, RecordTableRow, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.open_record import OpenRecord
from streams.agents.policies.in_force import Policies, RecordPolicies
from streams.agents.policies.walk import begin, proceed
from streams.agents.source_records import RecordChange
from streams.core.records.packing import encode
from streams.engine.agent import Batch, Cursor, Outbox, Table

FollowUp = Callable[[str, str, RecordChange, PatchCause, Outbox], None]
"""Given tenant, record, and what was taken out of it because of what, withdraw what had followed from it."""


class Denial(NamedTuple):
    """Applies the policies of one kind to a table of records."""

    policies: Policies
    tenancy: Tenancy
    follow_up: FollowUp

    def apply(self, batch: Batch, table: Table[RecordTableRow], out: Outbox) -> Cursor | None:
        """Put policies in force, and return the work of taking out what they deny."""
        applied = [self.policies.receive(record, RecordPolicies(table), out) for record in batch.records]
        return begin([each for each in applied if each is not None and each.after.storage is not None])

    def resume(self, cursor: Cursor, table: Table[RecordTableRow], out: Outbox) -> Cursor | None:
        """Take out of the next records what their tenant's policy denies."""
        records = cast("Table[SourceRecordRow]", table)

        def visit(key: str, tenant: str, policy: PolicyInForce) -> int:
            owned = ":" in key and self.tenancy.tenant_of(key) == tenant  # other rows than records have no colon
            row = records.get(key) if owned else None
            if row is None or row.assignment.number == ERASED.number:
                return 0
            change = self._denied(row, tenant, policy)
            if change is not None:
                records.put(key, "", change.after)
                # One cause for each record, as events are: profiles that records leave and join again may not have one change id twice.
                cause = PatchCause(derived(policy.message.event, key), policy.message.time)
                self.follow_up(tenant, key, change, cause, out)
            return 1

        return proceed(cursor, table, RecordPolicies(table), visit)

    def _denied(self, row: SourceRecordRow, tenant: str, policy: PolicyInForce) -> RecordChange | None:
        storage, registers = self.policies.rules(tenant, policy).storage, OpenRecord(row).registers
        kept = registers if storage is None else storage.stored(registers)
        if kept is registers:
            return None
        return RecordChange(row, SourceRecordRow(encode(kept), row.assignment), registers, kept)
