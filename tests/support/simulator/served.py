"""A simulated Intercom on a port of this process, with the client of the product, and a clock that the test moves."""

import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import msgspec
import uvicorn

from connectors.http.sockets import bind, url_of
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.simulator.rest.application import application
from connectors.simulator.rest.composition import Simulation, simulation
from connectors.simulator.rest.config import SimulatorConfig
from connectors.simulator.rest.control import control_routes
from connectors.simulator.workspace.spec import WorkspaceSpec
from schemas.tenancy import Secret, Workspace

APP_ID, TOKEN = "abc12345", "simulated-token"
PAST_ENDS_MS = 1_790_000_000_000


def config(contacts: int = 120, **changes: Any) -> SimulatorConfig:
    """A small workspace whose clock stands still."""
    own = {name: changes.pop(name) for name in list(changes) if name in WorkspaceSpec.__struct_fields__}
    spec = WorkspaceSpec(**{"app_id": APP_ID, "past_ends_ms": PAST_ENDS_MS, "contacts": contacts, **own})
    return SimulatorConfig(**{"spec": spec, "host": "127.0.0.1", "port": 0, "token": Secret(TOKEN), "limit": 0, "frozen": True, **changes})  # fmt: skip


def as_listed(contacts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return contacts of the truth as a list has them: without what only the truth says, and with ten entries of their lists."""
    return [{name: _cut(value) for name, value in each.items() if name not in ("state", "merged_into")} for each in contacts]


def _cut(value: Any) -> Any:
    if not isinstance(value, dict) or "has_more" not in value:
        return value
    return {**value, "data": value["data"][:10], "has_more": value["total_count"] > 10}


class Served(msgspec.Struct, frozen=True):
    """A running simulation and its URL."""

    url: str
    simulation: Simulation

    @property
    def workspace(self) -> Workspace:
        return Workspace(app_id=APP_ID, app="support", region="us", access_token=Secret(TOKEN), api_url=self.url)

    @asynccontextmanager
    async def client(self, version: str = "2.16") -> AsyncIterator[RestClient]:
        """The product's client, which waits by moving the simulator's clock."""
        async with RestClient(self.workspace, ProcessBudget(self._seconds), version=version, sleep=self._sleep) as client:
            yield client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Authorization": f"Bearer {TOKEN}", **headers})

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers={"Authorization": f"Bearer {TOKEN}", **headers})

    def fault(self, **switches: Any) -> None:
        assert httpx.patch(f"{self.url}/simulator/faults", json=switches).status_code == 200

    def advance(self, seconds: float) -> None:
        assert httpx.post(f"{self.url}/simulator/clock", json={"advance_s": seconds}).status_code == 200

    def truth(self, kind: str) -> list[Any]:
        return [msgspec.json.decode(line) for line in httpx.get(f"{self.url}/simulator/truth/{kind}").content.splitlines()]

    def _seconds(self) -> float:
        return self.simulation.api.clock.now_ms() / 1000

    async def _sleep(self, seconds: float) -> None:
        self.simulation.api.clock.advance(max(1, round(seconds * 1000)))


@contextmanager
def simulated_intercom(config: SimulatorConfig) -> Iterator[Served]:
    """Serve until the end of the block."""
    running = simulation(config)
    sock = bind("127.0.0.1", 0)
    sock.listen(64)
    app = application(running.api, control_routes(running), (running.send_webhooks, running.live))
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="on", log_config=None, access_log=False, date_header=False))
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    try:
        yield Served(url_of(sock, ""), running)
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
