"""What `simulate serve` needs to know."""

import httpx
import msgspec

from connectors.simulator.rest.faults import Faults
from connectors.simulator.webhooks.subscription import ANSWER_WITHIN_MS
from connectors.simulator.workspace.spec import WorkspaceSpec
from schemas.errors import BadConfiguration
from schemas.tenancy import Secret

TYPICAL_LIMIT = 1666  # calls in ten seconds: the 10,000 a minute that Intercom documents for an app


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace, where it is served, and where its webhooks go. `rate` is how many changes a second happen by themselves.

    `frozen` stops the clock at the end of the past: the same steps give the same bytes. `speed` shortens what Intercom waits for.
    """

    spec: WorkspaceSpec
    host: str
    port: int
    token: Secret
    limit: int = TYPICAL_LIMIT
    frozen: bool = False
    faults: Faults = Faults()
    webhook_url: str = ""
    client_secret: Secret = Secret("")
    rate: float = 0.0
    speed: float = 1.0
    answer_within_s: float = ANSWER_WITHIN_MS / 1000

    def __post_init__(self) -> None:
        if self.webhook_url and not _is_url(self.webhook_url):
            raise BadConfiguration(
                f"--webhook-url is {self.webhook_url!r}; expected something like http://127.0.0.1:8080/webhooks/intercom"
            )


def _is_url(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)
