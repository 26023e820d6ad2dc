"""Which source each decision about a person's employment let be right."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.access_oracle.decided.decisions import Subject
from tests.support.access_oracle.decided.versions import DOUBT
from tests.support.access_oracle.log import LoggedFact, date_of

if TYPE_CHECKING:  # the state dates its people by what is here
    from tests.support.access_oracle.people import Person
    from tests.support.access_oracle.state import State


def rights(state: "State", person: "Person") -> list[LoggedFact]:
    """Return the decisions about a person in the order of the log, each with the choice that stands behind it.

    "Where several references of one person have a choice of source in force, the latest in the log counts" [N56]: so one that is taken
    back leaves that of another reference.
    """
    return rights_of(state.decisions, person.ids, state.version)


def rights_of(decisions: Mapping[Subject, list[LoggedFact]], ids: Iterable[str], version: int) -> list[LoggedFact]:
    """Return the same of the references of a person."""
    made = [logged for staff in ids for logged in decisions.get(("decided", staff), [])]
    made.sort(key=lambda logged: logged.position)
    if version < DOUBT:
        return made
    standing: dict[str, LoggedFact] = {}
    found = []
    for logged in made:
        standing[logged.fact["staff"]] = logged
        in_force = [other for other in standing.values() if other.fact["choice"].get("source") is not None]
        last = max(in_force, key=lambda other: other.position, default=logged)
        found.append(replace(logged, fact={**logged.fact, "choice": last.fact["choice"]}))
    return found


def right_since(decisions: Mapping[Subject, list[LoggedFact]], ids: Iterable[str]) -> int | None:
    """Return the date of the decision by which that source came to be right that is, or none any more; the others changed nothing."""
    since, right = None, None
    for logged in rights_of(decisions, ids, DOUBT):
        if logged.fact["choice"].get("source") != right:
            since, right = date_of(logged), logged.fact["choice"].get("source")
    return since
