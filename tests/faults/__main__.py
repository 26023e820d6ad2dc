"""Long campaigns with fresh seeds: `scripts/faults --minutes 30`. A failing seed prints the command that repeats it."""

import asyncio
import logging
import secrets
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import click
import structlog

from connectors.kafka.settings import KafkaSettings
from connectors.local import LocalStack, temporary_stack
from tests.e2e import test_redrive_after_a_fix
from tests.faults import test_continuation_kill, test_worker_kill
from tests.faults.campaign import BROKERS, Campaign
from tests.faults.disturbances import KINDS
from tests.faults.policies.campaign import long_run
from tests.faults.replay.campaign import LONG as LONG_REPLAY
from tests.faults.replay.campaign import ReplayCampaign
from tests.faults.sync.campaign import SyncCampaign
from tests.faults.sync.outages import LONG as LONG_OUTAGES
from tests.faults.sync.outages import SHORT as SHORT_OUTAGES
from tests.streams.ops.rebuild.campaign import OperationsCampaign
from tests.support.access_laws.campaign import campaign
from tests.support.access_laws.further import further_campaign
from tests.support.access_reports.campaign import campaign as report_campaign
from tests.support.activities.campaign import campaign as activities_campaign
from tests.support.counting_agent import PARTITIONS
from tests.support.identity import two_runs
from tests.support.profile_laws.campaign import campaign as people_campaign
from tests.support.webhooks.campaign import kill_campaign

_COMPARED: Final = {
    "further": further_campaign,
    "reports": report_campaign,
    "people": people_campaign,
    "activities": activities_campaign,
}
_EVENTS = 50_000  # of two runs
_PEOPLE = 100_000
_WORKSPACE = 100_000  # contacts of a workspace that is read
_LONG_OUTAGES = 20_000  # contacts from which on there is no ingress for ten minutes and no Kafka for one
KILLS, CONTINUATION, REDRIVE = "kills", "continuation", "redrive"  # one long run each of what the test suite has in short
REPLAY = "replay"  # the same, with as many events as --events says
OPERATIONS = "operations"  # replays and rebuilds of the product itself, killed at random moments
_DISTURBANCES = 8  # a campaign of one to three minutes: short enough to repeat, long enough for several faults to overlap


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0), default=30.0, help="Begin no new campaign after so long.")
@click.option("--seed", type=int, help="Repeat one campaign; its kind has to be named too.")
@click.option(
    "--histories",
    type=click.IntRange(min=1),
    help="Of kinds answers, further, reports, people and activities: compare so many histories instead, 10000 for example.",
)
@click.option(
    "--kind",
    type=click.Choice(
        [
            *KINDS,
            OPERATIONS,
            "answers",
            "further",
            "reports",
            "people",
            "activities",
            "runs",
            "policy",
            "sync",
            "webhooks",
            REPLAY,
            KILLS,
            CONTINUATION,
            REDRIVE,
            "all",
        ]
    ),
    default="all",
    help="What is harmed, by default one kind after the other; answers compares those about access with the oracle and the laws, further the further checks with theirs, reports those for auditors with a naive reporter, people the agents of profiles with theirs, activities those of activities with a plain reading, in histories of two forms, runs "
    "two runs over one history of people and organisations, policy a policy that is changed forth and back over 100,000 people, sync a simulated workspace of 100,000 contacts that loses webhooks in every way and is read again (above 2,000 contacts without conversations and tickets), webhooks the process that posts them, killed twenty times, replay two replays of 200,000 events beside live traffic, killed ten times, redrive 1,002 poison records among 100,000, kills workers killed during 20,000 events, continuation workers killed during work over 500,000 rows; operations "
    "are replays and rebuilds of the product.",
)
@click.option(
    "--events",
    type=click.IntRange(10_000),
    help="Of kinds replay and runs: how many events there are, 200,000 and 50,000 by default.",
)
@click.option(
    "--contacts",
    type=click.IntRange(10, 1_000_000),
    help="Of kinds sync and policy: how many contacts there are, 100,000 by default.",
)
def main(*, minutes: float, seed: int | None, histories: int | None, kind: str, contacts: int | None, events: int | None) -> None:
    """Break workers, brokers and disks at random moments on a cluster of three, and count every event afterwards."""
    if seed is not None and kind == "all":
        raise click.UsageError("a seed repeats a campaign of one kind: name its --kind")
    if histories is not None and kind not in ("answers", *_COMPARED):
        raise click.UsageError(
            "only histories of access, its reports, people and activities are counted: add --kind answers, further, reports, people or activities"
        )
    if kind == "answers":
        _compare_answers(minutes, secrets.randbits(32) if seed is None else seed, histories)
        return
    if kind in _COMPARED:
        count = 1 if seed is not None and histories is None else histories
        _compare(kind, _COMPARED[kind](minutes, secrets.randbits(32) if seed is None else seed, histories=count))
        return
    _silence_logs()
    if kind in _ONCE:
        _ONCE[kind](secrets.randbits(16) if seed is None else seed, _Size(events, contacts))
        return
    kinds = [*KINDS, OPERATIONS] if kind == "all" else [kind]
    end = time.monotonic() + minutes * 60
    done = 0
    with temporary_stack(brokers=3, settings=BROKERS) as stack:
        while done == 0 or (seed is None and time.monotonic() < end):
            _run_campaign(stack, kinds[done % len(kinds)], secrets.randbits(32) if seed is None else seed)
            done += 1
    click.echo(f"{done} campaigns, {done * _DISTURBANCES} disturbances, nothing found")


