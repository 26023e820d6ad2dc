"""What every act of the story uses: the installation, the subscriber and the output, and how to wait for what follows."""

import time
from collections.abc import Callable
from typing import Any

from connectors.simulator.history import SimulatedPost
from streams.demo.environment import APP_ID, DemoEnvironment
from streams.demo.output import StoryOutput
from streams.demo.watch import SeenRecord, TopicWatch

VIOLATIONS = "access.violations.json"
SOON_S = 30.0  # far above any measured latency: only a broken installation takes this long
TYPED = "the command was typed"
OPENED, UPDATED, CLOSED = 1, 2, 3  # OCSF activity_id


class StoryContext:
    """What every act uses: the installation, the subscriber and the output; and the latencies so far."""

    def __init__(self, environment: DemoEnvironment, watch: TopicWatch, output: StoryOutput) -> None:
        self.environment = environment
        self.watch = watch
        self.output = output
        self.latencies: list[float] = []

    async def post(self, step: SimulatedPost, note: str = "") -> float:
        """Post a webhook and show it; return the time of the post."""
        posted_at = time.monotonic()
        result = await self.environment.post(step)
        self.output.show_action(f"{step.topic}{note}: {step.about}", status=result.status, ms=result.ms)
        return posted_at

    async def wait_for_finding(self, check: str, activity: int, since: float, *, after: str = "the post") -> dict[str, Any]:
        """Wait until a finding opens or closes; show its message and return the finding."""
        record = await self.watch.until(
            VIOLATIONS, is_event(check, activity), f"A {check} finding with activity {activity}", within_s=SOON_S
        )
        verb = "opened" if activity == OPENED else "closed"
        self.record_observation(f"violation {check} {verb}: {record.value['message']}", record, since, after=after)
        finding: dict[str, Any] = record.value
        return finding

    async def wait_for_update(
        self, finding: dict[str, Any], description: str, *, within_s: float = SOON_S, **expected: Any
    ) -> SeenRecord:
        """Wait until the same finding (its uid, so the same episode) is updated with these values; `unmapped` is searched too."""
        uid = finding["finding_info"]["uid"]

        def is_it(event: dict[str, Any]) -> bool:
            values = {**event["unmapped"], **event}
            return bool(
                event["activity_id"] == UPDATED
                and event["finding_info"]["uid"] == uid
                and all(values.get(name) == value for name, value in expected.items())
            )

        return await self.watch.until(VIOLATIONS, is_it, description, within_s=within_s)

    def record_observation(self, what: str, record: SeenRecord, since: float, *, after: str = "the post") -> None:
        """Show what a record proves, with its latency, and store the latency."""
        ms = max(0.0, (record.at - since) * 1000)
        self.latencies.append(ms)
        self.output.show_observation(what, ms=ms, after=after)


def is_event(check: str, activity: int, app_id: str = APP_ID) -> Callable[[dict[str, Any]], bool]:
    """Return whether a finding is one of a check, of a workspace, and opens, is updated, or closes."""
    wanted = (check, app_id, activity)
    return lambda finding: (finding["unmapped"]["check"], finding["unmapped"]["app_id"], finding["activity_id"]) == wanted
