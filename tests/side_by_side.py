"""Runs the files of the whole suite side by side, on one broker: most tests wait for brokers, processes and timers.

A run that names files or tests is small, and runs in one process as always; `-n` on the command line decides for any run. A file's
tests stay together and in order, because they share fixtures. The files that take longest come first, so that none of them begins
when everything else has ended.
"""

import os
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from connectors.local import LocalStack
from connectors.local.reaper import Reaper
from tests.patience import PATIENT_CONTROLLER

ROOT: Final = Path(__file__).parents[1]
PROCESSES: Final = 5  # on two cores: a long test computes for a third of its time, and waits for the rest
SLOWEST_FIRST: Final = (
    "tests/test_bench.py",
    "tests/streams/ops/backup/test_restore.py",
    "tests/laws/test_access.py",
    "tests/deploy/test_runbooks.py",
    "tests/streams/ops/backfill/test_shared_limit.py",
    "tests/faults/test_worker_kill.py",
    "tests/laws/test_identity_on_kafka.py",
    "tests/streams/ops/rebuild/test_interrupted.py",
    "tests/faults/sync/test_lossy_workspace.py",
    "tests/e2e/test_activity_retention.py",
    "tests/faults/test_engine_faults.py",
    "tests/streams/engine/recovery/test_standby.py",
    "tests/laws/test_access_oracle.py",
    "tests/streams/ops/rebuild/test_rebuild_on_kafka.py",
    "tests/test_side_by_side.py",
    "tests/faults/test_changelog_faults.py",
    "tests/connectors/local/test_real_stack.py",
    "tests/faults/test_on_disk.py",
    "tests/streams/engine/test_engine.py",
    "tests/faults/test_rolling_upgrade.py",
    "tests/connectors/staff/scim/test_instances.py",
    "tests/faults/test_scim_outage.py",
    "tests/laws/test_profile_oracle.py",
    "tests/streams/ops/rebuild/test_policies.py",
    "tests/e2e/test_scim_in_run.py",
    "tests/streams/ops/rebuild/test_moving_partitions.py",
    "tests/faults/replay/test_campaign.py",
    "tests/streams/cli/verbs/test_replay.py",
    "tests/faults/test_ingress_kill.py",
    "tests/streams/ops/reconcile/test_reconcile.py",
    "tests/laws/test_further_checks.py",
    "tests/streams/ops/deliver/test_deliver_on_kafka.py",
    "tests/streams/cli/verbs/test_trace.py",
    "tests/streams/ops/backfill/test_kill.py",
    "tests/streams/engine/tables/test_rocksdb.py",
    "tests/e2e/test_demo.py",
    "tests/streams/ops/doctor/test_faults.py",
    "tests/laws/test_access_replay.py",
    "tests/faults/test_replay_kill.py",
    "tests/faults/test_continuation_kill.py",
    "tests/streams/engine/test_ownership.py",
    "tests/e2e/test_from_outside.py",
    "tests/faults/activities/test_purge_kill.py",
    "tests/streams/ops/rebuild/test_growth.py",
    "tests/laws/test_identity.py",
    "tests/streams/agents/test_deadlines_on_kafka.py",
    "tests/streams/ops/rebuild/test_release_on_kafka.py",
    "tests/streams/agents/test_access_at_size.py",
    "tests/secured/test_secured_cluster.py",
    "tests/connectors/intercom/ingress/test_server.py",
    "tests/e2e/test_kafka_away.py",
)
"""Files that take long, the longest first; of those that follow each other one mostly computes and the next mostly waits."""

TEST_BY_TEST: Final = frozenset(
    {
        "tests/faults/test_continuation_kill.py",
        "tests/faults/test_engine_faults.py",
        "tests/laws/test_access.py",
        "tests/laws/test_access_oracle.py",
        "tests/laws/test_profile_oracle.py",
        "tests/streams/ops/backfill/test_shared_limit.py",
        "tests/streams/ops/backup/test_restore.py",
        "tests/test_bench.py",
    }
)
"""Files whose tests take long and share nothing: they need not stay together."""

SETTINGS: Final = MappingProxyType({"log.retention.check.interval.ms": "86400000", **PATIENT_CONTROLLER})
"""Of the shared broker. Records of tests have fixed times, long past: every five minutes those of all topics would be deleted, between two reads."""

_NARROWING: Final = ("keyword", "markexpr", "lf", "stepwise", "collectonly", "usepdb")
"""Options by which a run is small, or needs the terminal."""

_STACK: Final = pytest.StashKey[LocalStack]()
_REAPER: Final = pytest.StashKey[Reaper]()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Choose the number of processes before pytest-xdist reads it."""
    options = config.option
    if not config.pluginmanager.hasplugin("xdist") or hasattr(config, "workerinput"):
        return
    if options.numprocesses is None and not options.tx and _is_whole(config):
        options.numprocesses = PROCESSES


def _is_whole(config: pytest.Config) -> bool:
    narrowed = any(config.getoption(name, None) for name in _NARROWING)
    return config.args_source is not pytest.Config.ArgsSource.ARGS and not narrowed


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first where files run side by side."""
    if hasattr(config, "workerinput"):
        places = {ROOT / file: place for place, file in enumerate(SLOWEST_FIRST)}
        items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Give each process one unit after the other, in the order of the collection."""
    config.option.loadscopereorder = False
    return _UnitScheduling(config, log)


class _UnitScheduling(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return what runs in one process together with this test: its file, or the test alone."""
    file = nodeid.partition("::")[0]
    return nodeid if file in TEST_BY_TEST else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Watch over the stack that the processes share; the first of them that needs it starts it."""
    stack = LocalStack.named(f"shared-{os.getpid()}")
    config.stash[_STACK], config.stash[_REAPER] = stack, Reaper(stack, remove=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    node.workerinput |= {"stack": str(node.config.stash[_STACK].home), "controller": os.getpid()}


def pytest_unconfigure(config: pytest.Config) -> None:
    if (reaper := config.stash.get(_REAPER, None)) is not None:
        config.stash[_STACK].down(remove=True)
        reaper.dismiss()


def shared_stack(config: pytest.Config) -> LocalStack | None:
    """Return the running stack of all processes of this run, or None where the run has only one process."""
    run = getattr(config, "workerinput", None)
    if run is None:
        return None
    if os.getppid() != run["controller"]:
        raise RuntimeError("The run has ended, and nobody would stop a stack that is started now.")
    stack = LocalStack(Path(run["stack"]))
    stack.up(settings=SETTINGS)
    return stack
