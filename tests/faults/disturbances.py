"""The disturbances of workers, brokers and disks, and which kind of campaign has which."""

import asyncio
import shutil
import signal

from aiokafka import TopicPartition

from connectors.local.servers.probe import Coordinator
from tests.faults.campaign import Campaign, Disturbance, Kind
from tests.faults.cluster import coordinator, transaction_open
from tests.faults.counting_worker import AGENT, REJOIN
from tests.support.counting_agent import PARTITIONS


async def kill_worker(campaign: Campaign) -> None:
    """SIGKILL a worker and start another."""
    campaign.workers.kill(campaign.random_worker())
    await asyncio.sleep(campaign.chance.uniform(0, 3))
    campaign.start()


async def zombie(campaign: Campaign) -> None:
    """Freeze a worker for longer than its session, then resume it."""
    await _freeze(campaign, campaign.chance.uniform(8, 12))


async def frozen_past_its_transaction(campaign: Campaign) -> None:
    """Freeze a worker until the brokers have aborted its transaction; with a longer session it still owns its partitions."""
    await _freeze(campaign, campaign.transaction_ms / 1_000 + campaign.chance.uniform(1.2, 2))


async def join(campaign: Campaign) -> None:
    """Start one more worker, up to four."""
    if len(campaign.workers.running) < PARTITIONS:
        campaign.start()


async def leave(campaign: Campaign) -> None:
    """Stop one worker, down to one."""
    if len(campaign.workers.running) > 1:
        await asyncio.to_thread(campaign.workers.stop, campaign.random_worker())


async def won_lost_and_won_again(campaign: Campaign) -> None:
    """Let a worker leave the group and rejoin twice, before its tables are loaded: partitions move four times within seconds."""
    which = campaign.random_worker()
    for _ in range(2):
        campaign.workers.running[which].send_signal(REJOIN)
        await asyncio.sleep(campaign.chance.uniform(0.3, 1.5))


async def lose_disk(campaign: Campaign) -> None:
    """Kill a host's workers and restart them with an empty disk."""
    host, workers = campaign.random_host()
    for which in workers:
        campaign.workers.kill(which)
    shutil.rmtree(host, ignore_errors=True)
    await asyncio.sleep(campaign.chance.uniform(0, 3))
    for _ in workers:
        campaign.start(host)


async def kill_broker(campaign: Campaign) -> None:
    """SIGKILL a broker and start it again."""
    await _kill(campaign, campaign.chance.randint(1, 3))


async def restart_broker(campaign: Campaign) -> None:
    """Stop a broker in order and start it again."""
    await _restart(campaign, campaign.chance.randint(1, 3))


async def freeze_broker(campaign: Campaign) -> None:
    """Freeze a broker for a while."""
    node = campaign.chance.randint(1, 3)
    await asyncio.to_thread(campaign.stack.pause_broker, node)
    await asyncio.sleep(campaign.chance.uniform(2, 8))
    await asyncio.to_thread(campaign.stack.resume_broker, node)


async def kill_group_coordinator(campaign: Campaign) -> None:
    """SIGKILL the consumer group's coordinator."""
    await _kill(campaign, await coordinator(campaign.settings, Coordinator.GROUP, campaign.names.group))


async def kill_transaction_coordinator(campaign: Campaign) -> None:
    """SIGKILL the broker that coordinates an open transaction of a partition's owner."""
    await _kill(campaign, await _committing(campaign))


async def restart_transaction_coordinator(campaign: Campaign) -> None:
    """Stop that broker in order: it passes its open transactions to another broker."""
    await _restart(campaign, await _committing(campaign))


async def kill_worker_while_a_broker_is_away(campaign: Campaign) -> None:
    """Kill a worker while a broker is down: another worker takes over and restores with two brokers of three."""
    node = campaign.chance.randint(1, 3)
    await asyncio.to_thread(campaign.stack.kill_broker, node)
    await kill_worker(campaign)
    await asyncio.sleep(campaign.chance.uniform(0, 6))
    await asyncio.to_thread(campaign.stack.start_broker, node)


async def _freeze(campaign: Campaign, seconds: float) -> None:
    process = campaign.workers.freeze(campaign.random_worker())
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGCONT)


async def _kill(campaign: Campaign, node: int) -> None:
    await asyncio.to_thread(campaign.stack.kill_broker, node)
    await asyncio.sleep(campaign.chance.uniform(0, 6))
    await asyncio.to_thread(campaign.stack.start_broker, node)


async def _restart(campaign: Campaign, node: int) -> None:
    await asyncio.to_thread(campaign.stack.stop_broker, node)
    await asyncio.to_thread(campaign.stack.start_broker, node)


async def _committing(campaign: Campaign) -> int:
    """Return the transaction coordinator of a partition's owner while that partition has an open transaction."""
    partition = campaign.chance.randrange(PARTITIONS)
    name = campaign.names.transactional_id(AGENT.name, partition)
    node = await coordinator(campaign.settings, Coordinator.TRANSACTION, name)
    changelog = campaign.names.topic(campaign.names.changelog(AGENT.name))
    await transaction_open(campaign.settings, TopicPartition(changelog, partition))
    return node


_WORKERS: list[Disturbance] = [
    kill_worker,
    kill_worker,
    zombie,
    frozen_past_its_transaction,
    join,
    leave,
    won_lost_and_won_again,
]
_BROKERS: list[Disturbance] = [
    kill_broker,
    restart_broker,
    freeze_broker,
    kill_group_coordinator,
    kill_transaction_coordinator,
    restart_transaction_coordinator,
    kill_worker_while_a_broker_is_away,
    kill_worker,
]
KINDS = {
    "workers": Kind(_WORKERS),
    "brokers": Kind(_BROKERS, hosts=(0, 2)),
    "disk": Kind([*_WORKERS, lose_disk], hosts=(1, 2)),
}
