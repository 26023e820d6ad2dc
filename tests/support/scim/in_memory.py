"""The endpoint over a log in memory: what a write means can be tried a thousand times without a broker."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any, cast

from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse

from connectors.staff.scim.facts import TenantSource
from connectors.staff.scim.handler import StaffScimHandler
from connectors.staff.scim.resource_directory import ResourceDirectory
from connectors.staff.scim.resources import provider
from connectors.staff.scim.service import StaffScimService
from connectors.staff.scim.source_store import SourceStore
from connectors.staff.scim.storage import ScimFactStorage
from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.codec import Avro
from schemas.tenancy import ScimSource

AVRO = Avro.local()


class LogInMemory:
    """A source's directory, fed by the facts that are written, through their encoding."""

    def __init__(self, **options: str) -> None:
        self.origin = TenantSource(tenant="acme", scim=ScimSource(source="okta", tokens=(), **options))
        self.directory = ResourceDirectory()
        self.facts: list[Fact] = []

    async def write(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            self.facts.append(fact_records.decode(AVRO, fact_records.encode(AVRO, fact)))
            self.directory.apply(self.facts[-1])


class ScimInMemory:
    """One source, asked without HTTP. Ids are counted; the clock stands unless it is set."""

    def __init__(self, **options: str) -> None:
        self.log = LogInMemory(**options)
        self.clock = 1_000
        numbers = itertools.count(1)
        described = provider()
        self._service = StaffScimService(described)
        self._storage = ScimFactStorage(
            cast(SourceStore, self.log), described, clock=lambda: self.clock, new_id=lambda: f"id-{next(numbers)}"
        )
        self._handler = StaffScimHandler(self._service, self._storage)

    def ask(self, method: str, path: str, body: Any = None, *, if_match: str = "", **query: str) -> ScimResponse:
        """Return the answer to a request."""
        headers = {"If-Match": if_match} if if_match else {}
        request = ScimRequest(
            method=method, base_url="https://x.example/scim/v2", path=path, query=query, headers=headers,
            body=b"" if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        try:
            return asyncio.run(self._handler.handle(request))
        except Exception as error:
            if not hasattr(error, "to_error"):
                raise
            return self._service.error_response(error)

    def found(self, filter_: str, endpoint: str = "/Users") -> list[str]:
        """Return the ids of the resources that a filter matches."""
        body = self.ask("GET", endpoint, filter=filter_).body
        assert body is not None
        return [each["id"] for each in body.get("Resources", [])]

    def create(self, body: Any, endpoint: str = "/Users") -> str:
        """Create a resource and return its id."""
        answer = self.ask("POST", endpoint, body)
        assert answer.status == 201, answer.body
        assert answer.body is not None
        return str(answer.body["id"])
