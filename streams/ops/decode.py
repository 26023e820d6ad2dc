"""What a record of any topic says, in words JSON has. For people who look: nothing here is on the way of an event."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from enum import Enum
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.codec import Avro, framing_id
from schemas.errors import IntercomStreamsError
from schemas.topics import TOPICS, Encoding
from streams.engine.agent import Agent, Codec
from streams.engine.naming import Naming
from streams.engine.tables import commit_state as positions

INTERNAL: Final = MappingProxyType({
    "person.patches": "streams.agents.source_records:PATCH",
    "org.patches": "streams.agents.source_records:PATCH",
})  # fmt: skip
"""Where the codec of each internal topic stands, by module and name."""


class DecodedValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value as JSON can show it. `bytes` (base64) are there where the value is no exact spelling of them, `error` says why."""

    value: Any = None
    schema: str | None = None
    bytes: str | None = None
    error: str | None = None


Decoder = Callable[[bytes, bytes], DecodedValue]
"""Take a key and a value that is not null."""


def decoder_of(topic: str, avro: Avro, agents: tuple[Agent, ...], names: Naming) -> Decoder:
    """Return how values of a topic (its name without prefix) are shown. Bytes that cannot be read are shown as they are, with the reason."""
    changelogs = {names.changelog(agent.name): agent.codec for agent in agents}
    if topic in changelogs:
        return lambda key, data: _table_entry(changelogs[topic], key, data)
    form = TOPICS[topic].encoding if topic in TOPICS else Encoding.RAW
    if form is Encoding.INTERNAL and topic in INTERNAL:
        codec = codec_at(INTERNAL[topic])
        return lambda _, data: _guarded(data, lambda: DecodedValue(value=to_plain(codec.decode(data))))
    return _BY_FORM[form](avro)


def _raw(_: Avro) -> Decoder:
    return lambda _, data: DecodedValue(value=verbatim(data) or _base64(data), bytes=_base64(data))


def _avro(avro: Avro) -> Decoder:
    def decode(_: bytes, data: bytes) -> DecodedValue:
        def known() -> DecodedValue:
            name, value = avro.decode(data)
            return DecodedValue(value=value, schema=f"{name} ({framing_id(data)})")

        return _guarded(data, known)

    return decode


def _json(_: Avro) -> Decoder:
    def decode(_: bytes, data: bytes) -> DecodedValue:
        value = verbatim(data)
        return (
            DecodedValue(value=value) if value is not None else DecodedValue(bytes=_base64(data), error="the value is not JSON")
        )

    return decode


_BY_FORM: Mapping[Encoding, Callable[[Avro], Decoder]] = MappingProxyType(
    {Encoding.RAW: _raw, Encoding.INTERNAL: _raw, Encoding.AVRO: _avro, Encoding.JSON: _json}
)


def _table_entry(codec: Codec[Any], key: bytes, data: bytes) -> DecodedValue:
    decode = positions.decode if key == positions.KEY else codec.decode
    return _guarded(data, lambda: DecodedValue(value=to_plain(decode(data))))


def _guarded(data: bytes, decode: Callable[[], DecodedValue]) -> DecodedValue:
    try:
        return decode()
    except (IntercomStreamsError, msgspec.MsgspecError) as error:
        return DecodedValue(bytes=_base64(data), error=str(error))


def verbatim(data: bytes) -> msgspec.Raw | None:
    """Return JSON as it is spelt, numbers and repeated keys included, on one line; None for what is not JSON.

    A line break in JSON is never inside a text, so a blank in its place changes nothing.
    """
    try:
        json.loads(data.decode(), parse_int=str, parse_float=str, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return msgspec.Raw(data.replace(b"\r", b" ").replace(b"\n", b" ").strip())


def to_plain(value: Any) -> Any:
    """Return structs and named tuples as objects with their fields' names, bytes as base64, all else as it is."""
    if isinstance(value, msgspec.Struct):
        return {name: to_plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: to_plain(part) for name, part in value._asdict().items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(to_plain(key)): to_plain(part) for key, part in value.items()}
    if isinstance(value, Enum):
        return value.value
    return _base64(value) if isinstance(value, bytes) else value


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def codec_at(place: str) -> Codec[Any]:
    """Return the codec that stands at a place of `INTERNAL`."""
    module, _, name = place.partition(":")
    codec: Codec[Any] = getattr(import_module(module), name)
    return codec
