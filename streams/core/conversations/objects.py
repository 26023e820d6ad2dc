"""Intercom's conversation and ticket objects: the fields and lists they assert, and the name of each in the registers.

One form serves all versions: what version 1 of the API calls `user`, `assignee` and `conversation_message`, and 2.0 `customers`, is read under
its later name. A field that is not listed becomes `traits.<name>`, as canonical JSON; so does a listed field of the wrong type.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.intercom.conversations import TICKET
from schemas.intercom.values import floor_to_second, identifier_or_none, instant_or_none
from streams.core.records.intercom.objects import EdgeList, FieldRule, Fields, Object, ObjectSchema
from streams.core.records.intercom.parsers import Parser, WrongType, anything, flag, moment, number, reference, text

_CUSTOMER: Final = ("user", "customers", "customer")
_NOBODY: Final = frozenset({"nobody_admin", "nobody", "nobody_team"})
_PEOPLE: Final = frozenset({"contact", "user", "lead", "visitor"})
_BOTS: Final = frozenset({"bot", "operator", "fin", "ai_agent"})
_BOT_ADDRESS: Final = "operator+"  # begins the address of the bot, which some versions list as an admin


def reference_of(value: Any) -> str:
    """Return an author or an assignee as `KIND:ID`, empty where it is none. Kinds: contact, teammate, bot, team, workflow, or as Intercom says."""
    if not isinstance(value, dict):
        return ""
    kind = value.get("type")
    if not isinstance(kind, str) or not kind or kind in _NOBODY:
        return ""
    email = value.get("email")
    if kind in _PEOPLE:
        kind = "contact"
    elif kind in _BOTS or (kind == "admin" and isinstance(email, str) and email.startswith(_BOT_ADDRESS)):
        kind = "bot"
    elif kind == "admin":
        kind = "teammate"
    return f"{kind}:{_parsed(reference, value.get('id')) or ''}"


def located(item: Object) -> Object:
    """Return the conversation or ticket in an item: the item itself, or where that has no id what it wraps, as `ticket.closed` does."""
    if identifier_or_none(item.get("id")) is not None:
        return item
    return next((item[name] for name in CONVERSATION_OBJECT.wrappers if isinstance(item.get(name), dict)), item)


def is_internal(item: Object) -> bool:
    """Return whether an item has the internal form of `conversation.contact.*` or `ticket.contact.*`: its fields are other ones of the same names."""
    return "model" in item or isinstance(item.get("ticket_type"), str)


def modern(item: Object) -> Object:
    """Return a conversation of any version with the field names of version 2, and a ticket with the state that follows from its fields."""
    fields = dict(item)
    if fields.get("type") == TICKET and "state" not in fields:
        fields |= _state_of_ticket(fields)
    for name in _CUSTOMER:
        if (customer := fields.pop(name, None)) is not None:
            fields.setdefault("contacts", {"contacts": customer if isinstance(customer, list) else [customer]})
    if "conversation_message" in fields:
        fields.setdefault("source", fields.pop("conversation_message"))
    if "assignee" in fields:
        kind, _, id_ = reference_of(fields.pop("assignee")).partition(":")
        fields.setdefault("admin_assignee_id", id_ if kind in ("teammate", "bot") else None)
        fields.setdefault("team_assignee_id", id_ if kind == "team" else None)
    return fields


def _state_of_ticket(fields: Object) -> dict[str, str]:
    """Return the state of a ticket, which has none of its own: `open` is true also while it is snoozed."""
    if fields.get("open") is False:
        return {"state": "closed"}
    if fields.get("open") is True and "snoozed_until" in fields:
        return {"state": "snoozed" if fields["snoozed_until"] else "open"}
    return {}


def _parsed(parse: Parser, value: Any) -> Any:
    try:
        return parse(value)
    except WrongType:
        return None


def _source(value: Any) -> Fields:
    """Parse what began the conversation; its words are an activity's, not the row's. A null source asserts nothing."""
    if isinstance(value, dict):
        yield "source_id", _parsed(reference, value.get("id"))
        yield "source_type", _parsed(text, value.get("type"))
        yield "source_delivered_as", _parsed(text, value.get("delivered_as"))
        yield "source_author", reference_of(value.get("author")) or None
        yield "source_subject", _parsed(text, value.get("subject"))
        yield "source_url", _parsed(text, value.get("url"))


def _statistics(value: Any) -> Fields:
    """Parse the statistics as received; times, which are ISO texts in webhooks and seconds in REST, in ms."""
    if isinstance(value, dict):
        for name, figure in value.items():
            if name == "type":
                continue
            at = instant_or_none(figure) if name.endswith("_at") else None
            yield f"statistics.{name}", anything(figure if at is None else floor_to_second(at))


def _rating(value: Any) -> Fields:
    """Parse the rating; null says that there is none."""
    rating = value if isinstance(value, dict) else {}
    yield "rating", _parsed(number, rating.get("rating"))
    yield "rating_remark", _parsed(text, rating.get("remark"))
    yield "rated_at", _parsed(moment, rating.get("created_at"))
    yield "rated_teammate", reference_of(rating.get("teammate")) or None


def _company(value: Any) -> Fields:
    yield "company", _parsed(reference, value.get("id") if isinstance(value, dict) else value)


def _attributes(value: Any) -> Fields:
    if isinstance(value, dict):
        for name, attribute in value.items():
            yield f"attributes.{name}", anything(attribute)


def _ticket_state(value: Any) -> Fields:
    """Parse a ticket's state: an object since 2.11, before that its category alone."""
    if isinstance(value, dict):
        yield "ticket_state", _parsed(text, value.get("category"))
        yield "ticket_state_label", _parsed(text, value.get("internal_label"))
    else:
        yield "ticket_state", _parsed(text, value)


