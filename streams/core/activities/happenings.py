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

_CALL: Final = "call"
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
    item = _item_of(notification)
    own = _own_second(rule, item)
    second = own or notification.created_at or 0
    parts, understood = _identified(rule, notification, item, entity, second)
    activity = PersonActivity(
        id=derived(notification.app_id, *parts),
        type=rule.type,
        time=second * 1000,
        basis=TimeBasis.ITEM if own else TimeBasis.NOTIFICATION,
        company=identifier_or_none(at(item, "company.id")) or "",
        live=live,
        attributes=_attributes(rule, item, notification.topic),
        event=event,
    )
    return activity, understood


def identified_by(notification: Envelope, entity: str) -> tuple[str, ...]:
    """Return what makes the id of a post's activity: whose it is or of what kind, its type, and what discriminates it; nothing where it is none."""
    rule = rule_of(notification.topic)
    if not isinstance(rule, Happening):
        return ()
    item = _item_of(notification)
    return _identified(rule, notification, item, entity, _own_second(rule, item) or notification.created_at or 0)[0]


def _item_of(notification: Envelope) -> Object:
    """Return the object of a post; what a call says of itself counts as if it stood outside, where it is wrapped."""
    item = decode_item(notification.item)
    wrapped = item.get(_CALL) if notification.topic.startswith(f"{_CALL}.") else None
    return {**wrapped, **item} if isinstance(wrapped, dict) else item


def _identified(rule: Happening, notification: Envelope, item: Object, entity: str, second: int) -> tuple[tuple[str, ...], bool]:
    """Return what makes the id of an activity of that second in its workspace, and whether its object was understood."""
    found = identity(rule.ways, item)
    topic = (notification.topic,) if rule.type.endswith(OTHER) else ()
    if found is None or (second == 0 and found[0].timed):
        return (entity, rule.type, *topic, notification.id), False
    way, ids = found
    subject = rule.type.partition(".")[0] if way.by_itself else entity
    return (subject, rule.type, *topic, *ids, *((str(second),) if way.timed else ())), True


def _own_second(rule: Happening, item: Object) -> int:
    if rule.wraps and not isinstance(item.get(rule.wraps), dict):
        return 0
    return next((second for path in rule.times if (second := second_of(at(item, path)))), 0)


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
