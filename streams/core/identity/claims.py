"""What a record claims about who it is, from its registers."""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.intercom.values import floor_to_second
from schemas.profiles.identity import (
    COMPANY,
    COMPANY_ID,
    CONTACT,
    DOMAIN,
    EMAIL,
    EXTERNAL_ID,
    ORG,
    PERSON,
    PHONE,
    Claim,
    Key,
    Merge,
)
from schemas.profiles.policies import is_hash
from schemas.profiles.registers import Layers, Registers, Value
from streams.core.normal_forms import addresses, domains, phones
from streams.core.records.registers import NOTHING, first_active
from streams.core.records.withdrawal import is_withdrawn

_MERGED: Final = "merged:"
_USER: Final = "user"  # a lead's external_id is made up by Intercom and changes when the lead becomes a user

Fields = Mapping[str, Value]


class ClaimForm(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of record claims: the fields that its claim is made of, and the normal forms of its keys, None for no claim."""

    kind: str
    fields: tuple[str, ...]
    keys: Callable[[Fields], Iterable[tuple[str, str | None]]]


def _keys_of_contact(fields: Fields) -> Iterable[tuple[str, str | None]]:
    external_id = fields.get("external_id") if fields.get("role") == _USER else None
    return (EXTERNAL_ID, _identifier(external_id)), (EMAIL, _address(fields.get("email"))), (PHONE, _phone(fields.get("phone")))


def _keys_of_company(fields: Fields) -> Iterable[tuple[str, str | None]]:
    website = fields.get("website")
    domain = domains.normal(website) if isinstance(website, str) else None
    return (COMPANY_ID, _identifier(fields.get("company_id"))), (DOMAIN, domain)


def _keys_of_foreign_person(fields: Fields) -> Iterable[tuple[str, str | None]]:
    """Return the keys of a record of another system: its `external_id` is the customer's own, whatever the role."""
    external_id = _identifier(fields.get("external_id"))
    return (EXTERNAL_ID, external_id), (EMAIL, _address(fields.get("email"))), (PHONE, _phone(fields.get("phone")))


CONTACTS: Final = ClaimForm(kind=CONTACT, fields=("created_at", "role", "external_id", "email", "phone"), keys=_keys_of_contact)
COMPANIES: Final = ClaimForm(kind=COMPANY, fields=("created_at", "company_id", "website"), keys=_keys_of_company)

FOREIGN: Final[Mapping[str, ClaimForm]] = MappingProxyType({
    PERSON: ClaimForm(kind=PERSON, fields=("created_at", "external_id", "email", "phone"), keys=_keys_of_foreign_person),
    ORG: ClaimForm(kind=ORG, fields=COMPANIES.fields, keys=_keys_of_company),
})  # fmt: skip
"""The forms of records of other systems, by type of profile."""


def changed_claim(record: str, before: Registers, after: Registers, form: ClaimForm = CONTACTS) -> Claim | None:
    """Return what a record claims now, or None where it claimed the same before. Who is new claims something, if only to exist."""
    if NOTHING in (before, after):
        return claim(record, after, form)
    if _fields(before, form) == _fields(after, form) and _merges(record, before) == _merges(record, after):
        return None
    claimed = claim(record, after, form)
    return None if claimed == claim(record, before, form) else claimed


def claim(record: str, registers: Registers, form: ClaimForm = CONTACTS) -> Claim:
    """Return what a record claims: none, if nothing of it is stored. A value that is kept as a hash has no normal form."""
    if registers == NOTHING:
        return Claim.none(form.kind)
    fields = {name: None if is_hash(value) else value for name, value in _fields(registers, form).items()}
    created = fields.get("created_at")
    return Claim(
        created=floor_to_second(created) if isinstance(created, int) else None,
        keys=tuple(Key(name, value) for name, value in form.keys(fields) if value),
        merges=_merges(record, registers),
        answer_to=form.kind,
    )


def claim_of_foreign(record: str, registers: Registers, form: ClaimForm) -> Claim:
    """Return what a record of another system claims: none, once it is withdrawn."""
    return Claim.none(form.kind) if is_withdrawn(registers) else claim(record, registers, form)


def without_merges(registers: Registers, ignored: Collection[str]) -> Registers:
    """Return a contact's registers without its merges into these contacts, which do not count."""
    if not ignored:
        return registers
    names = {_MERGED + target.partition(":")[2] for target in ignored}
    return msgspec.structs.replace(registers, on=_without(registers.on, names), since=_without(registers.since, names))


def _without(layers: Layers, names: Collection[str]) -> Layers:
    reduced = ((version, {name: value for name, value in values.items() if name not in names}) for version, values in layers)
    return tuple(layer for layer in reduced if layer[1])


def _fields(registers: Registers, form: ClaimForm) -> dict[str, Value]:
    """Return the fields that a claim is made of, those that were ever asserted."""
    names, found = form.fields, {}
    for _, values in registers.now:
        for name in names:
            if name in values:
                found[name] = values[name]
        if len(found) == len(names):  # as in every snapshot
            break
    return found


def _identifier(value: Value) -> str | None:
    """Return an id of the customer's own: every character counts but the blanks around it."""
    return value.strip() or None if isinstance(value, str) else None


def _address(value: Value) -> str | None:
    return addresses.normal(value) if isinstance(value, str) else None


def _phone(value: Value) -> str | None:
    return phones.normal(value) if isinstance(value, str) else None


def _merges(record: str, registers: Registers) -> tuple[Merge, ...]:
    """Return the contacts that this one was merged into, all in its own workspace, in order of their ids."""
    if not registers.on:
        return ()
    workspace = record.partition(":")[0]
    names = sorted(name for _, names in registers.on for name in names if name.startswith(_MERGED))
    versions = ((name.removeprefix(_MERGED), first_active(registers, name)) for name in names)
    return tuple(Merge(f"{workspace}:{target}", version) for target, version in versions if version is not None)
