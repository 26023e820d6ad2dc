"""Kafka is unreachable when the product starts and comes up later: no post that was answered 200 is lost."""

import time

import pytest

from connectors.local import temporary_stack
from tests.e2e.outside import Installation, admin_event

pytestmark = pytest.mark.asyncio


async def test_posts_before_kafka_are_kept_and_the_worker_starts_when_it_comes(tmp_path):
    with temporary_stack() as stack:
        stack.kill_broker(1)
        with Installation(tmp_path, stack.addresses.kafka, "late.") as installed:
            installed.wait_until_ready(installed.ingress)
            body = admin_event("added_to_workspace", number=7, email="early@acme.example", at_s=int(time.time()))
            assert installed.post(body) == 200
            stack.start_broker(1)
            installed.wait_until_ready(installed.worker)
            await installed.wait_for("intercom.admins", lambda record: record.value == body)
            await installed.wait_for("access.violations.json", lambda record: b"early@acme.example" in record.value)
            assert installed.stop() == 0
    log = installed.log.read_text()
    assert "waiting for Kafka; posts are accepted meanwhile and kept in the spool" in log
    assert "early@acme.example" not in log
