"""Read the catalogue of fields from the tables of the agents of source records."""

from collections.abc import Iterable
from typing import Any, Final

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.profiles.registers import SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.open_record import OpenRecord
from streams.agents.source_records import ROW
from streams.core.records.registers import NOTHING
from streams.engine.tables import commit_state
from streams.ops.profiles.field_catalogue import CataloguedField, FieldCatalogue
from streams.ops.profiles.live_topics import LiveTopics

SOURCES: Final = ("contacts", "companies", "person_records", "org_records")
"""The agents of source records; each has one row for a record."""


async def read_fields(kafka: KafkaSettings, tenancy: Tenancy, tenants: Iterable[str]) -> list[CataloguedField]:
    """Return the catalogue of the tenants' records. It reads each agent's whole table, from its changelog. Raises Unavailable."""
    catalogue, wanted = FieldCatalogue(), frozenset(tenants)
    live = await LiveTopics.read(kafka)
    present = [source for source in SOURCES if live.changelog(source) in live.present]
    for source in present or SOURCES[:1]:  # without any topic, one is named as missing
        changelog = live.changelog(source)
        rows: dict[bytes, bytes] = {}

        def keep(record: Any, rows: dict[bytes, bytes] = rows) -> None:
            key = (record.key or b"").decode("utf-8", "replace")
            owner = tenancy.tenant_of(key) if ":" in key else None  # other rows than records have no colon
            if record.key != commit_state.KEY and owner in wanted:
                rows[record.key] = record.value

        await read_to_end(kafka, changelog, keep)
        for value in rows.values():
            row = ROW.decode(value) if value else None
            registers = OpenRecord(row).registers if isinstance(row, SourceRecordRow) else NOTHING
            if registers != NOTHING:
                catalogue.add(source, registers)
    return catalogue.fields()
