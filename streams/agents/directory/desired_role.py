"""The fact that says to access which role was chosen for an agent: one for each decision that took effect, in the order of their effect.

A choice that is older than such facts gets its fact with the next change of its agent.
"""

from typing import Final

import msgspec

from schemas.access import fact_records
from schemas.access.facts import Actor, DesiredRole, Fact, FactPersonalData
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import Headers
from streams.core.directory.rows import AgentRow, Choice

_SOURCE: Final = "directory"


def fact_id(app_id: str, agent: str, choice: Choice) -> str:
    """Return the id of the fact about a choice."""
    return derived(app_id, agent, "role.desired", choice.decision)


def desired_role(tenant: str, app_id: str, agent: str, row: AgentRow, *, actor: str | None) -> Fact | None:
    """Return the fact about the role that is chosen for an agent; None where access knows, or nothing was ever chosen."""
    choice = row.role
    if choice is None or row.role_fact == fact_id(app_id, agent, choice):
        return None
    return Fact(
        id=fact_id(app_id, agent, choice),
        tenant=tenant,
        kind="role.desired",
        source=_SOURCE,
        basis="decided",
        actor=Actor(kind="operator", id=_SOURCE),
        app_id=app_id,
        account=agent,
        replaces=row.role_fact,
        person=FactPersonalData(actor=actor) if actor else None,
        role=DesiredRole(name=choice.value if isinstance(choice.value, str) else None),
    )


def fact_record(avro: Avro, fact: Fact, *, cause: str, trace: str | None) -> tuple[bytes, Headers]:
    """Return the value and the headers of the fact's record on `access.facts`."""
    event = fact_records.event_context(avro, fact, origin=Origin.DERIVED, causation_id=cause)
    return fact_records.encode(avro, fact), msgspec.structs.replace(event, trace_parent=trace).headers()
