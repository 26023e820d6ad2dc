"""Erase all contacts of a workspace: the erasures of `profiles erase`, in bounded parts, each with a receipt of its own.

Which contacts there are is in the table of the agent of contacts, those too that no policy selects and nobody sees. An erased row is
known by what is left of it, so a purge that was broken off continues with what is not erased yet.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.registers import SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.retention.erasure import ERASED_ROW
from streams.agents.source_records import ROW
from streams.engine.tables import commit_state
from streams.ops.profiles.erase import Erasable, erase, erasure_key
from streams.ops.profiles.live_topics import LiveTopics

_CONTACTS: Final = 500  # of a receipt; its marks are one record of the journal


async def contacts_to_erase(kafka: KafkaSettings, tenant: str, app_id: str) -> dict[str, str]:
    """Return each contact of a workspace that is not erased yet, with the person it belongs to. Raises Unavailable."""
    live = await LiveTopics.read(kafka)
    changelog, found = live.changelog("contacts"), dict[str, str]()
    if changelog not in live.present:
        return found
    workspace = f"{app_id}:".encode()
    async with open_ranges(kafka, kafka.topic(changelog)) as reader:
        async for record in reader.records():
            if record.key == commit_state.KEY or not (record.key or b"").startswith(workspace):
                continue
            key, row = record.key.decode(), ROW.decode(record.value) if record.value else None
            if isinstance(row, SourceRecordRow) and row != ERASED_ROW:
                found[key] = row.assignment.profile or derived(tenant, "person", key)
            else:
                found.pop(key, None)
    return found


async def purge(
    kafka: KafkaSettings,
    avro: Avro,
    tenancy: Tenancy,
    app_id: str,
    *,
    actor: str | None,
    reason: str | None,
    on_progress: Callable[[int, int], None],
) -> int:
    """Erase all contacts of a workspace, and return how many. Raises BadConfiguration without an erasure key, and Unavailable."""
    tenant = tenancy.owners[app_id]
    erasure_key(tenancy, tenant)
    contacts = await contacts_to_erase(kafka, tenant, app_id)
    earlier = await _earlier_holders(kafka, avro, {*contacts.values()}) if contacts else {}
    records = sorted(contacts)
    for start in range(0, len(records), _CONTACTS):
        part = records[start : start + _CONTACTS]
        holders = {record: _holders(tenant, record, contacts[record], earlier) for record in part}
        await erase(kafka, avro, tenancy, Erasable.of_many(tenant, holders), actor=actor, reason=reason)
        on_progress(start + len(part), len(records))
    return len(contacts)


def _holders(tenant: str, record: str, person: str, earlier: Mapping[str, set[str]]) -> tuple[str, ...]:
    return tuple(sorted({person, derived(tenant, "person", record), *earlier.get(person, ())}))


async def _earlier_holders(kafka: KafkaSettings, avro: Avro, people: set[str]) -> dict[str, set[str]]:
    """Return from which people each has taken records over, as far back as the changes reach."""
    earlier: dict[str, set[str]] = {}

    def keep(record: Any) -> None:
        if (person := (record.key or b"").decode()) in people and (before := avro.decode(record.value)[1]["moved_from"]):
            earlier.setdefault(person, set()).add(before)

    await read_to_end(kafka, "people.changes", keep)
    return earlier
