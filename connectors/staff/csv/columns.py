"""Which column of a staff file fills which field: the documented names, and those that common directories export."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from schemas.errors import InvalidRecord

_NAMES: Final = MappingProxyType({
    "id": ("id", "staff id", "record id", "person id", "worker id", "user id", "employee id", "eeid"),
    "employee": ("employee number", "employee no", "personnel number", "staff number"),
    "emails": (
        "emails", "email", "e-mail", "mail", "email address", "work email", "primary email", "business email", "company email",
        "username", "user name", "userprincipalname", "login", "secondary email",
    ),
    "name": ("name", "full name", "display name", "displayname", "preferred full name"),
    "first_name": ("first name", "firstname", "given name", "givenname"),
    "last_name": ("last name", "lastname", "surname", "family name", "familyname"),
    "roles": ("roles", "role", "job title", "jobtitle", "title", "position"),
    "department": ("department", "team", "division"),
    "status": ("status", "employment status", "employee status", "account status", "state"),
    "starts": ("start", "start date", "starts", "hire date", "hired", "first day", "joining date"),
    "ends": (
        "end", "end date", "ends", "termination date", "terminated", "last day", "last working day", "leave date", "leaving date",
        "exit date", "contract end date",
    ),
    "zone": ("zone",),  # other names of it often hold what is no IANA zone
    "calendar": ("calendar",),
})  # fmt: skip

FIELDS: Final = MappingProxyType({spelling: field for field, spellings in _NAMES.items() for spelling in spellings})
_SEVERAL: Final = frozenset({"emails", "roles"})  # fields that more than one column may fill


def fields_of(columns: Iterable[str], declared: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the field of each known column; a field that `declared` names is filled by its columns there and by no others.

    Raises InvalidRecord if two columns fill one field, or none identifies a record.
    """
    fields: dict[str, str] = {}
    for column in columns:
        field = field_of(column, declared)
        if field is None:
            continue
        earlier = next((other for other, its_field in fields.items() if its_field == field), None)
        if earlier is not None and field not in _SEVERAL:
            raise InvalidRecord(
                f"the columns '{earlier}' and '{column}' both mean {field}; say which one counts with --columns {field}=COLUMN"
            )
        fields[column] = field
    if not {"emails", "id"} & set(fields.values()):
        raise InvalidRecord(
            "no column says whose the rows are; name one 'email' or 'id', or say which it is with --columns id=COLUMN"
        )
    return fields


def field_of(column: str, declared: Mapping[str, Collection[str]]) -> str | None:
    """Return the field that a column fills, or None."""
    name = normal_column(column)
    for field, columns in declared.items():
        if name in columns:
            return field
    known = FIELDS.get(name)
    return None if known in declared else known


def normal_column(column: str) -> str:
    """Return a column's name as in the table: lower case, blanks for underscores."""
    return " ".join(column.strip().replace("_", " ").casefold().split())
