"""What no Intercom has: faults, the clock, and the truth of the simulated workspace, below /simulator."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from connectors.simulator.rest.composition import Simulation
from connectors.simulator.workspace import truth
from schemas.json_lines import json_line

_TRUTHS: Final[dict[str, Callable[..., Iterable[Any]]]] = {
    "contacts": truth.contacts,
    "companies": truth.companies,
    "conversations": truth.conversations,
    "tickets": truth.tickets,
    "teammates": truth.teammates,
}


class _Move(msgspec.Struct, forbid_unknown_fields=True):
    advance_s: Annotated[float, msgspec.Meta(ge=0)]


def control_routes(simulation: Simulation) -> list[Route]:
    """Return the routes. A body that cannot be understood is answered 400 with the reason."""
    api = simulation.api

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            api.switches.reset()
        if request.method == "PATCH":
            api.switches.change(msgspec.json.decode(await request.body(), type=dict[str, Any]))
        return _json(api.switches.now)

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            api.clock.advance(round(msgspec.json.decode(await request.body(), type=_Move).advance_s * 1000))
        return _json({"now_ms": api.clock.now_ms(), "frozen": api.clock.frozen})

    async def counts(_: Request) -> Response:
        calls = {"calls": api.rate.calls, "refused": api.rate.refused}
        memory = {"rows_held": api.workspace.held, "rows_made": api.workspace.made}
        return _json({"counts": truth.counts(api.workspace), "rest": calls, "memory": memory})

    async def rows(request: Request) -> Response:
        listing = _TRUTHS.get(request.path_params["kind"])
        if listing is None:
            return _json({"error": f"there is truth about {', '.join(_TRUTHS)}"}, 404)
        return StreamingResponse(_lines(listing(api.workspace)), media_type="application/x-ndjson")

    return [
        Route("/simulator/faults", _explained(faults), methods=["GET", "PATCH", "DELETE"]),
        Route("/simulator/clock", _explained(clock), methods=["GET", "POST"]),
        Route("/simulator/truth", counts),
        Route("/simulator/truth/{kind}", rows),
    ]


def _explained(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def explained(request: Request) -> Response:
        try:
            answer: Response = await handler(request)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _json({"error": str(error)}, 400)
        return answer

    return explained


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def _lines(items: Iterable[Any]) -> AsyncIterator[bytes]:
    """Yield lines on the event loop, where everything else reads and changes the workspace too."""
    for item in items:
        yield json_line(item) + b"\n"
