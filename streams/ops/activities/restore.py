"""Bring back details that a longer policy allows: the raw topics of activities are read again, as far as they go.

That is a replay for the agents, with its entry in the journal: marks become details again, nothing is counted twice, and nothing that
a replay brings is live.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Unavailable
from schemas.tenancy import Tenancy
from streams.ops.activities.policy import in_force
from streams.ops.activities.retained.held import RAW
from streams.ops.activities.retained.scan import versions_applied
from streams.ops.generations.live import changelog_of
from streams.ops.replay.plan import plan
from streams.ops.replay.run import Watcher
from streams.ops.replay.selection import ReplaySelection
from streams.ops.replay.start import ReplayLimits, begin

_REASON = "activities restore"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was read again of a topic for a workspace; `since` is the time (ms) of its first record, None where it has none."""

    topic: str
    workspace: str
    sent: int
    since: int | None
    replay: str | None = None


async def restore(
    kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, tenant: str, *, actor: str | None, dry_run: bool,
    on_progress: Callable[[str, int], None],
) -> list[Restored]:  # fmt: skip
    """Read the raw topics of a tenant's activities again, and say how far they go. Raises Unavailable where Kafka does not answer."""
    await _require_applied(kafka, tenant)
    found = []
    for workspace in sorted(app_id for app_id, owner in tenancy.owners.items() if owner == tenant):
        for topic in RAW:
            show = partial(on_progress, topic)
            selection = ReplaySelection(topic=topic, workspace=workspace)
            try:
                planned = await plan(kafka, selection, show)
            except BadConfiguration:  # the topic is empty
                found.append(Restored(topic=topic, workspace=workspace, sent=0, since=None))
                continue
            id_ = None
            if planned.sends and not dry_run:
                watcher = _watcher(show)
                replay = await begin(
                    kafka, avro, selection, None, actor=actor, reason=_REASON, limits=ReplayLimits(), watcher=watcher
                )
                id_ = replay.id
            found.append(Restored(topic=topic, workspace=workspace, sent=planned.sends, since=planned.first, replay=id_))
    return found


def _watcher(show: Callable[[int], None]) -> Watcher:
    return Watcher(lambda replay: show(replay.progress.read), lambda _: None, lambda: False)


async def _require_applied(kafka: KafkaSettings, tenant: str) -> None:
    """Raise Unavailable where a worker has not taken over the policy yet: it would take away again what is brought back."""
    wanted = (await in_force(kafka)).get(tenant)
    if wanted is None:
        return
    changelog = (await changelog_of(kafka, "activities")).removeprefix(kafka.topic_prefix)
    versions = await versions_applied(kafka, changelog, tenant)
    late = sorted(number for number, version in versions.items() if version < wanted.version)
    if late:
        raise Unavailable(
            f"The workers have not taken over version {wanted.version} of the policy of {tenant} yet (partitions "
            f"{', '.join(map(str, late))}), so nothing was read again. Start them, or try again in a moment."
        )
