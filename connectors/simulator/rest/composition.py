"""The parts of a simulation, made from its configuration."""

import asyncio
from typing import NamedTuple

from connectors.simulator.clock import SimulatedClock
from connectors.simulator.rest.api import SimulatedApi
from connectors.simulator.rest.config import SimulatorConfig
from connectors.simulator.rest.faults import FaultSwitches
from connectors.simulator.webhooks.emission import WebhookEmission
from connectors.simulator.webhooks.sender import WebhookSender
from connectors.simulator.webhooks.subscription import WebhookSubscription
from connectors.simulator.workspace.changes import WorkspaceChanges
from connectors.simulator.workspace.workspace import SimulatedWorkspace


class Simulation(NamedTuple):
    """A workspace with its API and its webhooks. Without an endpoint there is no `subscription`, and nothing to send."""

    config: SimulatorConfig
    workspace: SimulatedWorkspace
    api: SimulatedApi
    clock: SimulatedClock
    switches: FaultSwitches
    emission: WebhookEmission
    changes: WorkspaceChanges
    subscription: WebhookSubscription | None
    sender: WebhookSender | None

    async def send_webhooks(self) -> None:
        """Send what changes emit, until cancelled."""
        if self.sender is not None:
            await self.sender.run()

    async def live(self) -> None:
        """Make changes at the configured rate, until cancelled."""
        while self.config.rate:
            await asyncio.sleep(1 / self.config.rate)
            self.changes.make()


def simulation(config: SimulatorConfig) -> Simulation:
    """Make the parts. Nothing is started."""
    spec = config.spec
    clock = SimulatedClock(spec.past_ends_ms if config.frozen else None)
    switches = FaultSwitches(config.faults)
    workspace = SimulatedWorkspace(spec)
    subscription = WebhookSubscription(spec.seed, config.speed) if config.webhook_url else None
    emission = WebhookEmission(spec.app_id, spec.seed, switches, clock, subscription)
    sender = None
    if subscription is not None:
        sender = WebhookSender(
            subscription, switches, clock, app_id=spec.app_id, url=config.webhook_url, secret=config.client_secret,
            answer_within_s=config.answer_within_s,
        )  # fmt: skip
        emission.wake = sender.wake
    api = SimulatedApi(workspace, clock, token=config.token, switches=switches, limit=config.limit)
    changes = WorkspaceChanges(workspace, clock.now_ms, emission)
    return Simulation(config, workspace, api, clock, switches, emission, changes, subscription, sender)
