"""Reports of one instant made by two installations: the one where it happened, and one that was restored from its backup and rebuilt its state."""

import asyncio
import json
import time
from pathlib import Path

import msgspec
import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.cloudevents import timestamp
from streams.engine.tables import commit_state
from tests.streams.cli.at_work import APP, at_work, company, happened
from tests.streams.cli.operator import Operator
from tests.streams.ops.rebuild.installed import WorkingWorker, installed, job_of, rebuilt, worker
from tests.support.company import DAY, T0, admin
from tests.support.engines import until

FORMS = ("json", "csv", "pdf")
PARTITIONS = 2


def operator_of(folder: Path, kafka: KafkaSettings, tenant: str | None = None) -> Operator:
    folder.mkdir()
    operator = Operator(folder, kafka)
    if tenant is not None:
        operator.config.write_text(operator.config.read_text().replace(operator.tenant, tenant))
        operator.tenant = tenant
    return operator


async def reports(operator: Operator, first: str, now: str) -> dict[tuple[str, str], bytes]:
    """Return a report of an instant and one of a period in all forms, from files: a worker in this process logs to standard output."""
    made, output = {}, operator.folder / "report"
    for name, scope in {"instant": ("--as-of", now), "period": ("--from", first, "--to", now)}.items():
        for form in FORMS:
            words = ("access", "report", *scope, "--format", form, "--output", str(output), "--tenant", operator.tenant)
            result = await asyncio.to_thread(operator.types, *words)
            assert (result.exit_code, result.exception) == (0, None), result.output
            made[name, form] = output.read_bytes()
    return made


async def succeeds(operator: Operator, *words: str) -> None:
    result = await asyncio.to_thread(operator.types, *words)
    assert result.exit_code == 0, result.output


@pytest.mark.asyncio
async def test_a_report_is_the_same_after_a_restore_and_after_a_rebuild_of_the_state(kafka: str, prefix: str, tmp_path: Path):
    old = operator_of(tmp_path / "old", KafkaSettings(bootstrap=kafka, topic_prefix=f"{prefix}old.", partitions=PARTITIONS))
    new = operator_of(tmp_path / "new", KafkaSettings(bootstrap=kafka, topic_prefix=f"{prefix}new."), old.tenant)
    await topics.apply(old.kafka)
    first = timestamp(time.time_ns() // 1_000_000)
    async with at_work(old.kafka):
        await happened(old, *company())
        await happened(old, msgspec.structs.replace(admin("admin.removed", "7", at=T0 + 2 * DAY), app_id=APP))
    now = timestamp(time.time_ns() // 1_000_000)
    made = await reports(old, first, now)
    assert json.loads(made["period", "json"])["findings"]

    await succeeds(old, "backup", str(tmp_path / "backup"))
    await succeeds(new, "restore", str(tmp_path / "backup"))
    assert await reports(new, first, now) == made

    folder = tmp_path / "worker"
    folder.mkdir()
    kafka_of_new = msgspec.structs.replace(new.kafka, partitions=PARTITIONS)
    async with worker(installed(kafka_of_new, folder)) as working:
        await until(lambda: working.caught_up, "the other installation's worker is ready")
        for _ in range(3):  # again where coverage is renewed meanwhile, as it is each quarter of an hour
            before = rows(working)
            outcome = await rebuilt(job_of(kafka_of_new), "access", swap=True)
            assert outcome.entry.result == "swapped"
            await until(lambda: working.caught_up, "its tables are the rebuilt ones")
            after = rows(working)
            if renewed(after) == renewed(before):
                break
        assert after == before
        assert await reports(new, first, now) == made
    await succeeds(new, "access", "replay-check", "--tenant", new.tenant, "--restored")


def rows(working: WorkingWorker) -> dict[str, bytes]:
    """Return the access agent's rows of this tenant: ticks and renewals of others may come meanwhile."""
    return {key: row for key, row in working.rows("access").items() if key != commit_state.KEY}


def renewed(of: dict[str, bytes]) -> dict[str, int]:
    """Return until when (ms) each source and workspace is evaluated."""
    return {key: msgspec.msgpack.decode(row[1:])["through"] for key, row in of.items() if "|coverage|" in key}
