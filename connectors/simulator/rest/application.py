"""The simulator as an ASGI application: Intercom's API, and below /simulator what no Intercom has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.simulator.rest.api import ApiRequest, SimulatedApi
from connectors.simulator.rest.faults import PathFault
from connectors.simulator.rest.replies import Reply

_HTML: Final = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_CANCEL_AGAIN_S: Final = 0.2  # an HTTP client may swallow a cancellation that comes as its answer does
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def application(api: SimulatedApi, control: list[Route], background: Sequence[Callable[[], Awaitable[None]]] = ()) -> Starlette:
    """Return the application. What is to run in the background runs while it is served."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.ensure_future(each()) for each in background]
        for task in tasks:
            task.add_done_callback(_report)
        yield
        while open_ := [task for task in tasks if not task.done()]:
            for task in open_:
                task.cancel()
            await asyncio.wait(open_, timeout=_CANCEL_AGAIN_S)

    async def rest(request: Request) -> Response:
        raw = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1").partition("?")[0]
        asked = ApiRequest(
            request.method, raw, request.url.query, request.headers, await request.body(), request.headers.get("host", "localhost")
        )  # fmt: skip
        fault = api.switches.of(raw)
        if fault is not None and fault.how == "html":
            return Response(_HTML, 502, media_type="text/html")
        reply = api.answer(asked)
        if fault is None:
            return _response(reply)
        if fault.how == "cut":
            return _Cut(_response(reply))
        return _response(_failed(fault, reply))

    return Starlette(routes=[*control, Route("/{path:path}", rest, methods=list(_METHODS))], lifespan=lifespan)


def _report(task: asyncio.Future[None]) -> None:
    """Show on standard error why something in the background ended: nobody waits for it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "the simulator's background work failed", "exception": error})


def _failed(fault: PathFault, reply: Reply) -> Reply:
    errors = [{"code": fault.code, "message": "An injected fault"}]
    return Reply(fault.status, {"type": "error.list", "errors": errors}, reply.headers)


def _response(reply: Reply) -> Response:
    return Response(msgspec.json.encode(reply.body), reply.status, dict(reply.headers), media_type="application/json")


class _Cut(Response):
    """A response that ends in the middle of its body: the server closes the connection, since less came than was promised."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started: dict[str, Any] = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(started)
        await send({"type": "http.response.body", "body": bytes(self.body)[: len(self.body) // 2], "more_body": True})
