"""Values of public topics as bytes: Avro in Confluent's framing (a zero byte, the schema's id in four bytes, the Avro binary).

Values are plain: logical types are for other readers, so a `timestamp-millis` is an int of milliseconds, encoded and decoded. In
a union of several records a value is `(record name, fields)`; elsewhere a record is a dict.
"""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import SchemaParseException
from fastavro.validation import ValidationError, validate

from schemas.catalogue import Catalogue, Schema, shipped
from schemas.errors import InvalidRecord
from schemas.prepared_avro.reader import UNUSUAL as UNUSUAL_BYTES
from schemas.prepared_avro.reader import prepared_reader
from schemas.prepared_avro.repeats import Path, RepeatingReader
from schemas.prepared_avro.writer import UNUSUAL, prepared_writer

T = TypeVar("T", bound=msgspec.Struct)

FRAME: Final = 5  # bytes before the Avro binary
_MAGIC: Final = b"\x00"
_NONE: Final[Mapping[int, Schema]] = MappingProxyType({})

# What fastavro raises for bytes that do not fit the schema: its reader trusts lengths, indexes and text.
_MALFORMED: Final = (EOFError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError, RecursionError)


class _SchemaCodec(NamedTuple):
    """The schema of a framing id: the writer's, and the current one where it differs."""

    name: str
    schema: Schema
    writer: Any
    reader: Any | None
    read: Callable[[bytes, int], Any] | None  # prepared for values of the current schema


