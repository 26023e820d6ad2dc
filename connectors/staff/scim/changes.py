"""What a write means: the facts it adds to the log, given what the log has. All of them, or none, are written."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connectors.staff.scim.document import Document, Stored
from connectors.staff.scim.facts import TenantSource, deleted_user_fact, group_fact, user_fact
from connectors.staff.scim.resource_directory import ResourceDirectory
from connectors.staff.scim.resources import GROUP, USER
from schemas.access.facts import Fact


class UnknownMember(Exception):  # named after what happened
    """A group names a user that its source does not have."""


class Changes:
    """The facts of one write at `now` (ms). Times of one resource rise, also where the host's clock does not."""

    def __init__(self, origin: TenantSource, directory: ResourceDirectory, now: int) -> None:
        self._origin = origin
        self._directory = directory
        self._now = now

    def create_user(self, id_: str, attributes: dict[str, Any]) -> list[Fact]:
        """Return the fact of a new user. It continues the record of a deleted one that is the same to the client."""
        document = Document(id=id_, created=self._now, modified=self._now, attributes=attributes)
        former = self._directory.former(document.external_id, document.employee_number)
        if former is None:
            return [user_fact(self._origin, document, id_, ())]
        now = max(self._now, former.deleted + 1)
        document = msgspec.structs.replace(document, created=now, modified=now, asserts=former.asserts)
        return [user_fact(self._origin, document, former.record, ())]

    def update_user(self, stored: Stored, attributes: dict[str, Any]) -> list[Fact]:
        """Return the fact of a changed user. To leave out whether a leaver is active employs nobody again."""
        inactive = attributes.get("active") is None and stored.document.is_inactive
        return [self._user(stored, attributes=attributes, inactive=inactive)]

    def delete_user(self, stored: Stored) -> list[Fact]:
        """Return the fact of a deleted user."""
        document = msgspec.structs.replace(
            stored.document, modified=self._after(stored), attributes=None, asserts=(), groups=(), inactive=False
        )
        return [deleted_user_fact(self._origin, document, stored.record)]

    def create_group(self, id_: str, attributes: dict[str, Any], members: Iterable[str]) -> list[Fact]:
        """Return the facts of a new group and its members. Raises UnknownMember."""
        document = Document(id=id_, created=self._now, modified=self._now, attributes=attributes)
        return [group_fact(self._origin, document), *self._memberships(document, members)]

    def update_group(self, stored: Stored, attributes: dict[str, Any], members: Iterable[str]) -> list[Fact]:
        """Return the facts of a changed group and of the members it concerns, none where nothing changes. Raises UnknownMember."""
        document = msgspec.structs.replace(stored.document, modified=self._after(stored), attributes=attributes)
        memberships = self._memberships(document, members)
        return (
            [group_fact(self._origin, document), *memberships] if memberships or attributes != stored.document.attributes else []
        )

    def change_members(self, stored: Stored, members: Mapping[str, bool]) -> list[Fact]:
        """Return the facts of a group that some users join (true) or leave. Raises UnknownMember."""
        document = msgspec.structs.replace(stored.document, modified=self._after(stored))
        return [
            group_fact(self._origin, document),
            *(self._member(id_, document, joined=joins) for id_, joins in members.items()),
        ]

    def delete_group(self, stored: Stored) -> list[Fact]:
        """Return the facts of a deleted group and its former members."""
        document = msgspec.structs.replace(stored.document, modified=self._after(stored), attributes=None)
        return [group_fact(self._origin, document), *self._memberships(document, ())]

    def _memberships(self, group: Document, members: Iterable[str]) -> list[Fact]:
        """Return the facts of users who come into the group or leave it, and of all where its name is their role and has changed."""
        before, after = dict.fromkeys(self._directory.members(group.id)), dict.fromkeys(members)
        known = self._directory.get(GROUP, group.id)
        renamed = self._origin.scim.roles == "groups" and known is not None and known.document.attributes != group.attributes
        concerned = [id_ for id_ in {**before, **after} if renamed or (id_ in before) != (id_ in after)]
        return [self._member(id_, group, joined=id_ in after) for id_ in concerned]

    def _member(self, id_: str, group: Document, *, joined: bool) -> Fact:
        stored = self._directory.get(USER, id_)
        if stored is None:
            raise UnknownMember
        others = tuple(other for other in stored.document.groups if other != group.id)
        groups = tuple(dict.fromkeys([*stored.document.groups, group.id])) if joined else others
        return self._user(stored, groups=groups, changed=group)

    def _user(self, stored: Stored, *, changed: Document | None = None, **parts: Any) -> Fact:
        document = msgspec.structs.replace(stored.document, modified=self._after(stored), **parts)
        return user_fact(self._origin, document, stored.record, tuple(self._group_names(document, changed)))

    def _group_names(self, document: Document, changed: Document | None) -> Iterable[str]:
        for id_ in document.groups:
            known = self._directory.get(GROUP, id_)
            group = changed if changed is not None and changed.id == id_ else known.document if known else None
            if group is not None and group.attributes is not None:
                yield group.attributes["displayName"]

    def _after(self, stored: Stored) -> int:
        return max(self._now, stored.document.modified + 1)
