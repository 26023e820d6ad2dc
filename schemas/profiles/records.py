"""The records of `person.records` and `org.records`: a person or an organisation as another system knows it.

A value is Avro in Confluent framing by the schema `record`, or the same as JSON, where `fields` and `attributes` have values as they
are instead of texts of JSON.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.canonical import canonical
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.profiles.identity import ORG, PERSON

TOPICS: Final[Mapping[str, str]] = MappingProxyType({PERSON: "person.records", ORG: "org.records"})
"""The topic of other systems' records, by type of profile."""

SCHEMA: Final = "record"

WITHDRAWN: Final = "source.withdrawn.v1"
"""The type of a record without key, its value empty, in every partition, that withdraws all records of the source in its `ce_subject`."""

MOST_BYTES: Final = 500_000
"""The size of a value: a row has up to three values of each field, a change two, and both have to fit into a record of Kafka."""

LONGEST_ID: Final = 256  # characters
LONGEST_NAME: Final = 200  # characters, of a field or an attribute
MOST_ORGS: Final = 10_000  # of one person


class ForeignRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record as its system has it at `updated_at` (ms since 1970). Values of `fields` and `attributes` are JSON text."""

    source: str
    id: str
    updated_at: int
    created_at: int | None = None
    deleted: bool = False
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)
    orgs: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """The key of the record on its topic and everywhere else."""
        return f"{self.source}:{self.id}"


class _JsonRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    id: str
    updated_at: int
    created_at: int | None = None
    deleted: bool = False
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    orgs: tuple[str, ...] | None = None


NEITHER: Final = "the value is no JSON that can be read, and not in Confluent framing either"

_JSON: Final = msgspec.json.Decoder(_JsonRecord)
_FRAMED: Final = b"\0"  # the first byte of Confluent framing, and of no JSON
_BOM: Final = b"\xef\xbb\xbf"


def decode(avro: Avro, value: bytes | None) -> ForeignRecord:
    """Return the record. Raises InvalidRecord, which quotes no value, for anything else."""
    if not value:
        raise InvalidRecord("a record without a value says nothing; send it with `deleted` to say that it is gone there")
    if len(value) > MOST_BYTES:
        raise InvalidRecord(
            f"a record is at most {MOST_BYTES} bytes long, this one has {len(value)}; leave out what is no profile data"
        )
    if (text := json_of(value)) is not None:
        return _from_json(text)
    name, content = avro.decode(value)
    if name != SCHEMA:
        raise InvalidRecord(f"a value of schema {name} is no record of another system; it is written with the schema {SCHEMA}")
    return ForeignRecord(**content | {"orgs": None if content["orgs"] is None else tuple(content["orgs"])})


def json_of(value: bytes) -> bytes | None:
    """Return what is JSON if anything is, without a byte order mark; None for a value in Confluent framing."""
    return None if value[:1] == _FRAMED else value.removeprefix(_BOM)


def _from_json(value: bytes) -> ForeignRecord:
    try:
        record = _JSON.decode(value)
    except (msgspec.ValidationError, RecursionError) as error:  # the text has the path and the types, never a value
        raise InvalidRecord(f"the record does not fit its schema: {error}") from None
    except (msgspec.MsgspecError, ValueError):  # bad JSON; or a number of thousands of digits, which Python refuses to read
        raise InvalidRecord(NEITHER) from None
    content = msgspec.structs.asdict(record)
    return ForeignRecord(**content | {"fields": _as_texts(record.fields), "attributes": _as_texts(record.attributes)})


def _as_texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: canonical(value).decode() for name, value in values.items()}
