"""How an operator names somebody of the staff: SOURCE/RECORD, or the person's id as findings show it."""

from typing import Any, Final

from connectors.kafka.fact_log import find_records
from connectors.kafka.topic_end import latest_of_group
from schemas.errors import BadConfiguration
from schemas.message import header
from streams.cli.decisions.entered import reached
from streams.core.access.state.observation import person_id
from streams.ops.codec import configured_codec
from streams.ops.profiles.live_topics import LiveTopics
from streams.settings import Settings

_SUBJECT: Final = "staff/"
_ROW: Final = "record|"  # what items of the access agent's table begin with whose rows are staff records


async def known_staff(settings: Settings, tenant: str) -> dict[str, str]:
    """Return SOURCE/RECORD of every staff record of a tenant, by the id that it gives its person.

    They are those of the access agent's table, and of the facts that it has not come to yet.
    """
    start = await reached(settings, await configured_codec(settings), tenant)
    changelog = (await LiveTopics.read(settings.kafka)).changelog("access")
    items = await latest_of_group(settings.kafka, changelog, tenant)
    names = [item.removeprefix(_ROW) for item in items if item.startswith(_ROW)]
    names += await find_records(settings.kafka, tenant, _named, start)
    return {person_id(tenant, *_parts(name)): "/".join(_parts(name)) for name in names}


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
