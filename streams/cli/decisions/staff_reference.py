"""How an operator names somebody of the staff: SOURCE/RECORD, or the person's id as findings show it."""

from typing import Any, Final

from connectors.kafka.fact_log import find_records
from schemas.errors import BadConfiguration
from schemas.message import header
from streams.core.access.state.observation import person_id
from streams.settings import Settings

_SUBJECT: Final = "staff/"


async def known_staff(settings: Settings, tenant: str) -> dict[str, str]:
    """Return SOURCE/RECORD of every record of a tenant's staff in the log, by the id that it gives its person."""
    found: dict[str, str] = {}

    def keep(record: Any) -> None:
        subject = header(record.headers, "ce_subject") or ""
        source, _, name = subject.removeprefix(_SUBJECT).partition("/")
        if subject.startswith(_SUBJECT) and name:
            found[person_id(tenant, source, name)] = f"{source}/{name}"

    await find_records(settings.kafka, tenant, keep)
    return found


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
