"""The installation of the demo: its own configuration, `run` as a process, and the public ways in."""

import asyncio
import secrets
import shlex
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.kafka.settings import KafkaSettings
from connectors.local import Addresses
from connectors.local.ports import free
from connectors.simulator.history import Scene, SimulatedPost, SimulatedStaff, as_csv
from connectors.simulator.post import PostResult, post, webhook_headers
from schemas.errors import MustStop
from schemas.tenancy import Secret
from streams.supervise.child import Child
from streams.supervise.self_process import argv, call

TENANT = "acme"
APP_ID = "demo1234"
PAST_APP_ID = "past1234"  # the workspace that was there before: simulated, with a REST API
_PAST_TOKEN = "simulated-token"  # noqa: S105  opens nothing but the simulation
_PAST_CONTACTS = 60
_READY_S = 120.0  # an idle machine needs 5 s
_LAST_LINES = 30
_DAY_S = 86_400

_CONFIGURATION = """\
[kafka]
bootstrap = "{bootstrap}"
topic_prefix = "{prefix}"
[ingress]
listen = "127.0.0.1:{ingress}"
spool = "spool"
[worker]
listen = "127.0.0.1:{worker}"
[[apps]]
name = "demo"
client_secrets = ["{secret}"]
[[tenants]]
id = "{tenant}"
[[tenants.workspaces]]
app_id = "{app_id}"
app = "demo"
name = "Acme support"
[[tenants.workspaces]]
app_id = "{past_app_id}"
app = "demo"
name = "Acme sales"
api_url = "{intercom}"
access_token = "{token}"
"""


class DemoEnvironment:
    """The installation that the story acts on; `set_up` creates it."""

    def __init__(self, folder: Path, kafka: KafkaSettings) -> None:
        self.folder = folder
        self.kafka = kafka
        self.config = str(folder / "intercom-streams.toml")
        self.scene = Scene(app_id=APP_ID, start_ms=now_ms() - 2 * _DAY_S * 1000)
        self.url = ""
        self.intercom = ""
        self._slowest_command_s = 0.0
        self._secret = Secret(secrets.token_hex(16))
        self._client = httpx.Client()

    def configure(self) -> tuple[str, str]:
        """Write the configuration; return the URLs that answer when ingress and worker are ready."""
        ingress = free(set())
        worker = free({ingress})
        self.intercom = f"http://127.0.0.1:{free({ingress, worker})}"
        text = _CONFIGURATION.format(
            bootstrap=self.kafka.bootstrap, prefix=self.kafka.topic_prefix, ingress=ingress, worker=worker,
            secret=self._secret.reveal(), tenant=TENANT, app_id=APP_ID, past_app_id=PAST_APP_ID, intercom=self.intercom,
            token=_PAST_TOKEN,
        )  # fmt: skip
        Path(self.config).write_text(text, encoding="utf-8")
        self.url = f"http://127.0.0.1:{ingress}{WEBHOOK_PATH}"
        return f"http://127.0.0.1:{ingress}/ready", f"http://127.0.0.1:{worker}/ready"

    def simulator_argv(self) -> list[str]:
        """Return the command that is the simulated workspace, whose webhooks go to the ingress."""
        return argv(
            self.config, "simulate", "serve", "--listen", self.intercom.removeprefix("http://"), "--app-id", PAST_APP_ID,
            "--token", _PAST_TOKEN, "--contacts", str(_PAST_CONTACTS), "--webhook-url", self.url, "--client-secret", self._secret.reveal(),
        )  # fmt: skip

    async def ask_simulator(self, method: str, path: str, **body: Any) -> Any:
        """Return what the simulated workspace answers below /simulator."""
        url = f"{self.intercom}/simulator/{path}"
        answer = await asyncio.to_thread(self._client.request, method, url, json=body or None)
        return answer.raise_for_status().json()

    async def plan_of(self, contact: str) -> str:
        """Return the plan of a contact of the simulated workspace, as its REST API has it."""
        headers = {"Authorization": f"Bearer {_PAST_TOKEN}"}
        answer = await asyncio.to_thread(self._client.get, f"{self.intercom}/contacts/{contact}", headers=headers)
        return str(answer.raise_for_status().json()["custom_attributes"]["plan"])

    async def connect(self) -> tuple[str, dict[str, str]]:
        """Connect the simulated workspace; return the command that a user would type, and the text of each step."""
        words = ("connect", "--workspace", PAST_APP_ID)
        output = await asyncio.to_thread(call, self.config, *words, "--json")
        steps = map(msgspec.json.decode, output.splitlines())
        return shlex.join(("intercom-streams", *words)), {step["step"]: step["text"] for step in steps}

    async def read(self, verb: str) -> str:
        """Read the simulated workspace with `backfill` or `resync`; return the command that a user would type."""
        return await self._command(verb, "--workspace", PAST_APP_ID)

    async def post(self, step: SimulatedPost) -> PostResult:
        """Post a webhook; raise `MustStop` for any status but 200."""
        result = await asyncio.to_thread(post, self._client, self.url, step.body, webhook_headers(step.body, self._secret))
        if not result.accepted:
            raise MustStop(f"The ingress answered {result.status} to {step.topic}; 200 was expected.")
        return result

    async def import_staff(self, *rows: SimulatedStaff) -> str:
        """Import the whole staff file; return the command that a user would type."""
        (self.folder / "staff.csv").write_text(as_csv(rows), encoding="utf-8")
        return await self._command("staff", "import", str(self.folder / "staff.csv"), "--tenant", TENANT, "--complete")

    async def apply_policy(self, text: str) -> str:
        """Apply a policy; return the command that a user would type."""
        (self.folder / "policy.toml").write_text(text, encoding="utf-8")
        return await self._command("policy", "apply", str(self.folder / "policy.toml"))

    async def apply_profile_policy(self, text: str) -> str:
        """Apply a policy of profiles; return the command that a user would type."""
        (self.folder / "profiles.toml").write_text(text, encoding="utf-8")
        return await self._command("profiles", "policy", "apply", str(self.folder / "profiles.toml"))

    async def exempt(self, check: str, account: str, *, approver: str, until: str, reason: str) -> str:
        """Exempt an account from a check; return the command that a user would type."""
        options = ("--workspace", APP_ID, "--approver", approver, "--until", until, "--reason", reason)
        return await self._command("exempt", "grant", check, account, *options)

    def soon(self) -> int:
        """Return an instant (ms, a whole second) that a command typed now precedes: it may take thrice as long as the slowest so far."""
        return int(time.time() + 3 * self._slowest_command_s + 2) * 1000

    async def _command(self, *arguments: str) -> str:
        since = time.monotonic()
        await asyncio.to_thread(call, self.config, *arguments)
        self._slowest_command_s = max(self._slowest_command_s, time.monotonic() - since)
        shown = (Path(argument).name if argument.startswith("/") else argument for argument in arguments)
        return shlex.join(("intercom-streams", *shown))