class Avro:
    """Encode with the current schemas, decode with any known version.

    `ids` is the framing id of each current schema, `others` further schemas by id: earlier versions, or another subject's id for
    the same schema. It does no I/O: the client of a registry passes in the registry's ids.
    """

    def __init__(
        self, ids: Mapping[str, int], others: Mapping[int, Schema] = _NONE, *, catalogue: Catalogue | None = None
    ) -> None:
        catalogue = catalogue or shipped()
        self._uris = {name: schema.uri for name, schema in catalogue.current.items()}
        self._parsed = {name: parsed(schema) for name, schema in catalogue.current.items()}
        self._writers = {name: prepared_writer(schema) for name, schema in self._parsed.items()}
        self._prefixes = {name: _MAGIC + number.to_bytes(4, "big") for name, number in ids.items()}
        self._repeating: dict[str, RepeatingReader[Any]] = {}
        self._codecs = {number: self._codec(schema) for number, schema in others.items()}
        self._codecs |= {number: self._codec(catalogue.current[name]) for name, number in ids.items()}

    @classmethod
    def local(cls, catalogue: Catalogue | None = None) -> "Avro":
        """Return the codec for use without a registry: ids follow from the schemas themselves."""
        catalogue = catalogue or shipped()
        earlier = {schema.local_id: schema for versions in catalogue.history.values() for schema in versions}
        return cls({name: schema.local_id for name, schema in catalogue.current.items()}, earlier, catalogue=catalogue)

    def knows(self, number: int) -> bool:
        """Return whether values with that framing id can be decoded."""
        return number in self._codecs

    def schema(self, number: int) -> Schema:
        """Return the schema of a framing id that is known."""
        return self._codecs[number].schema

    def add(self, number: int, schema: Schema) -> None:
        """Add the schema of a framing id, as a registry or a file has it. Raises InvalidRecord for a definition that is no schema of Avro."""
        try:
            self._codecs[number] = self._codec(schema)
        except (SchemaParseException, *_MALFORMED, AttributeError) as error:
            raise InvalidRecord(f"what stands for the schema {schema.name} is no schema of Avro") from error

    def repeating(self, name: str, differing: Sequence[Path]) -> RepeatingReader[Any]:
        """Return what recognises values of a current schema that repeat one another but for these parts; there is one for a schema."""
        reader = self._repeating.get(name)
        if reader is None:
            reader = self._repeating[name] = RepeatingReader(self._parsed[name], differing)
        return reader

    def is_current(self, data: bytes) -> bool:
        """Say whether a framed value was written with the current schema of its name."""
        return self._codecs[framing_id(data)].read is not None

    def frame(self, name: str) -> bytes:
        """Return what is before the Avro binary of a value of a current schema."""
        return self._prefixes[name]

    def data_schema(self, name: str) -> str:
        """Return the `ce_dataschema` of values encoded under that name."""
        return self._uris[name]

    def encode(self, name: str, value: dict[str, Any]) -> bytes:
        """Return the framed value. A field the schema lacks, or one without default left out, is an error: nothing is dropped.

        Raises InvalidRecord with the path of the field that does not fit.
        """
        prefix, write = self._prefixes[name], self._writers[name]
        if write is not None:
            try:
                return prefix + write(value)
            except UNUSUAL:
                pass  # fastavro writes it, or says what is wrong
        out = BytesIO()
        out.write(prefix)
        try:
            schemaless_writer(out, self._parsed[name], value, strict_allow_default=True)
        except (*_MALFORMED, AttributeError) as error:
            raise InvalidRecord(
                f"a value does not fit the schema {name}: {_mismatch(self._parsed[name], value, error)}"
            ) from None
        return out.getvalue()

    def decode(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Return the schema's name and the value as the current schema has it. Raises InvalidRecord for other bytes."""
        number = framing_id(data)
        codec = self._codecs.get(number)
        if codec is None:
            raise InvalidRecord(
                f"schema id {number} is unknown here: it was written with another registry, or by a newer release"
            )
        if codec.read is not None:
            try:
                return codec.name, codec.read(data, FRAME)
            except UNUSUAL_BYTES:
                pass  # fastavro reads them, or says what is wrong
        body = BytesIO(data)
        body.seek(FRAME)
        try:
            value: Any = schemaless_reader(
                body, codec.writer, codec.reader, return_record_name=True, return_record_name_override=True
            )
        except _MALFORMED as error:
            raise InvalidRecord(f"the value is cut off, or was not written with its schema {codec.name} (id {number})") from error
        if trailing := body.read():
            raise InvalidRecord(f"{len(trailing)} bytes follow the value of schema {codec.name} (id {number})")
        return codec.name, value

    def decode_as(
        self, struct: type[T], schema: str, data: bytes | None, *, what: str, deleted: str = "it is never deleted", **more: Any
    ) -> T:
        """Return the struct of a value whose topic has this schema alone, with `more` as further fields.

        Raises InvalidRecord for any other value, which it says is no `what`; where there is none, with what `deleted` says of deleting.
        """
        if data is None:
            raise InvalidRecord(f"a record without a value is no {what}: {deleted}")
        name, value = self.decode(data)
        if name != schema:
            raise InvalidRecord(f"a value of schema {name} is no {what}; look at who writes to this topic")
        try:
            return msgspec.convert(value | more, struct)
        except msgspec.ValidationError as error:
            raise InvalidRecord(
                f"the value is no {what} that this release knows: {error}; a newer one may have written it"
            ) from None

    def _codec(self, schema: Schema) -> _SchemaCodec:
        reader = self._parsed.get(schema.name)
        writer = parsed(schema)
        is_current = reader is None or writer == reader
        return _SchemaCodec(
            schema.name, schema, writer, None if is_current else reader, prepared_reader(writer) if is_current else None
        )


def framing_id(data: bytes) -> int:
    """Return the schema id of a framed value. Raises InvalidRecord where there is no frame."""
    if len(data) < FRAME or data[:1] != _MAGIC:
        raise InvalidRecord("the value is not in Confluent framing: it does not begin with a zero byte and a schema id")
    return int.from_bytes(data[1:FRAME], "big")


def payload(data: bytes) -> bytes:
    """Return the Avro binary without its frame, to be hashed independently of the framing id."""
    framing_id(data)
    return data[FRAME:]


def parsed(schema: Schema) -> Any:
    """Return a schema as fastavro uses it, without logical types."""
    return parse_schema(_plain(schema.definition))


def _plain(definition: Any) -> Any:
    """Return a schema without logical types."""
    if isinstance(definition, dict):
        return {key: _plain(part) for key, part in definition.items() if key != "logicalType"}
    return [_plain(part) for part in definition] if isinstance(definition, list) else definition


def _mismatch(schema: Any, value: object, error: Exception) -> str:
    """Return which field does not fit, without its value, which may be personal."""
    try:
        validate(value, schema)
    except ValidationError as mismatch:
        return f"{mismatch.errors[0].field or 'the whole'} should be {_type_name(mismatch.errors[0].schema)}"
    except _MALFORMED:
        return "it has another shape"
    if isinstance(error, UnicodeError):
        return "a text holds half of a surrogate pair, which no UTF-8 can spell"
    return str(error) if isinstance(error, ValueError) else "a number is too large"  # these ValueErrors name fields only


def _type_name(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_type_name(part) for part in schema)
    return str(schema.get("name", schema["type"])) if isinstance(schema, dict) else str(schema)
