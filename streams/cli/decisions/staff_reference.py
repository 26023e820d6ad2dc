"""How an operator names somebody of the staff: SOURCE/RECORD, or the person's id as findings show it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from connectors.kafka.fact_log import find_records
from connectors.kafka.topic_end import latest_of_group
from schemas.errors import BadConfiguration
from schemas.message import header
from streams.agents.access import ROWS
from streams.cli.decisions.entered import reached
from streams.core.access.state.directory import Directory
from streams.core.access.state.observation import person_id
from streams.core.access.state.rows import AnyRow
from streams.core.access.state.tenant import TenantState
from streams.engine.in_memory import MemoryTable
from streams.ops.codec import configured_codec
from streams.ops.profiles.live_topics import LiveTopics
from streams.settings import Settings

_SUBJECT: Final = "staff/"
_ROW: Final = "record|"  # what items of the access agent's table begin with whose rows are staff records


class KnownStaff(dict[str, str]):
    """SOURCE/RECORD of every staff record of a tenant, by the id that it gives its person; `rows` are the agent's, by item."""

    rows: Mapping[str, bytes] = MappingProxyType({})

    def person(self, tenant: str, id_: str) -> dict[str, str]:
        """Return SOURCE/RECORD of all records that are one person with that of an id, as the agent joins them, by their ids."""
        table: MemoryTable[AnyRow] = MemoryTable(ROWS)
        table.store.apply({f"{tenant}|{item}": row for item, row in self.rows.items()})
        person = Directory(TenantState(table, tenant)).person_of(id_)
        return {each: self[each] for each in (person.ids if person else (id_,)) if each in self}


async def known_staff(settings: Settings, tenant: str) -> KnownStaff:
    """Return every staff record of a tenant: those of the access agent's table, and of the facts that it has not come to yet."""
    start = await reached(settings, await configured_codec(settings), tenant)
    changelog = (await LiveTopics.read(settings.kafka)).changelog("access")
    items = await latest_of_group(settings.kafka, changelog, tenant)
    names = [item.removeprefix(_ROW) for item in items if item.startswith(_ROW)]
    names += await find_records(settings.kafka, tenant, _named, start)
    known = KnownStaff({person_id(tenant, *_parts(name)): "/".join(_parts(name)) for name in names})
    known.rows = items
    return known


def _named(record: Any) -> str | None:
    """Return whose record a fact is about, as the table's item of it."""
    subject = header(record.headers, "ce_subject") or ""
    source, _, name = subject.removeprefix(_SUBJECT).partition("/")
    return f"{source}|{name}" if subject.startswith(_SUBJECT) and name else None


def _parts(name: str) -> tuple[str, str]:
    source, _, record = name.partition("|")
    return source, record


def staff_id(known: dict[str, str], given: str) -> str:
    """Return the person's id. Raises BadConfiguration for one that no record in the log gives."""
    if given in known:
        return given
    ids = [id_ for id_, name in known.items() if name == given]
    if ids:
        return ids[0]
    sources = ", ".join(sorted({name.partition("/")[0] for name in known.values()})) or "none yet"
    raise BadConfiguration(
        f"No record of the staff is called '{given}'. Write SOURCE/RECORD, or an id from `intercom-streams access queue`. "
        f"Sources in the log: {sources}."
    )