def _ticket_type(value: Any) -> Fields:
    if isinstance(value, dict):
        yield "ticket_type", _parsed(reference, value.get("id"))
        yield "ticket_type_name", _parsed(text, value.get("name"))


def _first_reply(value: Any) -> Fields:
    if isinstance(value, dict):
        yield "first_contact_reply_at", _parsed(moment, value.get("created_at"))


def _rules(**parsers: Parser) -> dict[str, FieldRule]:
    return {name: FieldRule(name, parse) for name, parse in parsers.items()}


CONVERSATION_OBJECT: Final = ObjectSchema(
    wrappers=("ticket", "conversation"),
    fields=MappingProxyType(
        _rules(
            state=text, open=flag, read=flag, title=text, priority=text, created_at=moment, snoozed_until=moment, waiting_since=moment,
            category=text, is_shared=flag, ai_agent_participated=flag,
        )
        | {"admin_assignee_id": FieldRule("admin_assignee", reference), "team_assignee_id": FieldRule("team_assignee", reference)}
        | {"ticket_id": FieldRule("ticket_number", reference), "company_id": FieldRule("company", reference)},
    ),
    parts=MappingProxyType({
        "source": _source, "statistics": _statistics, "conversation_rating": _rating, "company": _company,
        "custom_attributes": _attributes, "ticket_attributes": _attributes, "ticket_state": _ticket_state, "ticket_type": _ticket_type,
        "first_contact_reply": _first_reply,
    }),
    lists=MappingProxyType({
        "contacts": EdgeList("contact", complete=True), "tags": EdgeList("tag", complete=True),
        "linked_objects": EdgeList("linked"), "teammates": EdgeList("teammate", complete=True),
    }),
    ignored=frozenset({
        "type", "id", "updated_at", "conversation_parts", "ticket_parts", "ticket", "links", "metadata", "tags_added", "conversation_id",
        "workspace_id", "deleted",
    }),
)  # fmt: skip
"""The form of a conversation and of a ticket: a ticket is a conversation with some fields more."""

PRIORITIES: Final[Mapping[str, int]] = MappingProxyType(
    {"none": 0, "not_priority": 0, "low": 1, "medium": 2, "high": 3, "priority": 3, "urgent": 4}
)
"""The level of each priority: up to 2.15 there are two, since then five."""


def parts_of(item: Object) -> Iterator[Object]:
    """Yield the parts in an object; of the internal form of `conversation.contact.*` those whose data can be read."""
    for name in ("conversation_parts", "ticket_parts", "parts"):
        value = item.get(name)
        entries = (
            value
            if isinstance(value, list)
            else next((each for each in value.values() if isinstance(each, list)), [])
            if isinstance(value, dict)
            else []
        )
        yield from (entry for entry in entries if isinstance(entry, dict))


def part_beside(whole: Object) -> Object | None:
    """Return the part that some posts about tickets have beside the ticket, which made the event; None where there is none."""
    value = whole.get("ticket_part")
    return value if isinstance(value, dict) else None
