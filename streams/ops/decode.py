"""A record of any topic as JSON, for people and tools that inspect topics; no agent uses this module."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, get_type_hints

import msgspec

from schemas.codec import Avro, framing_id
from schemas.encoded import held_type
from schemas.errors import IntercomStreamsError
from schemas.intercom import conversations
from schemas.profiles import records
from schemas.profiles.checkpoints import CHECKPOINT, may_be_checkpoint
from schemas.topics import TOPICS, Encoding
from streams.engine.agent import Agent, Codec
from streams.engine.naming import Naming
from streams.engine.tables import commit_state


class DecodedValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value as JSON. `bytes` (base64) is set where `value` is not an exact spelling of them; `error` is the reason."""

    value: Any = None
    schema: str | None = None
    bytes: str | None = None
    error: str | None = None


_CHECKPOINTS: Mapping[str, Codec[Any]] = {
    **dict.fromkeys(("intercom.contacts", "intercom.companies", "person.records", "org.records"), CHECKPOINT),
    "intercom.conversations": conversations.CHECKPOINT,
}

Decoder = Callable[[bytes, bytes], DecodedValue]
"""Take a key and a value that is not null."""


def decoder_of(topic: str, avro: Avro, agents: tuple[Agent, ...], names: Naming) -> Decoder:
    """Return the decoder of a topic (without prefix). Bytes that cannot be decoded are shown as they are, with the reason."""
    changelogs = {names.changelog(agent.name): agent.codec for agent in agents}
    if topic in changelogs:
        return _changelog(changelogs[topic])
    if topic not in TOPICS:
        return _as_received
    if topic in _CHECKPOINTS:
        return _or_checkpoint(_internal(_CHECKPOINTS[topic]), _by_encoding(topic, avro))
    return _by_encoding(topic, avro)


def _by_encoding(topic: str, avro: Avro) -> Decoder:
    if (codec := TOPICS[topic].codec) is not None:
        return _internal(codec)
    if topic in records.TOPICS.values():
        return _record(_avro(avro))
    by_encoding = {Encoding.RAW: _as_received, Encoding.INTERNAL: _as_received, Encoding.AVRO: _avro(avro), Encoding.JSON: _json}
    return by_encoding[TOPICS[topic].encoding]


def _or_checkpoint(checkpoint: Decoder, decode: Decoder) -> Decoder:
    """Return the decoder of an inbound topic to which rows are written again, in the encoding of tables."""
    return lambda key, data: checkpoint(key, data) if may_be_checkpoint(data) else decode(key, data)


def _as_received(_: bytes, data: bytes) -> DecodedValue:
    return DecodedValue(value=verbatim(data) or _base64(data), bytes=_base64(data))


def _json(_: bytes, data: bytes) -> DecodedValue:
    value = verbatim(data)
    return DecodedValue(value=value) if value is not None else DecodedValue(bytes=_base64(data), error="the value is not JSON")


def _avro(avro: Avro) -> Decoder:
    def decode(data: bytes) -> DecodedValue:
        name, value = avro.decode(data)
        return DecodedValue(value=value, schema=f"{name} ({framing_id(data)})")

    return lambda _, data: _value_or_error(decode, data)


def _record(avro: Decoder) -> Decoder:
    """Return the decoder of records of other systems, which are Avro or JSON."""

    def decode(key: bytes, data: bytes) -> DecodedValue:
        if (text := records.json_of(data)) is None:
            return avro(key, data)
        value = verbatim(text)
        if value is None:
            return DecodedValue(bytes=_base64(data), error=records.NEITHER)
        return DecodedValue(value=value, bytes=_base64(data))

    return decode


def _internal(codec: Codec[Any]) -> Decoder:
    return lambda _, data: _value_or_error(lambda data: DecodedValue(value=to_plain(codec.decode(data))), data)


def _changelog(codec: Codec[Any]) -> Decoder:
    def decode(key: bytes, data: bytes) -> DecodedValue:
        decode_entry = commit_state.decode if key == commit_state.KEY else codec.decode
        return _value_or_error(lambda data: DecodedValue(value=to_plain(decode_entry(data))), data)

    return decode


def _value_or_error(decode: Callable[[bytes], DecodedValue], data: bytes) -> DecodedValue:
    try:
        return decode(data)
    except (IntercomStreamsError, msgspec.MsgspecError) as error:
        return DecodedValue(bytes=_base64(data), error=str(error))


def verbatim(data: bytes) -> msgspec.Raw | None:
    """Return JSON with its own spelling, numbers and repeated keys included, on one line; None for bytes that are not JSON.

    A line break in JSON is never inside a text, so a blank in its place changes nothing.
    """
    try:
        json.loads(data.decode(), parse_int=str, parse_float=str, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return msgspec.Raw(data.replace(b"\r", b" ").replace(b"\n", b" ").strip())


def to_plain(value: Any) -> Any:
    """Return structs and named tuples as objects keyed by field name, bytes as base64, and everything else unchanged.

    Encoded fields (`schemas.encoded`) are shown decoded. Raises msgspec's errors where one cannot be.
    """
    if isinstance(value, msgspec.Struct):
        return _decoded_parts(type(value), {name: getattr(value, name) for name in value.__struct_fields__})
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _decoded_parts(type(value), value._asdict())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(to_plain(key)): to_plain(part) for key, part in value.items()}
    if isinstance(value, Enum):
        return value.value
    return _base64(value) if isinstance(value, bytes) else value


def _decoded_parts(kind: type, parts: Mapping[str, Any]) -> dict[str, Any]:
    encoded = _encoded_fields(kind)
    return {name: to_plain(encoded[name].decode(part) if name in encoded else part) for name, part in parts.items()}


@cache
def _encoded_fields(kind: type) -> Mapping[str, msgspec.msgpack.Decoder[Any]]:
    """Return the decoders of the encoded fields of a struct or a named tuple."""
    held = {name: held_type(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}
    return {name: msgspec.msgpack.Decoder(each) for name, each in held.items() if each is not None}


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
