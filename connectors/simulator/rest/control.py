"""What no Intercom has: faults, changes, the clock, and the truth of the simulated workspace, below /simulator."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from connectors.simulator.rest.composition import Simulation
from connectors.simulator.workspace import truth
from connectors.simulator.workspace.changes import CHANGES
from schemas.json_lines import json_line

_TRUTHS: Final[dict[str, Callable[..., Iterable[Any]]]] = {
    "contacts": truth.contacts,
    "companies": truth.companies,
    "conversations": truth.conversations,
    "tickets": truth.tickets,
    "teammates": truth.teammates,
}
_TOGETHER: Final = 50


class _Move(msgspec.Struct, forbid_unknown_fields=True):
    advance_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class _Changes(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    kind: str | None = None
    apart_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0


def control_routes(simulation: Simulation) -> list[Route]:
    """Return the routes. A body that cannot be understood is answered 400 with the reason."""
    control = _Control(simulation)
    return [
        Route("/simulator/faults", _explained(control.faults), methods=["GET", "PATCH", "DELETE"]),
        Route("/simulator/clock", _explained(control.clock), methods=["GET", "POST"]),
        Route("/simulator/changes", _explained(control.changes), methods=["POST"]),
        Route("/simulator/subscription", control.subscription, methods=["GET", "POST"]),
        Route("/simulator/truth", control.counts),
        Route("/simulator/truth/undelivered", control.undelivered),
        Route("/simulator/truth/{kind}", control.rows),
    ]


class _Control:
    """What each path does."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def faults(self, request: Request) -> Response:
        switches = self._simulation.switches
        if request.method == "DELETE":
            switches.reset()
        if request.method == "PATCH":
            switches.change(msgspec.json.decode(await request.body(), type=dict[str, Any]))
        self._simulation.emission.wake()
        return _json(switches.now)

    async def clock(self, request: Request) -> Response:
        clock = self._simulation.clock
        if request.method == "POST":
            clock.advance(round(msgspec.json.decode(await request.body(), type=_Move).advance_s * 1000))
            self._simulation.emission.wake()
        return _json({"now_ms": clock.now_ms(), "frozen": clock.frozen})

    async def changes(self, request: Request) -> Response:
        """Make changes, the clock moved before each; requests and webhooks are served in between."""
        changes = self._simulation.changes
        wanted = msgspec.json.decode(await request.body() or b"{}", type=_Changes)
        if wanted.kind is not None and wanted.kind not in CHANGES:
            return _json({"error": f"kind is one of {', '.join(CHANGES)}"}, 400)
        made = []
        for number in range(wanted.count):
            self._simulation.clock.advance(round(wanted.apart_s * 1000))
            made.append(changes.make(wanted.kind))
            if number % _TOGETHER == _TOGETHER - 1:
                await asyncio.sleep(0)
        return _json({"made": [{"kind": kind, "id": identifier} for kind, identifier in made if identifier]})

    async def subscription(self, request: Request) -> Response:
        current = self._simulation.subscription
        if current is None:
            return _json({"error": "nothing is sent: start the simulator with --webhook-url"}, 404)
        if request.method == "POST":
            current.set_live()
            self._simulation.emission.ping()
        return _json({"standing": current.standing, "waiting": current.waiting, "counts": current.counts})

    async def undelivered(self, _: Request) -> Response:
        current = self._simulation.subscription
        return _lines([] if current is None else list(current.undelivered))

    async def counts(self, _: Request) -> Response:
        rate, workspace = self._simulation.api.rate, self._simulation.workspace
        calls = {"calls": rate.calls, "refused": rate.refused, "windows": rate.answered()}
        memory = {"rows_held": workspace.held, "rows_made": workspace.made}
        return _json({"counts": truth.counts(workspace), "rest": calls, "memory": memory})

    async def rows(self, request: Request) -> Response:
        listing = _TRUTHS.get(request.path_params["kind"])
        if listing is None:
            return _json({"error": f"there is truth about {', '.join(_TRUTHS)} and undelivered"}, 404)
        return _lines(listing(self._simulation.workspace))


def _explained(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def explained(request: Request) -> Response:
        try:
            return await handler(request)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _json({"error": str(error)}, 400)

    return explained


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _lines(items: Iterable[Any]) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        """Yield lines on the event loop, where everything else reads and changes the workspace too."""
        for item in items:
            yield json_line(item) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
