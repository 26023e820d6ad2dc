"""What an observation of a staff member asserts: all that its source's record takes from it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from schemas.access.facts import Fact, LocalTime, StaffRecordData
from schemas.encoded import holds
from streams.core.normal_forms.addresses import normal


class StaffAssertion(msgspec.Struct, frozen=True, gc=False):
    """The record of a fact about staff, with the name and the addresses of the person."""

    data: StaffRecordData
    name: str | None = None
    addresses: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "StaffAssertion(***)"


EncodedAssertion: TypeAlias = Annotated[msgspec.Raw, holds(StaffAssertion)]
"""An assertion that stays encoded in its row: one that comes again is compared as bytes."""

_decode: Final = msgspec.msgpack.Decoder(StaffAssertion).decode
_encode: Final = msgspec.msgpack.Encoder().encode


def assertion_of(fact: Fact) -> StaffAssertion:
    """Return what a checked fact about a staff record asserts."""
    assert fact.record is not None
    person = fact.person
    return StaffAssertion(fact.record) if person is None else StaffAssertion(fact.record, person.name, person.addresses)


def encoded(assertion: StaffAssertion) -> msgspec.Raw:
    """Return the bytes of an assertion: the same for equal ones."""
    return msgspec.Raw(_encode(assertion))


def decoded(assertion: msgspec.Raw) -> StaffAssertion:
    """Return the assertion of `encoded` bytes."""
    return _decode(assertion)


def decisive(assertion: StaffAssertion) -> dict[str, Any]:
    """Return the asserted fields whose histories count. An empty number or status is no other one, so it asserts nothing."""
    data = assertion.data
    asserts = data.asserts
    found: dict[str, Any] = {}
    if "addresses" in asserts:
        given = {normal(address) or address.strip().casefold() for address in assertion.addresses}
        found["addresses"] = sorted(given) if len(given) > 1 else list(given)
    if "roles" in asserts:
        found["roles"] = sorted(data.roles)
    if "ends" in asserts:
        found["ends"] = data.ends.instant if data.ends else None
    if data.employee and "employee" in asserts:
        found["employee"] = data.employee
    if data.status and "status" in asserts:
        found["status"] = data.status
    return found


def described(assertion: StaffAssertion) -> Mapping[str, Any]:
    """Return the asserted fields that describe somebody, as plain values; the addresses as the source gives them."""
    data = assertion.data
    values = {
        "name": assertion.name,
        "roles": list(data.roles),
        "department": data.department,
        "manager": data.manager,
        "zone": data.zone,
        "calendar": data.calendar,
        "status": data.status,
        "starts": _plain(data.starts),
        "ends": _plain(data.ends),
    }
    found = {name: values[name] for name in data.asserts if name in values}
    return found | {"given": list(assertion.addresses)} if "addresses" in data.asserts else found


def _plain(time: LocalTime | None) -> dict[str, Any] | None:
    return None if time is None else {"given": time.given, "zone": time.zone, "rule": time.rule, "instant": time.instant}
