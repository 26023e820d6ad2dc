"""A resource as its fact carries it: the fact is the only place where it is stored.

The document is the JSON in the personal part of a `staff.record` (of a user) or `staff.group`. The newest one of an id in the log is the
resource, so that every instance serves the same resources, versions and dates after every restart.
"""

import unicodedata
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact
from schemas.canonical import canonical
from schemas.errors import InvalidRecord

USER_KIND: Final = "staff.record"
GROUP_KIND: Final = "staff.group"
_ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user or group: `attributes` as SCIM has them, none once it is deleted; times in ms; `groups` of a user by id.

    `asserts` are the fields of the record that this resource has ever had a value for: only they can be empty. `inactive` is a user whose
    `active` was false when a client last gave it, and is not given any more.
    """

    id: str
    created: int
    modified: int
    attributes: dict[str, Any] | None = None
    asserts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    inactive: bool = False

    def __repr__(self) -> str:
        return f"Document({self.id!r}, ***)"

    @property
    def name(self) -> str:
        """The user's or group's name, as it is compared."""
        attributes = self.attributes or {}
        return folded(attributes.get("userName") or attributes.get("displayName") or "")

    @property
    def external_id(self) -> str | None:
        """The external id, as it is compared: with regard to case, in one form of accents."""
        external_id = (self.attributes or {}).get("externalId")
        return None if external_id is None else composed(external_id)

    @property
    def is_inactive(self) -> bool:
        """Whether the user was deactivated: who is not made active again stays so."""
        active = (self.attributes or {}).get("active")
        return self.inactive if active is None else active is False

    @property
    def employee_number(self) -> str | None:
        return self.enterprise.get("employeeNumber")

    @property
    def emails(self) -> tuple[str, ...]:
        """The e-mail addresses, as they are compared."""
        emails = (self.attributes or {}).get("emails") or ()
        return tuple({folded(email["value"]): None for email in emails if email.get("value")})

    @property
    def enterprise(self) -> dict[str, Any]:
        """The attributes of the enterprise extension."""
        found: dict[str, Any] = (self.attributes or {}).get(_ENTERPRISE) or {}
        return found


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A document in the log: the id of its fact, and the record of staff that it is an assertion of."""

    document: Document
    fact: str
    record: str

    def __repr__(self) -> str:
        return f"Stored({self.document.id!r}, ***)"


def folded(name: str) -> str:
    """Return a name as names without regard to case are compared."""
    return composed(composed(name).lower())


def composed(text: str) -> str:
    """Return a text in Unicode's composed form: equal texts have equal bytes."""
    return unicodedata.normalize("NFC", text)


def source_of_facts(source: str) -> str:
    """Return what the facts of a SCIM source name as their source: no file import of it does."""
    return f"scim:{source}"


def encoded(document: Document) -> str:
    """Return the document as canonical JSON."""
    return canonical(msgspec.to_builtins(document)).decode()


def read(fact: Fact) -> Stored | None:
    """Return what a fact of this server stores, None where it stores nothing. Raises InvalidRecord where it is not understood."""
    if fact.person is None or fact.person.metadata is None or fact.record is None:
        return None
    try:
        document = msgspec.json.decode(fact.person.metadata, type=Document)
    except msgspec.DecodeError as error:
        raise InvalidRecord(f"its document is none of a SCIM resource ({error})") from None
    return Stored(document=document, fact=fact.id, record=fact.record.record)
