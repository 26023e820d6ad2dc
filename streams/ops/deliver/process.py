"""The process `deliver`: all endpoints and files of all tenants, each kept running by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import structlog

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from connectors.observability import metrics
from connectors.webhooks.sender import EndpointSender
from schemas import dead_letters
from schemas.codec import Avro
from schemas.dead_letters import dead_letter
from schemas.errors import IntercomStreamsError, MustStop
from schemas.ids import derived
from schemas.tenancy import Tenancy, WebhookEndpoint
from schemas.webhooks.endpoint_states import EndpointStatus
from schemas.webhooks.posted import dead_letter_agent
from streams.ops.deliver.endpoint import EndpointDelivery
from streams.ops.deliver.event_file import EventFileDelivery
from streams.ops.deliver.schedule import RetryPolicy
from streams.ops.deliver.states import StateFollower, change, is_paused, resumed_at

log = structlog.get_logger(__name__)
_RETRY_S: Final = 2.0
_OPERATOR_RETRY_S: Final = 30.0  # where a person has to act first

Run = Callable[[asyncio.Event], Awaitable[None]]


class DeliverProcess:
    """One process. Several share the partitions of endpoints; a file is written by one."""

    def __init__(self, kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, *, policy: RetryPolicy | None = None) -> None:
        self._kafka, self._avro, self._tenancy, self._policy = kafka, avro, tenancy, policy
        self._follower = StateFollower(kafka, avro)
        self._endpoints: dict[str, EndpointDelivery] = {}
        self._problems: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until stopped."""
        parts: dict[str, Run] = {"states of endpoints": self._follow}
        for tenant in self._tenancy.tenants.values():
            for endpoint in tenant.webhooks:
                parts[f"{tenant.id}|{endpoint.name}"] = self._endpoint(tenant.id, endpoint)
            for file in tenant.event_files:
                recovered = partial(self._problems.pop, file.path, None)
                parts[file.path] = EventFileDelivery(self._kafka, tenant.id, file, recovered).run
        await asyncio.gather(*(self._keep_running(name, run, stop) for name, run in parts.items()))

    def readiness(self) -> dict[str, Any]:
        """Return whether all parts run, and what is wrong with those that do not; sets gauges."""
        now = time.time_ns() // 1_000_000
        for endpoint in self._endpoints.values():
            endpoint.set_gauges(now)
        return {"ready": not self._problems, "degraded": [f"{name}: {why}" for name, why in sorted(self._problems.items())]}

    async def _keep_running(self, name: str, run: Run, stop: asyncio.Event) -> None:
        """Start a part again whenever it fails: the others are not to notice."""
        while not stop.is_set():
            try:
                await run(stop)
            except IntercomStreamsError as error:
                if self._problems.get(name) != str(error):
                    log.warning("a delivery stopped; it is tried again", name=name, reason=str(error))
                self._problems[name] = str(error)
                pause = _OPERATOR_RETRY_S if isinstance(error, MustStop) else _RETRY_S
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)

    async def _follow(self, stop: asyncio.Event) -> None:
        following, stopping = asyncio.create_task(self._follower.run()), asyncio.create_task(stop.wait())
        caught_up = asyncio.create_task(self._follower.caught_up.wait())
        caught_up.add_done_callback(lambda _: self._problems.pop("states of endpoints", None))
        try:
            await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (following, stopping, caught_up):
                task.cancel()
            results = await asyncio.gather(following, stopping, caught_up, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    def _endpoint(self, tenant: str, endpoint: WebhookEndpoint) -> Run:
        key = f"{tenant}|{endpoint.name}"

        async def pause(reason: str) -> None:
            log.error("an endpoint is paused", endpoint=key, reason=reason, hint="intercom-streams webhooks resume")
            state = await change(self._kafka, self._avro, tenant, endpoint.name, EndpointStatus.PAUSED, actor=None, reason=reason)
            self._follower.known[key] = state  # at once: its record is read a moment later

        async def reject(topic: str, record: Any, reason: str) -> None:
            letter = dead_letter(topic, record.partition, record, reason, dead_letter_agent(key))
            id_ = f"deliver-{derived(self._kafka.topic_prefix, key, id(self), time.time_ns())}"
            async with transactions(self._kafka, id_) as producer:
                await producer.append(
                    [TopicRecord(dead_letters.TOPIC, letter.key, letter.value, letter.headers, record.partition)]
                )
            metrics.DEAD_LETTERS.labels("deliver").inc()

        async def run(stop: asyncio.Event) -> None:
            await self._until_caught_up(stop)
            async with AsyncExitStack() as stack:
                sender = await stack.enter_async_context(EndpointSender(endpoint, f"intercom-streams/{_version()}"))
                delivery = EndpointDelivery(
                    self._kafka, tenant, endpoint, sender, is_paused=lambda: is_paused(self._follower.known, key),
                    resumed_at=lambda: resumed_at(self._follower.known, key), pause=pause, reject=reject, policy=self._policy,
                )  # fmt: skip
                self._endpoints[key] = delivery
                self._problems.pop(key, None)
                await delivery.run(stop)

        return run

    async def _until_caught_up(self, stop: asyncio.Event) -> None:
        """Wait until it is known who is paused: nothing is posted to an endpoint that is."""
        waits = [asyncio.create_task(each.wait()) for each in (self._follower.caught_up, stop)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def _version() -> str:
    try:
        return version("intercom-streams")
    except PackageNotFoundError:
        return "0"
