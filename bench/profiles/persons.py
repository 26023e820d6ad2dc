"""Check the persons that a system published: the last of each has the values that follow from the posts."""

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

import msgspec

from bench.profiles.posts import MERGED, ExpectedPerson
from schemas.codec import Avro

NamedPerson = tuple[str, ExpectedPerson]
"""A person by its contact's id."""


def last_persons(latest: Iterable[bytes | None], encoding: str) -> dict[str, ExpectedPerson]:
    """Return the persons, from the last value of each key that has one."""
    read = READERS[encoding]()
    return dict(person for value in latest if value is not None for person in read(value))


def _avro() -> Callable[[bytes], Iterator[NamedPerson]]:
    avro = Avro.local()
    return lambda value: _public_person(avro.decode(value)[1])


def _json() -> Callable[[bytes], Iterator[NamedPerson]]:
    decode = msgspec.json.Decoder().decode
    return lambda value: _hand_written_person(decode(value))


READERS = MappingProxyType({"avro": _avro, "json": _json})


def _public_person(value: Any) -> Iterator[NamedPerson]:
    """Yield each contact of a person: a contact that was merged away is a record of its survivor's, or a person of its own at 969821a."""
    for record in value["records"]:
        contact = _own_id(record["key"])
        if record["status"] == "merged":
            yield contact, MERGED
        else:
            tags, companies = (tuple(_own_id(each) for each in value[name]) for name in ("tags", "companies"))
            yield contact, ExpectedPerson(value["name"], int(value["attributes"]["seats"]), tags, companies)


def _hand_written_person(value: Any) -> Iterator[NamedPerson]:
    contact = _own_id(value["key"])
    if "merged_into" in value:
        yield contact, MERGED
        return
    seats, tags, companies = value["custom_attributes"]["seats"], tuple(sorted(value["tags"])), tuple(sorted(value["companies"]))
    yield contact, ExpectedPerson(value["name"], seats, tags, companies)


def _own_id(qualified: str) -> str:
    """Return the id without its workspace."""
    return qualified.partition(":")[2]
