"""The resources of one source, as the SCIM library reads and writes them."""

import asyncio
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from scim2_models import (
    InvalidValueException,
    Meta,
    NotFoundException,
    PayloadTooLargeException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
    UniquenessException,
)
from scim2_server.conditions import Conditions
from scim2_server.storage import AsyncScimStorage, SearchPage

from connectors.staff.scim.changes import Changes, UnknownMember
from connectors.staff.scim.document import Stored, folded
from connectors.staff.scim.resources import GROUP, USER
from connectors.staff.scim.search import candidates
from connectors.staff.scim.source_store import SourceStore
from schemas.access import limits
from schemas.access.facts import Fact
from schemas.canonical import digest
from schemas.errors import InvalidRecord
from schemas.plain_values import plain

_SCAN: Final = 50  # resources compared with a filter before other requests are looked at
_NOT_STORED: Final = frozenset({"schemas", "id", "meta", "groups", "members"})  # ours, or stored elsewhere
_MOST_CHARACTERS: Final = 256 * 1024  # of a resource without its members: a record takes 2 MiB with all that is derived from it


def _now() -> int:
    return time.time_ns() // 1_000_000


class ScimFactStorage(AsyncScimStorage):
    """A storage whose writes are facts. `clock` gives the time in ms, `new_id` the id of a resource."""

    def __init__(
        self,
        store: SourceStore,
        provider: ScimProvider,
        *,
        clock: Callable[[], int] = _now,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._store = store
        self._provider = provider
        self._models: dict[str, Any] = {kind: provider.model_for(kind) for kind in (USER, GROUP)}
        self._clock = clock
        self._new_id = new_id

    async def get(
        self, resource_type: ResourceType, resource_id: str, *, response_parameters: ResponseParameters[Any] | None = None
    ) -> Resource[Any]:
        return self._resource(_kind(resource_type), self._stored(resource_type, resource_id), response_parameters)

    async def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """Return a page, in the order in which resources were created."""
        matching: list[tuple[str, Stored]] = []
        for number, (kind, stored) in enumerate(self._candidates(resource_types, search_request)):
            if search_request.filter is None or search_request.filter.match(self._resource(kind, stored)):
                matching.append((kind, stored))
            if search_request.filter is not None and number % _SCAN == _SCAN - 1:
                await asyncio.sleep(0)
        start = search_request.start_index_0 or 0
        page = matching[start : None if search_request.count is None else start + search_request.count]
        return SearchPage(len(matching), [self._resource(kind, stored, search_request) for kind, stored in page])

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        attributes, id_ = _attributes(resource), self._new_id()
        if _kind(resource_type) == USER:
            self._check_name(attributes, None)
            return await self._write(USER, id_, _within_limits(self._changes().create_user(id_, attributes)))
        return await self._write(
            GROUP, id_, _with_known_members(self._changes().create_group, id_, attributes, _members(resource))
        )

    async def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        stored = self._expected(resource_type, resource.id or "", expected_version)
        attributes, id_ = _attributes(resource), stored.document.id
        if _kind(resource_type) == USER:
            self._check_name(attributes, id_)
            return await self._write(USER, id_, _within_limits(self._changes().update_user(stored, attributes)))
        facts = _with_known_members(self._changes().update_group, stored, attributes, _members(resource))
        return await self._write(GROUP, id_, facts)

    async def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        stored = self._expected(resource_type, resource_id, expected_version)
        changes = self._changes()
        await self._store.write(changes.delete_user(stored) if _kind(resource_type) == USER else changes.delete_group(stored))

    async def change_members(
        self, resource_type: ResourceType, group: str, changes: Mapping[str, bool], conditions: Conditions
    ) -> str:
        """Let users join (true) or leave a group; return its version. What is so already is no change."""
        stored = self._stored(resource_type, group)
        if conditions.if_match or conditions.if_none_match:
            conditions.check(self._version(GROUP, stored), "PATCH")
        members = {id_: joins for id_, joins in changes.items() if joins != self._is_member(id_, group)}
        if members:
            await self._store.write(_with_known_members(self._changes().change_members, stored, members))
        return self._version(GROUP, self._stored(resource_type, group))

    def _is_member(self, id_: str, group: str) -> bool:
        user = self._store.directory.get(USER, id_)
        return user is not None and group in user.document.groups

    def _candidates(self, resource_types: list[ResourceType], request: SearchRequest[Any]) -> Iterator[tuple[str, Stored]]:
        for kind in dict.fromkeys(_kind(each) for each in resource_types):
            for stored in list(candidates(self._store.directory, kind, request.filter)):
                yield kind, stored

    def _changes(self) -> Changes:
        return Changes(self._store.origin, self._store.directory, self._clock())

    async def _write(self, kind: str, id_: str, facts: Sequence[Fact]) -> Resource[Any]:
        if facts:
            await self._store.write(facts)
        stored = self._store.directory.get(kind, id_)
        assert stored is not None
        return self._resource(kind, stored)

    def _check_name(self, attributes: dict[str, Any], id_: str | None) -> None:
        holders = self._store.directory.named(USER, folded(attributes["userName"]))
        if any(holder.document.id != id_ for holder in holders):
            raise UniquenessException(detail="another user of this source has this userName")

    def _stored(self, resource_type: ResourceType, id_: str) -> Stored:
        stored = self._store.directory.get(_kind(resource_type), id_)
        if stored is None:
            raise NotFoundException(detail=f"{resource_type.name} {id_!r} not found")
        return stored

    def _expected(self, resource_type: ResourceType, id_: str, version: str | None) -> Stored:
        stored = self._stored(resource_type, id_)
        if version is not None and self._version(_kind(resource_type), stored) != version:
            raise PreconditionFailedException
        return stored

    def _version(self, kind: str, stored: Stored) -> str:
        """Return the entity tag: of the resource's fact, and of the others that the resource shows."""
        directory = self._store.directory
        if kind == GROUP:
            others = sorted(directory.members(stored.document.id))
        else:
            groups = (directory.get(GROUP, id_) for id_ in stored.document.groups)
            others = [group.fact for group in groups if group]
        return f'W/"{digest(" ".join([stored.fact, *others]).encode())[:32]}"'

    def _resource(self, kind: str, stored: Stored, parameters: ResponseParameters[Any] | None = None) -> Resource[Any]:
        """Return a resource with what other facts say of it; a group without its members where a response leaves them out."""
        document = stored.document
        payload: dict[str, Any] = {**(document.attributes or {}), "id": document.id}
        if kind == USER and document.groups:
            payload["groups"] = list(self._memberships(document.groups))
        if kind == GROUP and not _leaves_out_members(parameters):
            members = self._store.directory.members(document.id)
            payload["members"] = [{"value": id_, "$ref": f"Users/{id_}", "type": USER} for id_ in members]
        resource: Resource[Any] = self._models[kind].model_validate(payload, scim_provider=self._provider)
        resource.meta = Meta(
            resource_type=kind,
            created=_date(document.created),
            last_modified=_date(document.modified),
            version=self._version(kind, stored),
        )
        return resource

    def _memberships(self, groups: Sequence[str]) -> Iterator[dict[str, Any]]:
        for id_ in groups:
            if (group := self._store.directory.get(GROUP, id_)) is not None:
                display = (group.document.attributes or {}).get("displayName")
                yield {"value": id_, "$ref": f"Groups/{id_}", "display": display, "type": "direct"}


def _kind(resource_type: ResourceType) -> str:
    return str(resource_type.name)


def _date(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _attributes(resource: Resource[Any]) -> dict[str, Any]:
    """Return what is stored of a resource that a client has sent."""
    attributes = {name: value for name, value in resource.model_dump().items() if name not in _NOT_STORED}
    if len(str(attributes)) > _MOST_CHARACTERS:
        raise PayloadTooLargeException(detail=f"the attributes have more than {_MOST_CHARACTERS} characters")
    return attributes


def _members(resource: Resource[Any]) -> list[str]:
    return [member.value for member in getattr(resource, "members", None) or ()]


def _within_limits(facts: list[Fact]) -> list[Fact]:
    """Return the facts. Raises InvalidValueException where no reader of the log would take one."""
    try:
        for fact in facts:
            limits.check(fact, plain(fact), sys.maxsize)
    except InvalidRecord as error:
        raise InvalidValueException(detail=str(error)) from None
    return facts


def _with_known_members(change: Callable[..., list[Fact]], *arguments: Any) -> list[Fact]:
    try:
        return change(*arguments)
    except UnknownMember:
        raise InvalidValueException(
            detail="a member is no user of this source: provision the user first; groups in groups are not supported"
        ) from None


def _leaves_out_members(parameters: ResponseParameters[Any] | None) -> bool:
    left_out = (parameters.excluded_attributes or []) if parameters is not None else []
    return any(str(path).lower().rpartition(":")[2] == "members" for path in left_out)