def now_ms() -> int:
    """Return the time of this machine, in ms since 1970."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def set_up(folder: Path, addresses: Addresses, prefix: str) -> AsyncIterator[DemoEnvironment]:
    """Start `run` with its own configuration, wait until ingress and worker are ready, and stop `run` at the end of the block."""
    environment = DemoEnvironment(folder, KafkaSettings(bootstrap=addresses.kafka, topic_prefix=prefix))
    ready_urls = environment.configure()
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    intercom = Child("simulate serve", environment.simulator_argv(), lambda _, line: lines.append(line))
    child = Child("run", argv(environment.config, "run"), lambda _, line: lines.append(line))
    simulator_task, run_task = asyncio.create_task(intercom.run_once()), asyncio.create_task(child.run_once())
    try:
        await _wait_until_ready((*ready_urls, f"{environment.intercom}/simulator/truth"), run_task, lambda: "\n".join(lines))
        yield environment
    finally:
        await child.stop(60)
        await intercom.stop(10)
        await asyncio.gather(run_task, simulator_task)


async def _wait_until_ready(urls: tuple[str, ...], run_task: "asyncio.Task[int]", log: Callable[[], str]) -> None:
    deadline = time.monotonic() + _READY_S
    async with httpx.AsyncClient() as client:
        for url in urls:
            while not await _is_ready(client, url):
                if run_task.done() or time.monotonic() > deadline:
                    outcome = "ended" if run_task.done() else f"was not ready within {_READY_S:g} s"
                    raise MustStop(f"`intercom-streams run` {outcome}. Its last lines:\n{log()}")
                await asyncio.sleep(0.05)


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
