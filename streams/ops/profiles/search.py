"""Search all profiles for values. It reads the whole topic of people, or of organisations; nothing else is indexed by value."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.canonical import canonical
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from streams.core.profiles.people import PERSON
from streams.core.profiles.public_schema import PublicSchema

_MAPS: Final = ("attributes", "traits")
_ALWAYS: Final = frozenset({"status", "id", "email_allowed", "sms_allowed"})


class Condition(NamedTuple):
    """A text that a value has to contain, without regard to case; or, with a `field`, that this field's value has to be."""

    field: str | None
    text: str


def conditions_of(texts: tuple[str, ...], schema: PublicSchema = PERSON) -> list[Condition]:
    """Return the conditions that texts like `plan`, `email=jo@example.com` or `attributes.plan=pro` state.

    Raises BadConfiguration for a field that profiles do not have.
    """
    return [_condition(text, schema) for text in texts]


def _condition(text: str, schema: PublicSchema) -> Condition:
    field, equals, wanted = text.partition("=")
    if not equals:
        return Condition(None, text.casefold())
    known = {*schema.fields, *_ALWAYS, *schema.lists, "unsubscribed"}
    group, dot, _ = field.partition(".")
    if field not in known and not (dot and group in _MAPS):
        raise BadConfiguration(
            f"There is no field {field!r}. Fields are {', '.join(sorted(known))}, and attributes.NAME and traits.NAME "
            "(`intercom-streams profiles fields` lists those that were seen)."
        )
    return Condition(field, wanted.casefold())


def matches(value: Mapping[str, Any], conditions: list[Condition]) -> bool:
    """Return whether a profile meets all conditions."""
    return all(_meets(value, condition) for condition in conditions)


def _meets(value: Mapping[str, Any], condition: Condition) -> bool:
    if condition.field is None:
        return any(condition.text in text for text in _all_texts(value))
    return condition.text in _texts(value, condition.field)


def _texts(value: Mapping[str, Any], field: str) -> list[str]:
    """Return a field's values as texts without regard to case: several of a list, none of an empty field."""
    group, _, entry = field.partition(".")
    found = _plain(value[group].get(entry)) if group in _MAPS else value.get(field)
    parts = found if isinstance(found, list) else [found]
    return [_text(part) for part in parts if part is not None]


def _all_texts(value: Mapping[str, Any]) -> Iterator[str]:
    for name, part in value.items():
        if name in _MAPS:
            yield from (_text(_plain(entry)) for entry in part.values())
        elif isinstance(part, str):
            yield part.casefold()
    yield from (record["key"].casefold() for record in value["records"])


def _text(value: Any) -> str:
    return value.casefold() if isinstance(value, str) else canonical(value).decode().casefold()


def _plain(json: str | None) -> Any:
    return None if json is None else msgspec.json.decode(json)


async def search(
    kafka: KafkaSettings, avro: Avro, topic: str, conditions: list[Condition], tenants: frozenset[str]
) -> list[dict[str, Any]]:
    """Return the profiles of a topic that meet all conditions, in order of their ids."""
    found: dict[bytes, dict[str, Any]] = {}

    def keep(record: Any) -> None:
        found.pop(record.key, None)
        if record.value is not None:
            value = avro.decode(record.value)[1]
            if value["tenant"] in tenants and matches(value, conditions):
                found[record.key] = value

    await read_to_end(kafka, topic, keep)
    return [value for _, value in sorted(found.items())]
