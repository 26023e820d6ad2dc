"""What an object read over Intercom's REST API, or its absence there, asserts about its record."""

import msgspec

from schemas.errors import InvalidRecord
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.intercom.values import identifier_or_none, instant_or_none
from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.records.intercom.objects import Object, ObjectSchema
from streams.core.records.intercom.payload import decode_item
from streams.core.records.intercom.translate import SECOND, Observation, observation
from streams.core.records.registers import edge_registers

_HOW = {ReadAs.BY_ID: Observation.BY_ID, ReadAs.LISTED: Observation.FROM_LIST}


def observe(schema: ObjectSchema, reading: Reading) -> Registers:
    """Return the registers of a reading. Raises InvalidRecord where its bytes are no object, or another one than its key names.

    A merge counts when it happened, if Intercom says when, as its webhook would. That an object is missing counts when it was asked for.
    """
    match reading.read_as:
        case ReadAs.MERGED:
            if not reading.successor or not reading.successor.isprintable():
                raise InvalidRecord("a contact that was merged names no successor; read the contact again")
            return edge_registers(_version(_merged_at(reading), Rank.MERGE, reading), [f"merged:{reading.successor}"], on=True)
        case ReadAs.MISSING:
            return edge_registers(_version(reading.requested_at, Rank.DELETE, reading), ["deleted"], on=True)
        case ReadAs.HISTORY:
            raise InvalidRecord("an entry of a log is no object that has a record; only backfill and sync write such records")
        case _:
            item = decode_item(msgspec.Raw(reading.value))
            if identifier_or_none(item.get("id")) != reading.entity:
                raise InvalidRecord("the object has another id than its record's key; only backfill and sync write such records")
            return observation(schema, item, _HOW[reading.read_as], reading.requested_at, reading.id)


def _merged_at(reading: Reading) -> int:
    item: Object = decode_item(msgspec.Raw(reading.value))
    return instant_or_none(item.get("merged_at")) or reading.requested_at


def _version(time: int, rank: Rank, reading: Reading) -> Version:
    return Version(time // SECOND, int(rank), time % SECOND, reading.requested_at, reading.id)
