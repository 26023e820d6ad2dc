"""Documents of users and groups as facts of their source."""

from typing import Any, Final

import msgspec

from connectors.staff.scim.document import GROUP_KIND, USER_KIND, Document, encoded, source_of_facts
from connectors.staff.zones import known_zone
from schemas.access.facts import Actor, Evidence, Fact, FactPersonalData, StaffRecordData
from schemas.canonical import digest
from schemas.ids import derived
from schemas.tenancy import ScimSource

_FIELDS: Final = ("addresses", "department", "employee", "manager", "name", "roles", "status", "zone")


class TenantSource(msgspec.Struct, frozen=True, kw_only=True):
    """Whose facts they are: the tenant, and the source as it is configured."""

    tenant: str
    scim: ScimSource


def user_fact(origin: TenantSource, document: Document, record: str, group_names: tuple[str, ...]) -> Fact:
    """Return the fact of a user as the document has it; `group_names` are those of its groups.

    The document's `asserts` gain the fields that it has a value for: a field that was never sent asserts nothing, one that was and is
    empty now is.
    """
    attributes = document.attributes or {}
    name, addresses = _name(attributes), _addresses(attributes)
    data = StaffRecordData(
        source=origin.scim.source,
        record=record,
        status=origin.scim.inactive if document.is_inactive else "active",
        status_given="inactive" if document.is_inactive else "active",
        roles=_roles(origin.scim.roles, document, group_names),
        department=document.enterprise.get("department"),
        manager=(document.enterprise.get("manager") or {}).get("value"),
        employee=document.employee_number,
        zone=known_zone(
            attributes.get("timezone") or ""
        ),  # an unknown one is stored and asserts nothing: no leaver is lost for it
    )
    given = {field: getattr(data, field, None) for field in _FIELDS} | {"name": name, "addresses": addresses}
    asserts = tuple(field for field in _FIELDS if given[field] or field in document.asserts)
    document, data = msgspec.structs.replace(document, asserts=asserts), msgspec.structs.replace(data, asserts=asserts)
    return _fact(origin, USER_KIND, document, data, name=name, addresses=addresses)


def deleted_user_fact(origin: TenantSource, document: Document, record: str) -> Fact:
    """Return the fact that a user was deleted: of the record it asserts nothing but the status."""
    data = StaffRecordData(
        source=origin.scim.source, record=record, asserts=("status",), status=origin.scim.deleted, status_given="deleted"
    )
    return _fact(origin, USER_KIND, document, data)


def group_fact(origin: TenantSource, document: Document) -> Fact:
    """Return the fact of a group as the document has it; whom it has, its users' facts say."""
    return _fact(origin, GROUP_KIND, document, StaffRecordData(source=origin.scim.source, record=document.id))


def _fact(origin: TenantSource, kind: str, document: Document, data: StaffRecordData, **personal: Any) -> Fact:
    text = encoded(document)
    source = source_of_facts(origin.scim.source)
    return Fact(
        id=derived(origin.tenant, source, kind, document.id, document.modified, text),
        tenant=origin.tenant,
        kind=kind,
        source=source,
        basis="asserted",
        time=document.modified,
        actor=Actor(kind="connector", id=source),
        evidence=(Evidence(sha256=digest(text.encode())),),
        person=FactPersonalData(metadata=text, **personal),
        record=data,
    )


def _name(attributes: dict[str, Any]) -> str | None:
    parts = attributes.get("name") or {}
    given = " ".join(part for part in (parts.get("givenName"), parts.get("familyName")) if part)
    return attributes.get("displayName") or parts.get("formatted") or given or None


def _addresses(attributes: dict[str, Any]) -> tuple[str, ...]:
    """Return the addresses, the primary one first. A user name that looks like an address is one."""
    emails = sorted(
        (email for email in attributes.get("emails") or () if email.get("value")), key=lambda email: not email.get("primary")
    )
    named = attributes.get("userName") or ""
    return tuple(dict.fromkeys([*(email["value"] for email in emails), *([named] if "@" in named else [])]))


def _roles(from_: str, document: Document, group_names: tuple[str, ...]) -> tuple[str, ...]:
    if from_ == "groups":
        return tuple(sorted(set(group_names)))
    if from_ == "department":
        department = document.enterprise.get("department")
        return (department,) if department else ()
    given = (document.attributes or {}).get("roles") or ()
    return tuple(dict.fromkeys(name for role in given if (name := role.get("value") or role.get("display"))))
