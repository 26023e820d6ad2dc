"""What operators ask an ingress: is it alive, can it take posts, how is it doing.

`/ready` is 200 as long as posts can be kept, in Kafka or on this disk: an orchestrator that takes the ingress away because Kafka is
away would turn a delay into a loss. What is degraded is in its body, and in the metrics. 503 means that a post would be refused.
"""

from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.intercom.ingress.multiprocess_metrics import CONTENT_TYPE


class IngressStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a process stands. `degraded` says in sentences what is wrong although posts are kept."""

    ready: bool
    kafka: str
    spooled_bytes: int
    degraded: tuple[str, ...] = ()


def probes(status: Callable[[], IngressStatus], metrics_page: Callable[[], bytes]) -> Starlette:
    """Make the app behind the webhook route."""

    async def health(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_: Request) -> Response:
        found = status()
        return Response(msgspec.json.encode(found), 200 if found.ready else 503, media_type="application/json")

    async def metrics(_: Request) -> Response:
        return Response(metrics_page(), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)])