def _compare_answers(minutes: float, first: int, histories: int | None) -> None:
    """Compare the access agent with the oracle and the laws, from a seed on; the first history with a fault ends the program."""
    done = 0
    for seed, broken in campaign(minutes, first, histories=histories):
        if broken:
            sentences = [f"{law}: {sentence}" for law, all_of in broken.items() for sentence in all_of[:3]]
            raise click.ClickException("\n".join([*sentences, f"Repeat it: scripts/faults --kind answers --seed {seed}"]))
        done += 1
    click.echo(f"{done} histories, nothing found")


def _compare(kind: str, histories: Iterator[tuple[int, list[str]]]) -> None:
    """Ask one history after the other; the first that differs from its oracle ends the program."""
    done = 0
    for seed, broken in histories:
        if broken:
            raise click.ClickException("\n".join([*broken[:5], f"Repeat it: scripts/faults --kind {kind} --seed {seed}"]))
        done += 1
    click.echo(f"{done} histories, nothing found")


class _Size(NamedTuple):
    """How large a campaign is; None as it is usually."""

    events: int | None
    contacts: int | None


def _kill_deliveries(seed: int, _: _Size) -> None:
    """Kill `deliver` at twenty moments, with an endpoint that fails half of the time, and look for every event."""
    click.echo(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="webhooks-"))
    with temporary_stack() as stack:
        kafka = KafkaSettings(bootstrap=stack.addresses.kafka)
        kill_campaign(kafka, folder, kills=20, findings=60, each=4, seed=seed, note=click.echo)
    shutil.rmtree(folder)


def _read_again(seed: int, size: _Size) -> None:
    """Lose webhooks of a workspace in every way, read it again, and compare the tables with its truth."""
    contacts = size.contacts or _WORKSPACE
    click.echo(f"seed {seed}: {contacts} contacts")
    started, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="sync-"))
    with temporary_stack() as stack:
        outages = LONG_OUTAGES if contacts >= _LONG_OUTAGES else SHORT_OUTAGES
        campaign = SyncCampaign(
            stack, "sync.", folder, seed, contacts=contacts, changes=max(100, contacts // 20), outages=outages, note=click.echo
        )
        asyncio.run(campaign.run())
    shutil.rmtree(folder)
    click.echo(f"the tables are what is true after {time.monotonic() - started:.0f} s: {campaign}")


def _replay(seed: int, size: _Size) -> None:
    """Replay a long history twice beside live traffic, killed ten times, and compare everything with what was there before."""
    events = size.events or LONG_REPLAY.events
    click.echo(f"seed {seed}: {events} events")
    share = events / LONG_REPLAY.events
    scale = LONG_REPLAY._replace(events=events, rate=LONG_REPLAY.rate * share)
    started, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="replay-"))
    with temporary_stack() as stack:
        figures = asyncio.run(ReplayCampaign(KafkaSettings(bootstrap=stack.addresses.kafka), folder, seed, scale).run())
    shutil.rmtree(folder)
    click.echo(f"{figures}\nnothing found in {time.monotonic() - started:.0f} s")


