"""A profile while a step works on it: its rows are decoded once in a batch."""

from collections.abc import Iterator

from schemas.encoded import NIL
from schemas.profiles.registers import Assignment, ProfileTableRow, PublishedProfile, Registers, SourceRecordRow
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS
from streams.agents.profile_events import PublicState
from streams.core.profiles.policies import Records
from streams.core.records.withdrawal import is_withdrawn
from streams.engine.agent import Table

_FEW = 3  # records that are decoded sooner than looked for
_NEVER_SENT = PublicState.decoded(NIL)


class OpenProfile:
    """A profile: its records, and what was last sent of it. Raises MustStop where a row cannot be read."""

    def __init__(self, profile: str, table: Table[ProfileTableRow]) -> None:
        stored = table.get(profile)
        published = stored.profile if stored else None
        self.id = profile
        self.sequence = published.sequence if published else 0
        self.last_sent = PublicState.decoded(published.value) if published else _NEVER_SENT
        self.alias = published.alias if published else None
        self._tenant = published.tenant if published else ""
        self._has_records: bool | None = (
            None if self.last_sent.value is None else True
        )  # as the table has it: what is published has records
        self._table = table
        rows = [(key, row.row) for key, row in table.walk(profile) if row.row]
        open_row = OpenRecord.remembered if len(rows) > _FEW else OpenRecord
        self._records = {key: open_row(row) for key, row in rows}
        self._counting: dict[str, Registers] | None = None

    def record(self, key: str) -> OpenRecord | None:
        """Return one of its records, also one that has moved away."""
        return self._records.get(key)

    def put_record(self, key: str, record: OpenRecord) -> None:
        """Change a record."""
        self._records[key] = record
        if self._counting is not None:
            self._count(self._counting, key, record)
        self._table.put(self.id, key, ProfileTableRow(row=record.row))

    def delete_record(self, key: str) -> None:
        """Delete a record that is erased."""
        del self._records[key]
        self._counting = None
        self._table.delete(self.id, key)

    def put_sent(self, state: PublicState, alias: str | None, tenant: str) -> None:
        """Count what is sent now: the profile's state, and the profile that it is an alias of."""
        self.sequence += 1
        self.last_sent = state
        self.alias = alias
        self._put(tenant)

    def put_unpublished(self, tenant: str) -> None:
        """Remember whose a profile is that holds records and is not published, so that a later policy finds it."""
        if (tenant if self.holds_records else "") == self._tenant:
            return
        self._put(tenant)
        if not self._tenant and not self.sequence:
            self._table.delete(self.id)

    def _put(self, tenant: str) -> None:
        self._tenant = tenant if self.last_sent.value is None and self.holds_records else ""
        published = PublishedProfile(self.sequence, self.last_sent.encoded, self.alias, self._tenant)
        self._table.put(self.id, "", ProfileTableRow(profile=published))

    @property
    def tenant(self) -> str:
        """Whose profile it is; empty for one that has no records."""
        value = self.last_sent.value
        return self._tenant if value is None else str(value["tenant"])

    @property
    def holds_records(self) -> bool:
        """Whether something is stored of a record of it, which may be withdrawn."""
        return any(self._holds(each.row) for each in self._records.values())

    @property
    def has_records(self) -> bool:
        """Whether it has records that count."""
        if self._has_records is None:
            self.registers()
        return bool(self._has_records)

    def assignments(self) -> Iterator[tuple[str, Assignment]]:
        """Yield where each record is, also of those that have moved away."""
        return ((key, each.row.assignment) for key, each in self._records.items())

    def registers(self) -> Records:
        """Return the registers of every record that counts for the profile."""
        if self._counting is None:
            self._counting = {}
            for key, record in self._records.items():
                self._count(self._counting, key, record)
        self._has_records = bool(self._counting)
        return self._counting.copy()

    def _count(self, counting: dict[str, Registers], key: str, record: OpenRecord) -> None:
        """Add a record's registers to those that count, or take them out."""
        registers = record.counting if self._holds(record.row) else None
        if registers is None or is_withdrawn(registers):
            counting.pop(key, None)
        else:
            counting[key] = registers

    def rows(self) -> Iterator[tuple[str, OpenRecord]]:
        """Yield its records, also those that have moved away; they may be put meanwhile."""
        return iter(list(self._records.items()))

    def _holds(self, row: SourceRecordRow) -> bool:
        """Return whether a record belongs to the profile, and something of it is stored; one that moved away keeps its row."""
        return row.assignment.profile == self.id and row.registers != NO_REGISTERS
