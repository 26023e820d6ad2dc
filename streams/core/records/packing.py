"""Registers as stored and sent: each version once, names in order, so that equal registers have equal bytes."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from schemas.errors import InvalidRecord
from schemas.profiles.registers import EncodedRegisters, Indexed, Layers, Packed, Registers
from schemas.profiles.version import Version


def pack(registers: Registers) -> Packed:
    """Return the registers as stored: each version once, names in order, so that equal registers have equal bytes."""
    families = (
        registers.now, registers.last, registers.first, registers.on, registers.off, registers.since, registers.complete,
    )  # fmt: skip
    versions = sorted({version for layers in families for version, _ in layers})
    indexes = {version: index for index, version in enumerate(versions)}
    return Packed(
        tuple(versions),
        _indexed(registers.now, indexes),
        _indexed(registers.last, indexes),
        _indexed(registers.first, indexes),
        _indexed(registers.on, indexes),
        _indexed(registers.off, indexes),
        _indexed(registers.since, indexes),
        _indexed(registers.complete, indexes),
        registers.contested,
    )


def unpack(packed: Packed) -> Registers:
    """Return the registers from how they are stored."""
    versions = packed.versions
    return Registers(
        _layers(packed.now, versions),
        _layers(packed.last, versions),
        _layers(packed.first, versions),
        _layers(packed.on, versions),
        _layers(packed.off, versions),
        _layers(packed.since, versions),
        _layers(packed.complete, versions),
        packed.contested,
    )


def encode(registers: Registers) -> EncodedRegisters:
    """Return the registers as the bytes that rows and patches have."""
    return msgspec.Raw(_encode(pack(registers)))


def decode(data: EncodedRegisters) -> Registers:
    """Return the registers from the bytes of `encode`. Raises InvalidRecord, which quotes nothing, for other bytes."""
    try:
        return unpack(_PACKED.decode(data))
    except (msgspec.MsgspecError, LookupError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> InvalidRecord:
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else "a layer has a version that is not there"
    return InvalidRecord(f"the registers of a record cannot be read: {reason}")  # the text has the path and the types only


_encode: Final = msgspec.msgpack.Encoder().encode
_PACKED: Final = msgspec.msgpack.Decoder(Packed)


def _indexed(layers: Layers, indexes: Mapping[Version, int]) -> Indexed:
    return tuple([(indexes[version], values) for version, values in layers]) if layers else ()


def _layers(indexed: Indexed, versions: Sequence[Version]) -> Layers:
    return tuple([(versions[index], values) for index, values in indexed]) if indexed else ()
