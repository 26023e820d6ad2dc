"""Aliases: the id of a profile whose records have all moved stays known, with the profile that has its first record now.

A profile's id is derived from one of its records. That record's moves are sent to the profile of its own id too, so an alias is never
one of another alias.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.ids import derived
from schemas.profiles.registers import Assignment
from streams.agents.profile_events import PatchContext

ALIAS: Final = "profile_alias"


class Alias(NamedTuple):
    """The record that a profile is named after, and the profile that it moved to."""

    record: str
    moved_to: str


def alias_of(context: PatchContext, assignments: Iterable[tuple[str, Assignment]]) -> Alias | None:
    """Return the alias that a profile without records is. It is none of itself: nothing may be stored of a record that is there."""
    for record, assignment in assignments:
        if derived(context.patch.tenant, context.profile_type.name, record) == context.profile != assignment.profile:
            return Alias(record, assignment.profile)
    return None


def publish_alias(context: PatchContext, alias: Alias | None, sequence: int) -> None:
    """Publish an alias, or its end with a tombstone."""
    name, profile = context.profile_type.name, context.profile
    value = None
    if alias is not None:
        record, moved_to = alias
        value = {"profile": profile, "kind": name, "tenant": context.patch.tenant, "moved_to": moved_to, "record": record}
    event_type = f"{name}.alias.{'ended' if value is None else 'changed'}"
    event_id = derived(profile, "alias", sequence)
    encoded = context.encoded(ALIAS, profile, value, event_id=event_id, event_type=event_type, sequence=sequence)
    context.out.send_latest(f"{context.profile_type.topic}.aliases", profile, lambda: encoded)
