"""HTTP probes of an ingress: is it alive, can it persist posts, what is degraded.

`/ready` is 200 as long as posts can be persisted, in Kafka or on this disk: an orchestrator that removes the ingress during an
outage of Kafka loses posts instead of delaying them. Body and metrics show what is degraded. 503 means that posts are refused.
"""

from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.intercom.ingress.multiprocess_metrics import CONTENT_TYPE


class IngressStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a process. `degraded` has a sentence for each problem, also while posts are persisted."""

    ready: bool
    kafka: str
    spooled_bytes: int
    degraded: tuple[str, ...] = ()


def probes(status: Callable[[], IngressStatus], metrics_page: Callable[[], bytes]) -> Starlette:
    """Make the app behind the webhook route."""

    async def health(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_: Request) -> Response:
        current = status()
        return Response(msgspec.json.encode(current), 200 if current.ready else 503, media_type="application/json")

    async def metrics(_: Request) -> Response:
        return Response(metrics_page(), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)])
