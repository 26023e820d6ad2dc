"""Check the persons that a system published: the last of each has the values that follow from the posts."""

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any

import msgspec

from bench.profiles.posts import MERGED, ExpectedPerson
from schemas.codec import Avro

NamedPerson = tuple[str, ExpectedPerson]
"""A person by its contact's id."""


def last_persons(latest: Iterable[bytes], encoding: str) -> dict[str, ExpectedPerson]:
    """Return the persons, from the last value of each key."""
    read = READERS[encoding]()
    return dict(read(value) for value in latest)


def _avro() -> Callable[[bytes], NamedPerson]:
    avro = Avro.local()
    return lambda value: _public_person(avro.decode(value)[1])


def _json() -> Callable[[bytes], NamedPerson]:
    decode = msgspec.json.Decoder().decode
    return lambda value: _hand_written_person(decode(value))


READERS = MappingProxyType({"avro": _avro, "json": _json})


def _public_person(value: Any) -> NamedPerson:
    contact = _own_id(value["records"][0]["key"])
    if value["status"] == "merged":
        return contact, MERGED
    tags, companies = (tuple(_own_id(each) for each in value[name]) for name in ("tags", "companies"))
    return contact, ExpectedPerson(value["name"], int(value["attributes"]["seats"]), tags, companies)


def _hand_written_person(value: Any) -> NamedPerson:
    contact = _own_id(value["key"])
    if "merged_into" in value:
        return contact, MERGED
    seats, tags, companies = value["custom_attributes"]["seats"], tuple(sorted(value["tags"])), tuple(sorted(value["companies"]))
    return contact, ExpectedPerson(value["name"], seats, tags, companies)


def _own_id(qualified: str) -> str:
    """Return the id without its workspace."""
    return qualified.partition(":")[2]
