"""Kafka stops answering under a SCIM server: every request is answered 503, nothing is half written, and afterwards all is there."""

import asyncio
import contextlib

import httpx
import pytest

from connectors.local import LocalStack
from connectors.local import temporary_stack as running_stack
from tests.patience import DEADLINE_S
from tests.support.scim.bodies import GROUP_SCHEMA, patch, user
from tests.support.scim.running import answered, client, facts_in_log, make_fact_log, scim_config, scim_server


@pytest.fixture(scope="module")
def stack():
    """A broker that only this module uses and stops."""
    with running_stack() as stack:
        yield stack


@contextlib.contextmanager
def paused(stack: LocalStack):
    """Freeze the broker: connections stay open without responses, as when a machine hangs."""
    stack.pause_broker(1)
    try:
        yield
    finally:
        stack.resume_broker(1)


@contextlib.contextmanager
def down(stack: LocalStack):
    """Kill the broker and restart it on its data."""
    stack.kill_broker(1)
    try:
        yield
    finally:
        stack.start_broker(1)


@pytest.mark.parametrize("outage", [paused, down])
def test_without_kafka_requests_are_answered_503_and_afterwards_all_of_a_write_is_there_or_nothing(
    stack, prefix, tmp_path, outage
):
    bootstrap = stack.addresses.kafka
    asyncio.run(make_fact_log(bootstrap, prefix))
    with scim_server(scim_config(tmp_path, bootstrap, prefix)) as server, client(server) as http:
        server.wait_until_ready()
        ids = [http.post("/Users", json=user(name)).json()["id"] for name in ("a", "b")]
        group = {"schemas": [GROUP_SCHEMA], "displayName": "g", "members": [{"value": id_} for id_ in ids]}
        with outage(stack):
            answers = [
                http.post("/Groups", json=group),
                http.get(f"/Users/{ids[0]}"),
                http.patch(f"/Users/{ids[0]}", json=patch({"op": "replace", "path": "active", "value": False})),
                http.delete(f"/Users/{ids[0]}"),
            ]
            ready = httpx.get(f"{server.root}/ready", timeout=DEADLINE_S)
        for answer in answers:
            assert (answer.status_code, answer.headers["retry-after"], answer.json()["status"]) == (503, "5", "503")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert answered(lambda: http.get(f"/Users/{ids[0]}")) in (200, 404)
        assert answered(lambda: http.post("/Users", json=user("c"))) == 201
        found = http.get("/Groups").json().get("Resources", [])
        assert [len(each["members"]) for each in found] in ([], [2], [1])  # 1: its other member is deleted
    kinds = [fact.kind for fact in asyncio.run(facts_in_log(bootstrap, prefix))]
    assert kinds.count("staff.group") in (0, 1)
    assert kinds.count("staff.record") - 3 - 2 * kinds.count("staff.group") in (0, 1, 2)  # the change and the deletion
