"""Values of public topics as bytes: Avro in Confluent's framing (a zero byte, the schema's id in four bytes, the Avro binary).

Values are plain: logical types are for other readers, so a `timestamp-millis` is an int of milliseconds on both sides. Where a union
offers several records, a value is `(record name, fields)` on both sides; elsewhere a record is a dict.
"""

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any, NamedTuple

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.validation import ValidationError, validate

from schemas.catalogue import Catalogue, Schema, shipped
from schemas.errors import InvalidRecord

FRAME = 5  # bytes before the Avro binary
_MAGIC = b"\x00"
_NONE: Mapping[int, Schema] = MappingProxyType({})

# What fastavro raises on bytes that are not of the schema: its reader trusts lengths, indexes and text.
_MALFORMED = (EOFError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError, RecursionError)


class _SchemaCodec(NamedTuple):
    """What an id on the wire means: the writer's schema, and ours to read it as where they differ."""

    name: str
    writer: Any
    reader: Any | None


class Avro:
    """Encode with the current schemas, decode what any known version wrote.

    `ids` gives each current schema its framing id, `others` names further schemas by id: earlier versions, or another subject's id for
    the same schema. Made of values alone; whoever talks to a registry passes in what it answered.
    """

    def __init__(
        self, ids: Mapping[str, int], others: Mapping[int, Schema] = _NONE, *, catalogue: Catalogue | None = None
    ) -> None:
        known = catalogue or shipped()
        self._uris = {name: schema.uri for name, schema in known.current.items()}
        self._parsed = {name: _parsed(schema) for name, schema in known.current.items()}
        self._prefixes = {name: _MAGIC + number.to_bytes(4, "big") for name, number in ids.items()}
        self._written = {number: self._reading(schema) for number, schema in others.items()}
        self._written |= {number: self._reading(known.current[name]) for name, number in ids.items()}

    @classmethod
    def local(cls, catalogue: Catalogue | None = None) -> "Avro":
        """Return the codec where no registry is: ids follow from the schemas themselves."""
        known = catalogue or shipped()
        earlier = {schema.local_id: schema for versions in known.history.values() for schema in versions}
        return cls({name: schema.local_id for name, schema in known.current.items()}, earlier, catalogue=known)

    def knows(self, number: int) -> bool:
        """Say whether values with that framing id can be decoded."""
        return number in self._written

    def add(self, number: int, schema: Schema) -> None:
        """Make values written with that id readable, as the registry explained it."""
        self._written[number] = self._reading(schema)

    def data_schema(self, name: str) -> str:
        """Return the `ce_dataschema` of values encoded under that name."""
        return self._uris[name]

    def encode(self, name: str, value: dict[str, Any]) -> bytes:
        """Return the framed value. A field the schema lacks, or one without default left out, is an error: nothing is dropped.

        Raises InvalidRecord with the place of what does not fit.
        """
        out = BytesIO()
        out.write(self._prefixes[name])
        try:
            schemaless_writer(out, self._parsed[name], value, strict_allow_default=True)
        except (*_MALFORMED, AttributeError) as error:
            raise InvalidRecord(
                f"a value does not fit the schema {name}: {_mismatch(self._parsed[name], value, error)}"
            ) from None
        return out.getvalue()

    def decode(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Return the schema's name and the value as the current schema has it. Raises InvalidRecord for anything else."""
        number = framing_id(data)
        written = self._written.get(number)
        if written is None:
            raise InvalidRecord(
                f"schema id {number} is unknown here: it was written with another registry, or by a newer release"
            )
        body = BytesIO(data)
        body.seek(FRAME)
        try:
            value: Any = schemaless_reader(
                body, written.writer, written.reader, return_record_name=True, return_record_name_override=True
            )
        except _MALFORMED as error:
            raise InvalidRecord(
                f"the value is cut off, or was not written with its schema {written.name} (id {number})"
            ) from error
        if body.tell() != len(data):
            raise InvalidRecord(f"{len(data) - body.tell()} bytes follow the value of schema {written.name} (id {number})")
        return written.name, value

    def _reading(self, schema: Schema) -> _SchemaCodec:
        reader = self._parsed.get(schema.name)
        parsed = _parsed(schema)
        return _SchemaCodec(schema.name, parsed, None if reader is None or parsed == reader else reader)


def framing_id(data: bytes) -> int:
    """Return the schema id a framed value names. Raises InvalidRecord where there is no frame."""
    if len(data) < FRAME or data[:1] != _MAGIC:
        raise InvalidRecord("the value is not in Confluent framing: it does not begin with a zero byte and a schema id")
    return int.from_bytes(data[1:FRAME], "big")


def payload(data: bytes) -> bytes:
    """Return the Avro binary without its frame: what is hashed where the framing id must not matter."""
    framing_id(data)
    return data[FRAME:]


def _parsed(schema: Schema) -> Any:
    return parse_schema(_plain(schema.definition))


def _plain(definition: Any) -> Any:
    """Return a schema without logical types."""
    if isinstance(definition, dict):
        return {key: _plain(part) for key, part in definition.items() if key != "logicalType"}
    return [_plain(part) for part in definition] if isinstance(definition, list) else definition


def _mismatch(schema: Any, value: object, error: Exception) -> str:
    """Say which field does not fit, without its value, which may be personal."""
    try:
        validate(value, schema)
    except ValidationError as misfit:
        return f"{misfit.errors[0].field or 'the whole'} should be {_kind(misfit.errors[0].schema)}"
    except _MALFORMED:
        return "it has another shape"
    if isinstance(error, UnicodeError):
        return "a text holds half of a surrogate pair, which no UTF-8 can spell"
    return str(error) if isinstance(error, ValueError) else "a number is too large"  # these ValueErrors name fields only


def _kind(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_kind(part) for part in schema)
    return str(schema.get("name", schema["type"])) if isinstance(schema, dict) else str(schema)
