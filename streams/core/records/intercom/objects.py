"""Intercom's contact and company objects: the fields and lists they assert, and the name of each in the registers.

A field missing from an object is not asserted. A field that this table does not list becomes `traits.<name>`, as canonical JSON;
so does a listed field whose value has the wrong type.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, NoneType
from typing import Any, Final

import msgspec

from schemas.intercom.values import identifier_or_none
from schemas.profiles.registers import Value
from streams.core.records.completeness import UNKNOWN
from streams.core.records.intercom.parsers import (
    USUAL,
    Parser,
    WrongType,
    anything,
    count,
    entries,
    flag,
    moment,
    number,
    own_id,
    reference,
    text,
)

_LARGEST_COUNT: Final = 1 << 53
"""Larger numbers count nothing, and rows could not hold them."""

_UNCLEAR: Final = ("", "0")
"""Texts that mean nothing in some fields."""

Fields = Iterator[tuple[str, Value]]
Object = Mapping[str, Any]


class FieldRule(msgspec.Struct, frozen=True):
    """The register and the parser of a field. Values of the type `usual` are parsed to themselves, but for those in `_UNCLEAR`."""

    name: str
    parse: Parser
    usual: Any = NoneType  # a type


class EdgeList(msgspec.Struct, frozen=True):
    """An embedded list: the kind of its edges, and whether a listed edge is active or inactive."""

    kind: str
    active: bool = True
    asserts_absence: bool = True
    complete: bool = False  # the object cannot truncate this list


class ObjectSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A type of Intercom object: its location in an item, its fields, its fields with parts, and its lists."""

    wrappers: tuple[str, ...]  # fields of `item` that may contain the object; else the item is the object
    fields: Mapping[str, FieldRule]
    parts: Mapping[str, Callable[[Any], Fields | dict[str, Value]]]
    lists: Mapping[str, EdgeList]
    ignored: frozenset[str]  # fields that assert nothing about the record
    revives: bool = False  # a snapshot later than the deletion asserts that the record exists again

    def locate(self, item: Object) -> Object:
        """Return the object in an item."""
        for name in self.wrappers:
            if isinstance(item.get(name), dict):
                wrapped: Object = item[name]
                return wrapped
        return item

    def parse(self, item: Object) -> dict[str, Value]:
        """Return every field the object asserts, empty ones as None."""
        values: dict[str, Value] = {}
        for name, value in item.items():
            if (rule := self.fields.get(name)) is not None:
                if value is None:  # empty in any type
                    values[rule.name] = None
                    continue
                if isinstance(value, rule.usual) and value not in _UNCLEAR:
                    values[rule.name] = value
                    continue
                try:
                    values[rule.name] = rule.parse(value)
                except WrongType:
                    values[f"traits.{name}"] = anything(value)
            elif (part := self.parts.get(name)) is not None:
                values.update(part(value))
            elif name not in self.lists and name not in self.ignored:
                values[f"traits.{name}"] = anything(value)
        return values


class EmbeddedList(msgspec.Struct, frozen=True, gc=False):
    """An embedded list: its ids, whether every entry had one, and whether the list reports itself as complete.

    `total` is how many entries a list has that shows only a part of them; None for all others.
    """

    ids: list[str]
    readable: bool
    complete: bool
    total: int | None = None


def embedded_list(value: Any) -> EmbeddedList:
    """Parse an embedded list, an object that contains one, or any other value as an empty list."""
    wrapper = value if isinstance(value, dict) else {}
    entries = value if isinstance(value, list) else _first_list(wrapper)
    ids: list[str] = []
    for entry in entries or ():
        id_ = identifier_or_none(entry.get("id") if isinstance(entry, dict) else entry)
        if id_ is not None and id_.isprintable() and "|" not in id_:  # which separates parts of keys
            ids.append(id_)
    readable = entries is not None and len(ids) == len(entries)
    total = _total(wrapper)
    shows_a_part = wrapper.get("has_more") is True or total > len(ids)
    complete = readable and wrapper.get("has_more") is False and wrapper.get("total_count") == len(ids)
    return EmbeddedList(ids, readable, complete, total if shows_a_part else None)


def _total(wrapper: Object) -> int:
    count = wrapper.get("total_count")
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= _LARGEST_COUNT else UNKNOWN


