"""Posts the webhooks of a subscription, signed, several at a time: so they overtake each other, as Intercom warns."""

import asyncio
import contextlib

import httpx

from connectors.simulator.clock import SimulatedClock
from connectors.simulator.payloads import notification as body_of
from connectors.simulator.post import webhook_headers
from connectors.simulator.rest.faults import FaultSwitches
from connectors.simulator.webhooks.subscription import Notification, WebhookSubscription
from schemas.tenancy import Secret

_AT_A_TIME = 8
_LOOK_S = 1.0  # the longest between two looks at the clock, which may be moved
_USER_AGENT = {"User-Agent": "intercom-parrot-service-client/1.0"}


class WebhookSender:
    """The loop that sends. `wake` makes it look at once."""

    def __init__(
        self,
        subscription: WebhookSubscription,
        switches: FaultSwitches,
        clock: SimulatedClock,
        *,
        app_id: str,
        url: str,
        secret: Secret,
        answer_within_s: float,
    ) -> None:
        self._subscription, self._switches, self._clock = subscription, switches, clock
        self._app_id, self._url, self._secret = app_id, url, secret
        self._answer_within_s = answer_within_s
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; what is under way then is ended."""
        async with httpx.AsyncClient(timeout=self._answer_within_s, headers=_USER_AGENT) as client:
            try:
                while True:
                    self._woken.clear()
                    self._start_all(client)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), self._pause_s())
            finally:
                for task in self._under_way:
                    task.cancel()
                await asyncio.gather(*self._under_way, return_exceptions=True)

    def _start_all(self, client: httpx.AsyncClient) -> None:
        while len(self._under_way) < _AT_A_TIME:
            due = self._subscription.due(self._switches.now, self._clock.now_ms())
            if due is None:
                return
            task = asyncio.create_task(self._send(client, due))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self.wake()

    async def _send(self, client: httpx.AsyncClient, due: Notification) -> None:
        body = body_of_attempt(due, self._app_id)
        try:
            async with asyncio.timeout(self._answer_within_s):
                response = await client.post(self._url, content=body, headers=webhook_headers(body, self._secret))
            status: int | None = response.status_code
        except (httpx.HTTPError, TimeoutError):
            status = None
        self._subscription.answered(due, status, self._clock.now_ms())

    def _pause_s(self) -> float:
        now = self._clock.now_ms()
        at = self._subscription.next_at(now)
        return _LOOK_S if at is None or self._clock.frozen else min(_LOOK_S, max(0.01, (at - now) / 1000))


def body_of_attempt(due: Notification, app_id: str) -> bytes:
    """Return the bytes of an attempt: they say which one it is, so those of a retry differ."""
    return body_of(
        due.topic,
        due.item,
        id=due.id,
        app_id=app_id,
        created_s=due.created_ms // 1000,
        attempts=due.attempts,
        first_sent_s=(due.first_sent_ms or due.created_ms) // 1000,
    )
