"""What a record of another system asserts, as registers ready to be joined, and which records can never be understood.

The record counts at its own `updated_at`. A field that it leaves out is not asserted, null empties one. Names are kept as they are:
`Plan`, `plan` and their decomposed spellings are different attributes, so none can overwrite another.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.errors import InvalidRecord
from schemas.intercom.values import floor_to_second, instant
from schemas.profiles.identity import ORG, PERSON
from schemas.profiles.records import LONGEST_ID, LONGEST_NAME, MOST_ORGS, ForeignRecord
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Rank, Version
from schemas.tenancy import Tenancy
from schemas.topics import DAY_MS
from streams.core.records.intercom.objects import COMPANY, CONTACT, ObjectSchema
from streams.core.records.intercom.parsers import Parser, WrongType, anything, flag, moment, own_id, reference, text
from streams.core.records.registers import edge_registers, field_registers, join, list_registers

_SECOND: Final = 1000
_FIRST_UPDATE: Final = 946_684_800_000  # 2000-01-01: a smaller number is a time in seconds
_AHEAD: Final = DAY_MS  # by which a system's clock may be ahead of the record's own time on Kafka
_YEAR_1, _YEAR_10000 = -62_135_596_800_000, 253_402_300_800_000
_SECOND_2000, _SECOND_2100 = 946_684_800, 4_102_444_800
_COMPANY: Final = "company"
_RECORD, _DELETION = 0, 1  # of one millisecond the deletion is the later one


def _is_in_seconds(time: int) -> bool:
    """Return whether a number is a time of these days in seconds; as milliseconds it would be within five weeks of 1970."""
    return _SECOND_2000 <= time < _SECOND_2100


def _milliseconds(value: Any) -> Value:
    """Parse a time as the schemas of profiles have it, a number of milliseconds; or a text in ISO 8601. 0 is never.

    A time of these days in seconds is no time: read as milliseconds it would make a record the oldest of all.
    """
    if value is None or value == "" or (value == 0 and not isinstance(value, bool)):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and _YEAR_1 <= value < _YEAR_10000 and not _is_in_seconds(value):
        return floor_to_second(value)
    if isinstance(value, str):
        try:
            ms = instant(value)
        except InvalidRecord:
            raise WrongType from None
        return None if ms is None else floor_to_second(ms)
    raise WrongType


_TRUTHS: Final[Mapping[str, bool]] = MappingProxyType({"true": True, "false": False, "1": True, "0": False})


def _truth(value: Any) -> Value:
    """Parse a boolean, also as text or as 1 and 0: consent that was refused in another form must not be lost."""
    if value is None or value == "":
        return None
    text = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if text in _TRUTHS:
        return _TRUTHS[text]
    raise WrongType


_IN_OTHER_SYSTEMS: Final[Mapping[Parser, Parser]] = MappingProxyType({moment: _milliseconds, reference: own_id, flag: _truth})
"""Times are milliseconds there, and an id of 0 is an id like any other: only Intercom has it for nobody."""


def _parsers(schema: ObjectSchema, *texts: str) -> Mapping[str, Parser]:
    """Return the parsers of the fields that records of other systems can have, by their names in the public schema."""
    rules = [rule for rule in schema.fields.values() if not rule.name.startswith("traits.")]
    parsers = {rule.name: _IN_OTHER_SYSTEMS.get(rule.parse, rule.parse) for rule in rules}
    return MappingProxyType(parsers | dict.fromkeys(texts, text))


PARSERS: Final[Mapping[str, Mapping[str, Parser]]] = MappingProxyType({
    PERSON: _parsers(CONTACT, "avatar_url", "country", "region", "city", "country_code", "continent_code"),
    ORG: MappingProxyType({**_parsers(COMPANY, "plan_name"), "plan_id": own_id}),
})  # fmt: skip
"""The fields of each type of profile; a field that is not listed becomes `traits.<name>`, as does a value of the wrong type."""

_ANY: Final = msgspec.json.Decoder()


def check(record: ForeignRecord, tenancy: Tenancy, sent: int) -> str:
    """Return the tenant of a record that was sent at that time (ms). Raises InvalidRecord, with what to do, for one that can never count."""
    tenant = tenancy.sources.get(record.source)
    if tenant is None:
        raise InvalidRecord("no tenant has this source; add it under [[tenants.sources]] and redrive the record")
    if not record.id.strip() or len(record.id) > LONGEST_ID or "|" in record.id or not record.id.isprintable():
        raise InvalidRecord(
            f"the id of a record has 1 to {LONGEST_ID} printable characters and no `|`, which separates parts of keys"
        )
    if not _FIRST_UPDATE <= record.updated_at <= sent + _AHEAD:
        raise InvalidRecord(
            "updated_at is in milliseconds since 1970, not before the year 2000 and not a day after the record was sent; look at the "
            "unit, and at the clock of the system that sent it"
        )
    created = record.created_at or 0
    if not _YEAR_1 <= created < _YEAR_10000 or _is_in_seconds(created):
        raise InvalidRecord("created_at is in milliseconds since 1970, within the years 1 to 9999; look at the unit")
    for name in (*record.fields, *record.attributes):
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise InvalidRecord(f"the name of a field or an attribute has 1 to {LONGEST_NAME} printable characters")
    if len(record.orgs or ()) > MOST_ORGS:
        raise InvalidRecord(f"a person belongs to at most {MOST_ORGS} organisations")
    for org in record.orgs or ():
        if tenancy.tenant_of(org) != tenant or not org.partition(":")[2].strip() or "|" in org or not org.isprintable():
            raise InvalidRecord("an entry of orgs is `source:id`, of a source or workspace of the same tenant")
    return tenant


def registers_of(profile_type: str, record: ForeignRecord, event: str) -> Registers:
    """Return what a record asserts; one that is deleted asserts that alone. `event` is the id its versions have.

    Ranks order what has no milliseconds. Every record has them, deletions too, so all have the rank of a snapshot.
    """
    second, millisecond = divmod(record.updated_at, _SECOND)
    if record.deleted:
        return edge_registers(Version(second, int(Rank.SNAPSHOT), millisecond, _DELETION, event), ["deleted"], on=True)
    version = Version(second, int(Rank.SNAPSHOT), millisecond, _RECORD, event)
    registers = join(field_registers(version, _fields(profile_type, record)), edge_registers(version, ["deleted"], on=False))
    if profile_type == ORG or record.orgs is None:
        return registers
    orgs = [f"@{org}" for org in record.orgs]  # with its source: it need not be the record's own
    listed = join(
        edge_registers(version, [f"{_COMPANY}:{org}" for org in orgs], on=True), list_registers(version, {_COMPANY: orgs})
    )
    return join(registers, listed)


def _fields(profile_type: str, record: ForeignRecord) -> dict[str, Value]:
    parsers = PARSERS[profile_type]
    values: dict[str, Value] = {}
    if record.created_at is not None:
        values["created_at"] = _milliseconds(record.created_at)
    for name, data in record.fields.items():
        value = _decoded(data)
        try:
            values[name] = parsers.get(name, _not_listed)(value)
        except WrongType:
            values[f"traits.{name}"] = anything(value)
    for name, data in record.attributes.items():
        values[f"attributes.{name}"] = anything(_decoded(data))
    return values


def _not_listed(_: Any) -> Value:
    raise WrongType


def _decoded(data: str) -> Any:
    try:
        return _ANY.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise InvalidRecord('a value of fields or attributes is no JSON: a text is in quotes, as in "\\"Ada\\""') from None
