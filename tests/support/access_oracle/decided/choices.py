"""Which source each decision about a person's employment let be right."""

from dataclasses import replace

from tests.support.access_oracle.decided.versions import DOUBT
from tests.support.access_oracle.log import LoggedFact
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.state import State


def rights(state: State, person: Person) -> list[LoggedFact]:
    """Return the decisions about a person in the order of the log, each with the choice that stands behind it.

    "Where several references of one person have a choice of source in force, the latest in the log counts" [N56]: so one that is taken
    back leaves that of another reference.
    """
    made = [logged for staff in person.ids for logged in state.decisions_about("decided", staff)]
    made.sort(key=lambda logged: logged.position)
    if state.version < DOUBT:
        return made
    standing: dict[str, LoggedFact] = {}
    found = []
    for logged in made:
        standing[logged.fact["staff"]] = logged
        in_force = [other for other in standing.values() if other.fact["choice"].get("source") is not None]
        last = max(in_force, key=lambda other: other.position, default=logged)
        found.append(replace(logged, fact={**logged.fact, "choice": last.fact["choice"]}))
    return found
