"""Facts as evidence, each with an excerpt of what an answer rests on. Nothing personal is copied."""

from collections.abc import Sequence
from typing import Final

from schemas.cloudevents import timestamp
from streams.core.access.checks.check import AccountInput
from streams.core.access.state.fields import value
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.staff_rows import StaffRecord
from streams.core.access.state.values import CitedFact, decoded_reference

SHOWN: Final = 20  # names in a list: enough to recognise it, and a finding stays small where a source gives ten thousand


def presence(view: AccountInput) -> CitedFact:
    """Cite what began the account's presence."""
    return CitedFact(view.period.start.source)


def records(*people: Person) -> tuple[CitedFact, ...]:
    """Cite the latest fact of every record of these people."""
    rows = (record.row for person in people for record in person.records)
    return tuple(CitedFact(decoded_reference(row.latest), excerpt(row)) for row in rows)


def ending(row: StaffRecord) -> CitedFact:
    """Cite the fact that last changed when employment ends by a record."""
    return CitedFact(decoded_reference(row.ending), excerpt(row))


def link(view: AccountInput) -> tuple[CitedFact, ...]:
    """Cite the decision that links the account."""
    return (CitedFact(view.account.link.source),) if view.account.link and view.account.link.value else ()


def listed(names: Sequence[str]) -> str:
    """Return names as a finding shows them: the first of very many, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def excerpt(record: StaffRecord) -> dict[str, str]:
    """Return what answers rest on of a staff record."""
    copied = {"source": record.source, "record": record.id}
    ends = value(record.fields, "ends")
    if ends is not None:
        copied |= {
            "ends": timestamp(ends["instant"]),
            "ends_given": ends["given"],
            "ends_zone": ends["zone"],
            "ends_rule": ends["rule"],
        }
    if status := value(record.fields, "status"):
        copied["status"] = status
    if (roles := value(record.fields, "roles")) is not None:
        copied["roles"] = listed(roles)
    return copied