def _first_list(wrapper: Object) -> list[Any] | None:
    for part in wrapper.values():
        if isinstance(part, list):
            return part
    return None


def _role(value: Any) -> Fields:
    """Parse the role from the type, where version 1 of the API has it; later versions have a field of its own."""
    if value in ("user", "lead"):
        yield "role", value


def _avatar(value: Any) -> Fields:
    yield _part("avatar_url", text, value.get("image_url") if isinstance(value, dict) else value)


_LOCATION_PARTS = ("country", "region", "city", "country_code", "continent_code")


def _location(value: Any) -> Fields:
    """Parse a location; version 1 of the API calls three of its parts `country_name`, `region_name`, `city_name`."""
    if isinstance(value, dict):
        for name in _LOCATION_PARTS:
            for spelling in (name, f"{name}_name"):
                if spelling in value:
                    yield _part(name, text, value[spelling])


def _plan(value: Any) -> Fields:
    """Parse a plan. Webhooks always have null here, so only an object asserts something; an empty one asserts no plan."""
    if isinstance(value, dict):
        yield _part("plan_id", reference, value.get("id"))
        yield _part("plan_name", text, value.get("name"))


def _plan_id(value: Any) -> Fields:
    """Parse the id of a plan, which some webhooks have in place of the plan: null there says as little."""
    if value is not None:
        yield _part("plan_id", reference, value)


def _attributes(value: Any) -> dict[str, Value]:
    """Parse custom attributes; a missing one is not asserted, since archiving an attribute also removes it from the object."""
    if not isinstance(value, dict):
        return {}
    return {_ATTRIBUTES[name]: anything(attribute) for name, attribute in value.items()}


class _KnownNames(dict[str, str]):
    """The names of registers by those of attributes: one object for each, whose hash is computed once."""

    def __missing__(self, name: str) -> str:
        if len(self) >= _MOST_NAMES:
            self.clear()
        known = self[name] = f"attributes.{name}"
        return known


_MOST_NAMES: Final = 4096  # a workspace has some dozens
_ATTRIBUTES: Final = _KnownNames()


def _part(name: str, parse: Parser, value: Any) -> tuple[str, Value]:
    """Parse a part of a value; one of the wrong type is a trait by the name of its field."""
    try:
        return name, parse(value)
    except WrongType:
        return f"traits.{name}", anything(value)


def _fields(**parsers: Any) -> dict[str, FieldRule]:
    return {name: FieldRule(name, parse, USUAL.get(parse, NoneType)) for name, parse in parsers.items()}


def _traits(parse: Parser, *names: str) -> dict[str, FieldRule]:
    """Return the rules of less used fields; they are public as JSON under `traits`."""
    return {name: FieldRule(f"traits.{name}", lambda value: _as_json(parse(value))) for name in names}


def _as_json(value: Value) -> Value:
    return None if value is None else anything(value)


CONTACT: Final = ObjectSchema(
    wrappers=("contact", "user"),
    fields=MappingProxyType(
        _fields(
            external_id=own_id, role=text, email=text, phone=text, name=text, owner_id=reference, language_override=text,
            has_hard_bounced=flag, marked_email_as_spam=flag,
            unsubscribed_from_emails=flag, unsubscribed_from_sms=flag, sms_consent=flag,
            created_at=moment, signed_up_at=moment, last_seen_at=moment, last_replied_at=moment, last_contacted_at=moment,
            last_email_opened_at=moment, last_email_clicked_at=moment,
        )
        | {"user_id": FieldRule("external_id", own_id), "last_request_at": FieldRule("last_seen_at", moment)}  # in API 1.x
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
        _fields(
            company_id=own_id, name=text, website=text, industry=text, size=count, monthly_spend=number,
            session_count=count, user_count=count, created_at=moment, remote_created_at=moment, last_request_at=moment,
        ),
    ),
    parts=MappingProxyType({"plan": _plan, "plan_id": _plan_id, "custom_attributes": _attributes}),
    lists=MappingProxyType({
        "tag_ids": EdgeList("tag", complete=True), "tags": EdgeList("tag", complete=True),
        "segments": EdgeList("segment", complete=True),
    }),
    ignored=frozenset({"type", "id", "workspace_id", "app_id", "updated_at", "deleted", "object"}),
    revives=True,
)  # fmt: skip
