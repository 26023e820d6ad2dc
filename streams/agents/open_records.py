"""Rows that a step works on, each decoded once in a batch: a source record, and a profile with all its records."""

from schemas.encoded import NIL
from schemas.profiles.registers import ProfileTableRow, PublishedProfile, Registers, SourceRecordRow
from streams.agents.profile_events import PublicState
from streams.agents.stored_registers import stored_edges, stored_registers
from streams.core.profiles.policies import Records
from streams.engine.agent import Table

_NEVER_SENT = PublishedProfile(0, NIL)


class OpenRecord:
    """The row of a source record with its registers, which are decoded when they are asked for. Raises MustStop where they cannot be."""

    __slots__ = ("_registers", "row")

    def __init__(self, row: SourceRecordRow, registers: Registers | None = None) -> None:
        self.row = row
        self._registers = registers

    @property
    def registers(self) -> Registers:
        """Return the registers."""
        if self._registers is None:
            self._registers = stored_registers(self.row)
        return self._registers

    @property
    def edges(self) -> Registers:
        """Return registers with at least the edges and marks, which are quickly decoded."""
        return stored_edges(self.row) if self._registers is None else self._registers


class OpenProfile:
    """A profile: its records, and what was last sent of it."""

    def __init__(self, profile: str, table: Table[ProfileTableRow]) -> None:
        stored = table.get(profile)
        published = stored.profile if stored and stored.profile else _NEVER_SENT
        self.id = profile
        self.sequence = published.sequence
        self.last_sent = PublicState.decoded(published.value)
        self._table = table
        self._records = {key: OpenRecord(row.row) for key, row in table.walk(profile) if row.row}

    def record(self, key: str) -> OpenRecord | None:
        """Return one of its records, also one that has moved away."""
        return self._records.get(key)

    def put_record(self, key: str, record: OpenRecord) -> None:
        """Change a record."""
        self._records[key] = record
        self._table.put(self.id, key, ProfileTableRow(row=record.row))

    def put_sent(self, state: PublicState) -> None:
        """Count what is sent now."""
        self.sequence += 1
        self.last_sent = state
        self._table.put(self.id, "", ProfileTableRow(profile=PublishedProfile(self.sequence, state.encoded)))

    def registers(self) -> Records:
        """Return the registers of every record that belongs to the profile; a record that moved away keeps its row."""
        return {key: each.registers for key, each in self._records.items() if each.row.assignment.profile == self.id}
