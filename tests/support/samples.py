"""One value of everything that a table or an internal topic of the product stores, with every field filled.

The samples follow from the tables: a topic's codec, an agent's codec, and the rows that a codec distinguishes by tag.
`python -m tests.support.samples >tests/streams/agents/encodings/N.json` records the bytes of the newest encoding N.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args

import msgspec

from schemas.encoded import held_type
from schemas.topics import TOPICS
from schemas.versioned import ENCODING, Versioned
from streams.agents.topology import agents_of
from tests.support.company import AVRO
from tests.support.sample_values import encoded_fields, sample_of
from tests.support.tenancy import WITH_SOURCES

AGENTS: Final = agents_of(WITH_SOURCES, AVRO)


class Sample(NamedTuple):
    codec: Versioned[Any]
    value: Any


def _samples() -> Iterator[tuple[str, Sample]]:
    for topic in TOPICS.values():
        if topic.codec is not None:
            for kind in stored_types(topic.codec):
                yield _name(topic.name, kind), Sample(topic.codec, sample_of(kind))
    for agent in AGENTS:
        assert isinstance(agent.codec, Versioned), (
            f"the table of {agent.name} outlives a release: give it a schemas.versioned codec"
        )
        for kind in stored_types(agent.codec):
            yield _name(agent.name, kind), Sample(agent.codec, sample_of(kind))


def _name(owner: str, kind: Any) -> str:
    tag = kind.__struct_config__.tag
    return owner if tag is None else f"{owner}: {tag}"


def stored_types(codec: Versioned[Any]) -> tuple[Any, ...]:
    """Return the members of a codec's union, or its one type."""
    return get_args(codec.value_type) or (codec.value_type,)


SAMPLES: Final = MappingProxyType(dict(_samples()))
"""By the name of the topic or the agent, and by the tag of the row where an agent has several kinds of rows."""


def history(codec: Versioned[Any]) -> Iterator[Versioned[Any]]:
    """Yield the codec and its predecessors, newest first."""
    yield codec
    if codec.before is not None:
        yield from history(codec.before.codec)


def schema_hash(kind: Any) -> str:
    """Return a hash of everything that decides the bytes of a type's values: a different hash is a different encoding."""
    types = [kind, *(held_type(hint) for hint in encoded_fields(kind))]
    schema = json.dumps([_without_prose(msgspec.json.schema(each)) for each in types], sort_keys=True)
    return sha256(schema.encode()).hexdigest()[:16]


def _without_prose(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {
            name: _without_prose(part)
            for name, part in schema.items()
            if not (name in ("title", "description") and isinstance(part, str))
        }
    return [_without_prose(part) for part in schema] if isinstance(schema, list) else schema


def recorded() -> dict[str, dict[str, str]]:
    """Return the record of the newest encoding: schemas and sample bytes of the types that changed with it."""
    newest = {name: sample for name, sample in SAMPLES.items() if sample.codec.since == ENCODING}
    return {
        "schemas": {name: schema_hash(sample.codec.value_type) for name, sample in newest.items()},
        "values": {name: b64encode(sample.codec.encode(sample.value)).decode() for name, sample in newest.items()},
    }


if __name__ == "__main__":
    print(json.dumps(recorded(), indent=1))  # noqa: T201
