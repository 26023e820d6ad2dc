"""What a contact claims about who it is, from its registers."""

from collections.abc import Collection
from typing import Final

import msgspec

from schemas.intercom.values import floor_to_second
from schemas.profiles.identity import EMAIL, EXTERNAL_ID, PHONE, Claim, Key, Merge
from schemas.profiles.registers import Layers, Registers, Value
from streams.core.normal_forms import addresses, phones
from streams.core.records.registers import NOTHING, first_active

_FIELDS: Final = ("created_at", "role", "external_id", "email", "phone")
_MERGED: Final = "merged:"
_USER: Final = "user"  # a lead's external_id is made up by Intercom and changes when the lead becomes a user


def changed_claim(record: str, before: Registers, after: Registers) -> Claim | None:
    """Return what a contact claims now, or None where it claimed the same before. Who is new claims something, if only to exist."""
    if before == NOTHING:
        return claim(record, after)
    if _fields(before) == _fields(after) and _merges(record, before) == _merges(record, after):
        return None
    claimed = claim(record, after)
    return None if claimed == claim(record, before) else claimed


def claim(record: str, registers: Registers) -> Claim:
    """Return what a contact claims."""
    created, role, external_id, email, phone = map(_fields(registers).get, _FIELDS)
    values = (
        (EXTERNAL_ID, _identifier(external_id) if role == _USER else None),
        (EMAIL, addresses.normal(email) if isinstance(email, str) else None),
        (PHONE, phones.normal(phone) if isinstance(phone, str) else None),
    )
    return Claim(
        created=floor_to_second(created) if isinstance(created, int) else None,
        keys=tuple(Key(name, value) for name, value in values if value),
        merges=_merges(record, registers),
    )


def without_merges(registers: Registers, ignored: Collection[str]) -> Registers:
    """Return a contact's registers without its merges into these contacts, which do not count."""
    if not ignored:
        return registers
    names = {_MERGED + target.partition(":")[2] for target in ignored}
    return msgspec.structs.replace(registers, on=_without(registers.on, names), since=_without(registers.since, names))


def _without(layers: Layers, names: Collection[str]) -> Layers:
    reduced = ((version, {name: value for name, value in values.items() if name not in names}) for version, values in layers)
    return tuple(layer for layer in reduced if layer[1])


def _fields(registers: Registers) -> dict[str, Value]:
    """Return the fields that a claim is made of, those that were ever asserted."""
    found: dict[str, Value] = {}
    for _, values in registers.now:
        for name in _FIELDS:
            if name in values:
                found[name] = values[name]
        if len(found) == len(_FIELDS):  # as in every snapshot
            break
    return found


def _identifier(value: Value) -> str | None:
    """Return an id of the customer's own: every character counts but the blanks around it."""
    return value.strip() or None if isinstance(value, str) else None


def _merges(record: str, registers: Registers) -> tuple[Merge, ...]:
    """Return the contacts that this one was merged into, all in its own workspace, in order of their ids."""
    if not registers.on:
        return ()
    workspace = record.partition(":")[0]
    names = sorted(name for _, names in registers.on for name in names if name.startswith(_MERGED))
    versions = ((name.removeprefix(_MERGED), first_active(registers, name)) for name in names)
    return tuple(Merge(f"{workspace}:{target}", version) for target, version in versions if version is not None)
