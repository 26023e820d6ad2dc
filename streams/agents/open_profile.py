"""A profile while a step works on it: its rows are decoded once in a batch."""

from collections.abc import Iterator

from schemas.encoded import NIL
from schemas.profiles.registers import Assignment, ProfileTableRow, PublishedProfile
from streams.agents.open_record import OpenRecord
from streams.agents.profile_events import PublicState
from streams.core.profiles.policies import Records
from streams.core.records.withdrawal import is_withdrawn
from streams.engine.agent import Table

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
        self._table = table
        self._records = {key: OpenRecord(row.row) for key, row in table.walk(profile) if row.row}

    def record(self, key: str) -> OpenRecord | None:
        """Return one of its records, also one that has moved away."""
        return self._records.get(key)

    def put_record(self, key: str, record: OpenRecord) -> None:
        """Change a record."""
        self._records[key] = record
        self._table.put(self.id, key, ProfileTableRow(row=record.row))

    def delete_record(self, key: str) -> None:
        """Delete a record that is erased."""
        del self._records[key]
        self._table.delete(self.id, key)

    def put_sent(self, state: PublicState, alias: str | None) -> None:
        """Count what is sent now: the profile's state, and the profile that it is an alias of."""
        self.sequence += 1
        self.last_sent = state
        self.alias = alias
        self._table.put(self.id, "", ProfileTableRow(profile=PublishedProfile(self.sequence, state.encoded, alias)))

    def assignments(self) -> Iterator[tuple[str, Assignment]]:
        """Yield where each record is, also of those that have moved away."""
        return ((key, each.row.assignment) for key, each in self._records.items())

    def registers(self) -> Records:
        """Return the registers of every record that belongs to the profile and is not withdrawn; one that moved away keeps its row."""
        own = {key: each.counting for key, each in self._records.items() if each.row.assignment.profile == self.id}
        return {key: registers for key, registers in own.items() if not is_withdrawn(registers)}
