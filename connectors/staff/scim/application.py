"""The SCIM endpoint: finds the source of a request by its token, and answers it from that source's store."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from scim2_models import Error, SCIMException, ScimProvider, UnauthorizedException
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation

from connectors.kafka.exclusive_writer import LeadLost
from connectors.kafka.transaction import pause_before
from connectors.observability.metrics import SCIM_ANSWERS, SCIM_LEADS_LOST, SCIM_SECONDS
from connectors.staff.scim.handler import StaffScimHandler
from connectors.staff.scim.http_request import PREFIX, ClientGone, head_of, read_body
from connectors.staff.scim.service import StaffScimService
from connectors.staff.scim.source_store import SourceStore
from connectors.staff.scim.storage import ScimFactStorage
from connectors.staff.scim.tokens import BearerTokens
from schemas.errors import Unavailable

_log = structlog.get_logger(__name__)
_RETRY_AFTER_S: Final = 5
_ATTEMPTS: Final = 5  # of a write that another instance came before: it has then to be decided again
_READS: Final = frozenset({Operation.query, Operation.search, Operation.search_with_body})
_WRITES: Final = frozenset({Operation.create, Operation.replace, Operation.patch, Operation.delete})

SourceName = tuple[str, str]
"""A tenant, and the name of its source."""


class ScimApplication(ASGIApplication):
    """An ASGI app below `/scim/v2`. Every answer is in SCIM's form, errors too."""

    def __init__(
        self,
        stores: Mapping[SourceName, SourceStore],
        tokens: BearerTokens[SourceName],
        provider: ScimProvider,
        *,
        public_url: str = "",
    ) -> None:
        service = StaffScimService(provider)
        storages = {name: ScimFactStorage(store, provider) for name, store in stores.items()}
        super().__init__(next(iter(storages.values())), provider, service)
        self._handlers = {name: StaffScimHandler(service, storage) for name, storage in storages.items()}
        self._stores = stores
        self._tokens = tokens
        self._public_url = public_url

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        began = time.perf_counter()
        request = head_of(scope, self._public_url)
        try:
            source = self._source_of(request)
            request.body = await read_body(receive)
            response = await self._answer(request, source)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, the client gets an answer in SCIM's form
            response = self.handle_exception(request, error)
        response = self.finalize_response(request, response)
        SCIM_ANSWERS.labels(request.method if request.method in _METHODS else "other", int(response.status)).inc()
        SCIM_SECONDS.observe(time.perf_counter() - began)
        await self.send_response(response, send)

    def handle_exception(self, request: ScimRequest, exception: Exception) -> ScimResponse:
        """Return the error in SCIM's form. Nothing of the request is logged."""
        if isinstance(exception, SCIMException):
            return self.service.error_response(exception)
        if isinstance(exception, Unavailable):
            return _error(503, str(exception), {"Retry-After": str(_RETRY_AFTER_S)})
        _log.error("a SCIM request failed", exc_info=exception)
        return _error(500, "the server failed; its log says where", {})

    def finalize_response(self, request: ScimRequest, response: ScimResponse) -> ScimResponse:
        """Add the headers of every answer. None repeats the request's path, which may hold a line break."""
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _source_of(self, request: ScimRequest) -> SourceName | None:
        """Return whose request it is; None where it needs no token."""
        if not self.needs_auth(request):
            return None
        source = self._tokens.source_of(request.header("Authorization"))
        if source is None:
            raise UnauthorizedException(detail="the bearer token is missing, or none of a configured source")
        return source

    async def _answer(self, request: ScimRequest, source: SourceName | None) -> ScimResponse:
        if source is None:
            return await self.handler.handle(request)
        handler, store = self._handlers[source], self._stores[source]
        operation = self.service.match(request).operation
        if operation in _WRITES:
            return await self._write(request, handler, store)
        if operation in _READS:
            await store.reading()
        return await handler.handle(request)

    async def _write(self, request: ScimRequest, handler: AsyncScimHandler, store: SourceStore) -> ScimResponse:
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(pause_before(attempt))
            try:
                async with store.writing():
                    return await handler.handle(request)
            except LeadLost:
                SCIM_LEADS_LOST.inc()
        raise Unavailable("Other instances write to this source all the time. The same request may be made again.")


_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


def _error(status: int, detail: str, headers: dict[str, str]) -> ScimResponse:
    return ScimResponse(status, Error(status=status, detail=detail).model_dump(), headers)  # type: ignore[arg-type]


__all__ = ["PREFIX", "ScimApplication", "SourceName"]
