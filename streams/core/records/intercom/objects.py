"""Intercom's contact and company objects: which fields they assert, which lists, and what each is called here.

A field that an object does not carry is not asserted. A field nobody told us about is kept as `traits.<name>`, in canonical JSON, and so
is a known one whose value has another type than its own.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from schemas.intercom.values import identifier_or_none
from schemas.profiles.registers import Value
from streams.core.records.intercom.parsers import (
    Parser,
    WrongType,
    anything,
    count,
    entries,
    flag,
    moment,
    number,
    reference,
    text,
)

Fields = Iterator[tuple[str, Value]]
Object = Mapping[str, Any]


class FieldRule(msgspec.Struct, frozen=True):
    """A field's name here and its reader."""

    name: str
    parse: Parser


class EdgeList(msgspec.Struct, frozen=True):
    """An embedded list: the kind of its edges, and whether being listed says that the edge holds."""

    kind: str
    active: bool = True
    asserts_absence: bool = True
    complete: bool = False  # the object has no way to cut this list, so it is always all of it


class ObjectSchema(msgspec.Struct, frozen=True, kw_only=True):
    """An object of Intercom's: where an item holds it, its fields, the fields with parts, its lists."""

    wrappers: tuple[str, ...]  # where `item` may hold the object; else the item is the object
    fields: Mapping[str, FieldRule]
    parts: Mapping[str, Callable[[Any], Fields]]
    lists: Mapping[str, EdgeList]
    ignored: frozenset[str]  # carried, and no fact of the record's own
    revives: bool = False  # a snapshot younger than the deletion says that the record exists again

    def locate(self, item: Object) -> Object:
        """Return the object in an item."""
        for name in self.wrappers:
            if isinstance(item.get(name), dict):
                found: Object = item[name]
                return found
        return item

    def read(self, found: Object) -> dict[str, Value]:
        """Return every field the object asserts, empty ones as None."""
        values: dict[str, Value] = {}
        fields = self.fields
        for name, value in found.items():
            field = fields.get(name)
            if field is None:
                values.update(self._other(name, value))
                continue
            try:
                values[field.name] = field.parse(value)
            except WrongType:
                values[f"traits.{name}"] = anything(value)
        return values

    def _other(self, name: str, value: Any) -> Fields:
        part = self.parts.get(name)
        if part is not None:
            yield from part(value)
        elif name not in self.lists and name not in self.ignored:
            yield f"traits.{name}", anything(value)


class EmbeddedList(NamedTuple):
    """An embedded list: its ids, whether every entry had one, and whether by its own word nothing was cut."""

    ids: list[str]
    readable: bool
    complete: bool


def embedded_list(value: Any) -> EmbeddedList:
    """Read an embedded list, an object around one, or nothing."""
    around = value if isinstance(value, dict) else {}
    entries = value if isinstance(value, list) else next((part for part in around.values() if isinstance(part, list)), None)
    found = [identifier_or_none(entry.get("id") if isinstance(entry, dict) else entry) for entry in entries or ()]
    ids = [one for one in found if one is not None and one.isprintable()]
    readable = entries is not None and len(ids) == len(entries)
    return EmbeddedList(ids, readable, readable and around.get("has_more") is False and around.get("total_count") == len(ids))


def _role(value: Any) -> Fields:
    """Read the role from the type, where version 1 has it; later ones say `contact` here and have a field of its own."""
    if value in ("user", "lead"):
        yield "role", value


def _avatar(value: Any) -> Fields:
    yield "avatar_url", _kept(text, value.get("image_url") if isinstance(value, dict) else value)


_PLACES = ("country", "region", "city", "country_code", "continent_code")


def _location(value: Any) -> Fields:
    """Read a place; version 1 of the API calls three of its parts `country_name`, `region_name`, `city_name`."""
    if isinstance(value, dict):
        for name in _PLACES:
            for spelling in (name, f"{name}_name"):
                if spelling in value:
                    yield name, _kept(text, value[spelling])


def _plan(value: Any) -> Fields:
    """Read a plan. Webhooks have null here whatever the plan is, so only an object says something: an empty one, that there is none."""
    if isinstance(value, dict):
        yield "plan_id", _kept(reference, value.get("id"))
        yield "plan_name", _kept(text, value.get("name"))


def _attributes(value: Any) -> Fields:
    """Read custom attributes; one that is missing is not asserted, since archiving it also takes it from the object."""
    if isinstance(value, dict):
        for name, own in value.items():
            yield f"attributes.{name}", anything(own)


def _kept(read: Parser, value: Any) -> Value:
    """Read a part of a value; one of another type is as good as empty."""
    try:
        return read(value)
    except WrongType:
        return None


def _table(**readers: Any) -> dict[str, FieldRule]:
    return {name: FieldRule(name, read) for name, read in readers.items()}


def _traits(read: Parser, *names: str) -> dict[str, FieldRule]:
    """Name fields of lesser use; they are public as JSON under `traits`."""
    return {name: FieldRule(f"traits.{name}", lambda value: _as_json(read(value))) for name in names}


def _as_json(value: Value) -> Value:
    return None if value is None else anything(value)


CONTACT: Final = ObjectSchema(
    wrappers=("contact", "user"),
    fields=MappingProxyType(
        _table(
            external_id=reference, role=text, email=text, phone=text, name=text, owner_id=reference, language_override=text,
            has_hard_bounced=flag, marked_email_as_spam=flag,
            unsubscribed_from_emails=flag, unsubscribed_from_sms=flag, sms_consent=flag,
            created_at=moment, signed_up_at=moment, last_seen_at=moment, last_replied_at=moment, last_contacted_at=moment,
            last_email_opened_at=moment, last_email_clicked_at=moment,
        )
        | {"user_id": FieldRule("external_id", reference), "last_request_at": FieldRule("last_seen_at", moment)}  # version 1's names
        | {"social_profiles": FieldRule("traits.social_profiles", entries)}
        | _traits(moment, "android_last_seen_at", "ios_last_seen_at", "remote_created_at"),
    ),
    parts=MappingProxyType(
        {"type": _role, "avatar": _avatar, "location": _location, "location_data": _location, "custom_attributes": _attributes}
    ),
    lists=MappingProxyType({
        "tags": EdgeList("tag"), "companies": EdgeList("company"), "segments": EdgeList("segment"),
        "opted_in_subscription_types": EdgeList("subscription", asserts_absence=False),
        "opted_out_subscription_types": EdgeList("subscription", active=False, asserts_absence=False),
    }),
    ignored=frozenset({"id", "workspace_id", "app_id", "updated_at", "notes", "archived", "deleted", "merged_from"}),
)  # fmt: skip

COMPANY: Final = ObjectSchema(
    wrappers=("company",),
    fields=MappingProxyType(
        _table(
            company_id=reference, name=text, website=text, industry=text, size=count, plan_id=reference,
            monthly_spend=number, session_count=count, user_count=count,
            created_at=moment, remote_created_at=moment, last_request_at=moment,
        ),
    ),
    parts=MappingProxyType({"plan": _plan, "custom_attributes": _attributes}),
    lists=MappingProxyType({
        "tag_ids": EdgeList("tag", complete=True), "tags": EdgeList("tag", complete=True), "segments": EdgeList("segment", complete=True),
    }),
    ignored=frozenset({"type", "id", "workspace_id", "app_id", "updated_at", "deleted", "object"}),
    revives=True,
)  # fmt: skip
