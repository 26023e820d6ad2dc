"""The public record of a membership."""

from typing import Final, NamedTuple

from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import Headers
from schemas.profiles.memberships import MembershipEdge
from schemas.profiles.registers import PatchCause
from streams.agents.derived_event import derived_event
from streams.engine.agent import Outbox

MEMBERSHIPS: Final = "memberships"
_SCHEMA: Final = "membership"


class EdgeChange(NamedTuple):
    """Why edges change: the id of the record that says so, the event behind it, and its trace."""

    id: str
    cause: PatchCause
    trace: str | None


def publish_membership(
    avro: Avro, place: tuple[str, str], found: tuple[str, MembershipEdge] | None, change: EdgeChange, out: Outbox
) -> None:
    """Publish the membership of a place, an organisation and a record, taken from the edge to a company; without one, its end."""
    (org, record), key = place, "|".join(place)
    value = None
    if found is not None:
        company, edge = found
        value = {
            "org": org, "record": record, "person": edge.person, "company": company, "since": edge.since, "event": edge.event,
        }  # fmt: skip

    def made() -> tuple[bytes | None, Headers]:
        context = derived_event(
            avro,
            _SCHEMA,
            id=derived(key, change.id),
            source="/intercom-streams/memberships",
            type=f"membership.{'ended' if value is None else 'updated'}",
            time=change.cause.time or None,
            subject=key,
            partition_key=org,
            sequence=None,
            causation_id=change.cause.event,
            trace_parent=change.trace,
        )
        return None if value is None else avro.encode(_SCHEMA, value), context.headers()

    out.send_latest(MEMBERSHIPS, key, made)
