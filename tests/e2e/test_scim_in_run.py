"""An identity provider provisions people into `run`, while its SCIM process, its worker and Kafka are lost one after the other."""

import contextlib
import time

import httpx
import pytest

from connectors.local import temporary_stack
from tests.e2e.outside import DEADLINE_S, Installation, admin_event
from tests.support.scim.bodies import GROUP_SCHEMA, patch, user

pytestmark = pytest.mark.asyncio

TOKEN = "the-token-of-the-provider"
LEFT = patch({"op": "replace", "path": "active", "value": False})


class Provider:
    """A client that asks again after 503, or while nobody listens, as a provider does."""

    def __init__(self, installed):
        self.installed = installed
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{installed.scim}/scim/v2",
            headers={"authorization": f"Bearer {TOKEN}"},
            timeout=DEADLINE_S,
        )

    def once(self, method, path, body=None, **headers):
        return self.http.request(method, path, json=body, headers=headers)

    def ask(self, method, path, body=None):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if (answer := self.once(method, path, body)).status_code != 503:
                    return answer
                assert answer.headers["retry-after"]
            time.sleep(0.1)
        raise AssertionError(self.installed.log.read_text()[-4000:])


def opened(check, address):
    return lambda record: (
        f'"check":"{check}"'.encode() in record.value and b'"Create"' in record.value and address.encode() in record.value
    )


async def provision(installed, stack, provider):
    """Create three people, let one after the other leave, and lose a process, or Kafka, before each but the first."""
    ids = {}
    for number, name in enumerate(("ada", "bob", "cyd"), start=7):
        teammate = admin_event("added_to_workspace", number=number, email=f"{name}@acme.example", at_s=int(time.time()))
        assert installed.post(teammate) == 200
        created = provider.ask("POST", "/Users", user(f"{name}@acme.example"))
        assert created.status_code == 201
        ids[name] = created.json()["id"]

    assert provider.ask("PATCH", f"/Users/{ids['ada']}", LEFT).status_code == 204
    await installed.wait_for("access.violations.json", opened("C2", "ada@acme.example"))
    before = provider.ask("GET", f"/Users/{ids['ada']}")

    installed.kill("scim")
    after = provider.ask("GET", f"/Users/{ids['ada']}")
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"]), (
        "the process has no memory of its own"
    )

    installed.kill("worker")
    assert provider.once("PATCH", f"/Users/{ids['bob']}", LEFT).status_code == 204, "a write needs no worker"
    await installed.wait_for("access.violations.json", opened("C2", "bob@acme.example"))

    group = {"schemas": [GROUP_SCHEMA], "displayName": "Support", "members": [{"value": ids["bob"]}, {"value": ids["cyd"]}]}
    stack.kill_broker(1)
    refused = [
        provider.once("PATCH", f"/Users/{ids['cyd']}", LEFT),
        provider.once("POST", "/Groups", group),
        provider.once("GET", f"/Users/{ids['cyd']}"),
    ]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in refused] == [(503, "5")] * 3
    stack.start_broker(1)
    found = provider.ask("GET", "/Groups").json().get("Resources", [])
    assert [len(each["members"]) for each in found] in ([], [2]), "a write that was answered 503 is there whole, or not at all"
    assert provider.ask("PATCH", f"/Users/{ids['cyd']}", LEFT).status_code == 204
    await installed.wait_for("access.violations.json", opened("C2", "cyd@acme.example"))


async def test_people_are_provisioned_while_scim_worker_and_kafka_are_lost_one_after_the_other(tmp_path):
    with temporary_stack() as stack, Installation(tmp_path, stack.addresses.kafka, "scim.", scim_token=TOKEN) as installed:
        for port in (installed.ingress, installed.worker, installed.scim):
            installed.wait_until_ready(port)
        provider = Provider(installed)
        with provider.http:
            await provision(installed, stack, provider)
        assert installed.stop() == 0
    log = installed.log.read_text()
    assert "scim      | ended (killed by SIGKILL); starts again in" in log
    assert "worker-1  | ended (killed by SIGKILL); starts again in" in log
    assert "acme.example" not in log
    assert TOKEN not in log
