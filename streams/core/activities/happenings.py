"""Activities of contacts from posts on `intercom.activities`: events, calls, statistics of contents, and what happens to a contact."""

from typing import Final

from schemas.activities.records import PersonActivity, TimeBasis
from schemas.ids import derived
from schemas.intercom.envelope import Envelope
from schemas.intercom.values import identifier_or_none
from streams.core.activities.join import OTHER
from streams.core.activities.rules import Happening, at, identity
from streams.core.activities.table import rule_of
from streams.core.conversations.parts import second_of
from streams.core.records.intercom.objects import Object
from streams.core.records.intercom.parsers import anything
from streams.core.records.intercom.payload import decode_item

_LONGEST: Final = 1_000  # characters of an attribute
NOT_UNDERSTOOD: Final = "activity_by_notification"
"""The note of a post that has none of what could identify it but the notification's own id."""


def activity_of(notification: Envelope, entity: str, event: str, *, live: bool) -> tuple[PersonActivity, bool] | None:
    """Return the activity of a post about a contact, and whether its object was understood; None where its topic is none.

    `entity` is the contact, or the value that names it; `event` the post's id. What has neither ids nor a time is identified by the
    notification, so that nothing is dropped.
    """
    rule = rule_of(notification.topic)
    if not isinstance(rule, Happening):
        return None
    item = decode_item(notification.item)
    own = next((second for path in rule.times if (second := second_of(at(item, path)))), 0)
    second = own or notification.created_at or 0
    found = identity(rule.ways, item)
    understood = found is not None and (second > 0 or not found[0].timed)
    discriminator: tuple[str, ...]
    if found is None or not understood:
        discriminator, subject = (notification.id,), entity
    else:
        way, ids = found
        discriminator = (*ids, str(second)) if way.timed else ids
        subject = rule.type.partition(".")[0] if way.by_itself else entity
    topic = (notification.topic,) if rule.type.endswith(OTHER) else ()
    activity = PersonActivity(
        id=derived(notification.app_id, subject, rule.type, *topic, *discriminator),
        type=rule.type,
        time=second * 1000,
        basis=TimeBasis.ITEM if own else TimeBasis.NOTIFICATION,
        company=identifier_or_none(at(item, "company.id")) or "",
        live=live,
        attributes=_attributes(rule, item, notification.topic),
        event=event,
    )
    return activity, understood


def _attributes(rule: Happening, item: Object, topic: str) -> dict[str, str]:
    """Return what is worth showing, as texts; of a topic that is not in the table its name."""
    found = {name: _shown(at(item, path)) for name, path in rule.attributes}
    if rule.type.endswith(OTHER):
        found["topic"] = topic[:_LONGEST]
    return {name: found[name] for name in sorted(found) if found[name]}


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value[:_LONGEST]
    shown = anything(value)
    return shown[:_LONGEST] if isinstance(shown, str) else ""