def _run_long(kind: str, seed: int, _: _Size) -> None:
    """Run the long form of a test of the suite."""
    started, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix=f"{kind}-"))
    click.echo(f"seed {seed}")
    with temporary_stack() as stack:
        kafka = stack.addresses.kafka
        if kind == KILLS:
            settings = KafkaSettings(bootstrap=kafka)
            with test_worker_kill.fleet_of(folder, kafka, "") as workers:
                asyncio.run(test_worker_kill.kills_change_nothing(settings, workers, test_worker_kill.LONG, seed))
        elif kind == REDRIVE:
            poison = test_redrive_after_a_fix
            asyncio.run(poison.poison_is_redriven(KafkaSettings(bootstrap=kafka), seed, poison.LONG))
        else:
            settings = KafkaSettings(bootstrap=kafka, partitions=PARTITIONS)
            with test_continuation_kill.fleet_of(folder, kafka, "", on_disk=bool(seed % 2)) as workers:
                asyncio.run(test_continuation_kill.rows_are_done_once(settings, workers, test_continuation_kill.LONG))
    shutil.rmtree(folder)
    click.echo(f"{kind}: nothing found in {time.monotonic() - started:.0f} s")


def _silence_logs() -> None:
    """Silence the logs: unreachable brokers are expected here."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _run_campaign(stack: LocalStack, kind: str, seed: int) -> None:
    """Run one campaign. Any failure ends the program, prints the command that repeats the campaign, and keeps its logs."""
    started = time.monotonic()
    settings = KafkaSettings(
        bootstrap=stack.addresses.kafka,
        topic_prefix=f"f{secrets.token_hex(4)}.",
        partitions=PARTITIONS,
        replication=3,
        min_insync=2,
    )
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    campaign = (
        OperationsCampaign(settings, folder, seed)
        if kind == OPERATIONS
        else Campaign(settings, folder, kind=KINDS[kind], seed=seed, stack=stack)
    )
    try:
        asyncio.run(campaign.run(_DISTURBANCES))
    except Exception as failure:  # noqa: BLE001  # any failure can be repeated by its seed
        report = str(failure) if isinstance(failure, AssertionError) and str(failure) else traceback.format_exc()
        click.echo(
            f"FOUND: {report}\ndone: {campaign}\nlogs: {folder}\nrepeat: scripts/faults --seed {seed} --kind {kind}", err=True
        )
        sys.exit(1)
    except BaseException:  # Ctrl-C and SIGTERM: the campaign has stopped its workers, the stack stops its brokers
        click.echo(f"broken off in: scripts/faults --seed {seed} --kind {kind}", err=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder)
    click.echo(f"{kind:10} seed {seed:>10}  {time.monotonic() - started:5.0f} s  {campaign}")


def _change_a_policy(_: int, size: _Size) -> None:
    """Change a policy forth and back while a worker is killed."""
    people, started = size.contacts or _PEOPLE, time.monotonic()
    long_run(people)
    click.echo(
        f"the same bytes, and one change per person and direction, over {people} people in {time.monotonic() - started:.0f} s"
    )


_ONCE: Final[Mapping[str, Callable[[int, _Size], None]]] = MappingProxyType(
    {
        "runs": lambda seed, size: two_runs.long_run(seed, size.events or _EVENTS),
        "policy": _change_a_policy,
        "sync": _read_again,
        REPLAY: _replay,
        "webhooks": _kill_deliveries,
        KILLS: partial(_run_long, KILLS),
        CONTINUATION: partial(_run_long, CONTINUATION),
        REDRIVE: partial(_run_long, REDRIVE),
    }
)
"""Kinds that run once, with a seed."""


if __name__ == "__main__":
    main()
