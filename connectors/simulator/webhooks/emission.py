"""Makes notifications of changes, numbered, and offers them to the subscription."""

from collections.abc import Callable
from typing import Any

from connectors.simulator.clock import SimulatedClock
from connectors.simulator.rest.faults import FaultSwitches
from connectors.simulator.webhooks.subscription import Notification, WebhookSubscription
from schemas.ids import derived


class WebhookEmission:
    """Takes what changes emit. Without a subscription nothing is sent, as from an app without a webhook URL."""

    def __init__(
        self, app_id: str, seed: int, switches: FaultSwitches, clock: SimulatedClock, subscription: WebhookSubscription | None
    ) -> None:
        self._app_id, self._seed, self._switches, self._clock = app_id, seed, switches, clock
        self._subscription = subscription
        self._number = 0
        self.wake: Callable[[], None] = lambda: None

    def __call__(self, topic: str, about: str, item: dict[str, Any]) -> None:
        self._offer(topic, about, item, f"notif_{derived('webhook', self._app_id, self._seed, self._number)}")

    def ping(self) -> None:
        """Offer the ping that Intercom sends where an endpoint is set live: it has no id."""
        self._offer("ping", "", {"type": "ping", "message": "something something interzen"}, None)

    def _offer(self, topic: str, about: str, item: dict[str, Any], identifier: str | None) -> None:
        if self._subscription is None:
            return
        now = self._clock.now_ms()
        self._subscription.offer(
            Notification(number=self._number, id=identifier, topic=topic, about=about, item=item, created_ms=now),
            self._switches.now,
            now,
        )
        self._number += 1
        self.wake()
