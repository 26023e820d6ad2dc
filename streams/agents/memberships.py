"""Memberships: which organisations a contact belongs to, as a record of whose person. The contacts agent publishes them.

A membership has one key, and the person it names changes when the contact moves from one person to another. Only the agent of the
contact sees all of its states in order; of two persons' agents either could be the later one.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import Headers
from schemas.profiles.registers import Assignment, PatchCause, Registers
from streams.agents.derived_event import derived_event
from streams.core.identity.claims import without_merges
from streams.core.profiles.people import memberships
from streams.engine.agent import Outbox

TOPIC: Final = "memberships"
_SCHEMA: Final = "membership"

Memberships = Mapping[str, dict[str, Any]]


def memberships_of(tenant: str, record: str, assignment: Assignment, registers: Registers) -> Memberships:
    """Return the memberships of a contact, by key."""
    if not registers.on:
        return {}
    return memberships(tenant, assignment.profile, record, without_merges(registers, assignment.ignored))


def may_differ(before: Registers, after: Registers) -> bool:
    """Return whether memberships can differ between two states of a record: fields, which most events are about, decide nothing here."""
    return (before.on, before.off, before.since, before.complete) != (after.on, after.off, after.since, after.complete)


def publish(
    avro: Avro, before: Memberships, after: Memberships, *, cause: PatchCause, step: str, trace: str | None, out: Outbox
) -> None:
    """Publish the memberships that differ; those that ended with a tombstone. `step` names what the cause did to the contact."""

    def made(key: str) -> tuple[bytes | None, Headers]:
        value = after.get(key)
        event = derived_event(
            avro,
            _SCHEMA,
            id=derived(key, cause.event, step),
            source="/intercom-streams/contacts",
            type=f"membership.{'ended' if value is None else 'updated'}",
            time=cause.time or None,
            subject=key,
            partition_key=key.partition("|")[0],
            sequence=None,
            causation_id=cause.event,
            trace_parent=trace,
        )
        return None if value is None else avro.encode(_SCHEMA, value), event.headers()

    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            out.send_latest(TOPIC, key, partial(made, key))
