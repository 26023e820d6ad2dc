"""The story, chapter by chapter: each act does something from outside and waits, as a subscriber would, for what must follow."""

from collections.abc import Awaitable, Callable

from streams.demo.chapters import access, activities, first_reading, leaver, profiles
from streams.demo.context import VIOLATIONS, StoryContext

TOPICS = ("people", "orgs", "activities", VIOLATIONS)

Act = Callable[[StoryContext], Awaitable[None]]

ACTS: tuple[Act, ...] = (
    first_reading.connected,
    first_reading.read,
    first_reading.live,
    first_reading.lost_webhook,
    profiles.one_person,
    profiles.belongs_to_a_company,
    profiles.lead_is_the_same_person,
    profiles.locked_field,
    activities.conversation,
    access.no_policy,
    access.unknown_teammate,
    access.staff_directory,
    access.policy,
    leaver.employment_ends,
    leaver.exemption,
    leaver.teammate_removed,
)
