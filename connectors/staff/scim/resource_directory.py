"""The users and groups of one source as its log has them, found by id, name, external id and group."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from connectors.staff.scim.document import GROUP_KIND, Stored, read
from connectors.staff.scim.resources import GROUP, USER
from schemas.access.facts import Fact

_EMPTY: Final[dict[str, None]] = {}


class Former(NamedTuple):
    """A deleted user: its record, what that asserts, when it was deleted (ms), and its employee number."""

    record: str
    asserts: tuple[str, ...]
    deleted: int
    employee_number: str | None


class ResourceDirectory:
    """Built from the facts of a source in the order of the log, and from nothing else."""

    def __init__(self) -> None:
        self._stored: dict[str, dict[str, Stored]] = {USER: {}, GROUP: {}}
        self._named: dict[tuple[str, str], dict[str, None]] = {}
        self._external: dict[tuple[str, str], dict[str, None]] = {}
        self._emails: dict[str, dict[str, None]] = {}
        self._members: dict[str, dict[str, None]] = {}
        self._former: dict[tuple[str, str], Former] = {}

    def apply(self, fact: Fact) -> None:
        """Apply the next fact of the source."""
        stored = read(fact)
        if stored is None:
            return
        kind = GROUP if fact.kind == GROUP_KIND else USER
        before = self._stored[kind].get(stored.document.id)
        if before is not None:
            self._forget(kind, before)
        if stored.document.attributes is None:
            self._stored[kind].pop(stored.document.id, None)
            if before is not None and kind == USER:
                former = Former(before.record, before.document.asserts, stored.document.modified, before.document.employee_number)
                self._former |= dict.fromkeys(_continued_by(before), former)
        else:
            self._stored[kind][stored.document.id] = stored
            self._index(kind, stored)

    def get(self, kind: str, id_: str) -> Stored | None:
        return self._stored[kind].get(id_)

    def every(self, kind: str) -> Iterator[Stored]:
        """Yield all resources of a kind, the first created first."""
        yield from self._stored[kind].values()

    def count(self, kind: str) -> int:
        return len(self._stored[kind])

    def named(self, kind: str, name: str) -> list[Stored]:
        """Return the resources with a name, compared as `folded`."""
        return [self._stored[kind][id_] for id_ in self._named.get((kind, name), _EMPTY)]

    def external(self, kind: str, external_id: str) -> list[Stored]:
        return [self._stored[kind][id_] for id_ in self._external.get((kind, external_id), _EMPTY)]

    def members(self, group: str) -> tuple[str, ...]:
        """Return the ids of a group's users, in the order in which they came."""
        return tuple(self._members.get(group, _EMPTY))

    def with_email(self, address: str) -> list[Stored]:
        """Return the users with an e-mail address, compared as `folded`."""
        return [self._stored[USER][id_] for id_ in self._emails.get(address, _EMPTY)]

    def former(self, external_id: str | None, employee_number: str | None) -> Former | None:
        """Return the deleted user that a new one with this external id or employee number continues.

        An external id is given to others where it is made of a name: with another employee number it is another person.
        """
        keys = (("externalId", external_id), ("employeeNumber", employee_number))
        found = (self._former.get((name, value)) for name, value in keys if value)
        return next((each for each in found if each is not None and _may_be_one(each.employee_number, employee_number)), None)

    def _index(self, kind: str, stored: Stored) -> None:
        document = stored.document
        self._named.setdefault((kind, document.name), {})[document.id] = None
        if document.external_id:
            self._external.setdefault((kind, document.external_id), {})[document.id] = None
        for group in document.groups:
            self._members.setdefault(group, {})[document.id] = None
        for address in document.emails:
            self._emails.setdefault(address, {})[document.id] = None
        for key in _continued_by(stored):
            self._former.pop(key, None)

    def _forget(self, kind: str, stored: Stored) -> None:
        document = stored.document
        _discard(self._named, (kind, document.name), document.id)
        if document.external_id:
            _discard(self._external, (kind, document.external_id), document.id)
        for group in document.groups:
            _discard(self._members, group, document.id)
        for address in document.emails:
            _discard(self._emails, address, document.id)


def _continued_by(stored: Stored) -> list[tuple[str, str]]:
    keys = (("externalId", stored.document.external_id), ("employeeNumber", stored.document.employee_number))
    return [(name, value) for name, value in keys if value]


def _may_be_one(number: str | None, other: str | None) -> bool:
    """Say whether two users can be one person, by their employee numbers."""
    return not number or not other or number == other


def _discard(index: dict[Any, dict[str, None]], key: Any, id_: str) -> None:
    index[key].pop(id_, None)
    if not index[key]:
        del index[key]
