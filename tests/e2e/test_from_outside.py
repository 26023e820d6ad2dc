"""What a person gets who has nothing but the command line, HTTP and a Kafka client."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.outside import APP_ID, Installation, admin_event

pytestmark = pytest.mark.asyncio
OPENED, CLOSED = 1, 3


@pytest.fixture(scope="module")
def installed(kafka, tmp_path_factory):
    with Installation(tmp_path_factory.mktemp("outside"), kafka, f"e{time.time_ns()}.") as installation:
        installation.until_ready(installation.ingress)
        installation.until_ready(installation.worker)
        yield installation
        assert installation.stop() == 0


def finding(check, activity, account):
    def wanted(record):
        value = json.loads(record.value)
        told = value["unmapped"]
        return (told["check"], value["activity_id"], told.get("account")) == (check, activity, account)

    return wanted


async def test_a_teammate_nobody_knows_is_a_violation_until_removed(installed):
    now = int(time.time())
    assert installed.post(admin_event("added_to_workspace", number=501, email="who@acme.example", at_s=now - 60)) == 200
    opened = json.loads((await installed.until("access.violations.json", finding("C1", OPENED, "501"))).value)
    assert opened["compliance"]["status_id"] == 3
    assert installed.post(admin_event("removed_from_workspace", number=501, email="who@acme.example", at_s=now)) == 200
    closed = json.loads((await installed.until("access.violations.json", finding("C1", CLOSED, "501"))).value)
    assert closed["finding_info"]["uid"] == opened["finding_info"]["uid"]
    assert closed["metadata"]["sequence"] > opened["metadata"]["sequence"]


async def test_somebody_who_left_yesterday_and_still_has_access_is_a_violation_with_evidence(installed):
    added = admin_event("added_to_workspace", number=502, email="left@acme.example", at_s=int(time.time()) - 60)
    assert installed.post(added) == 200
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    staff = installed.folder / "staff.csv"
    staff.write_text(f"id,name,email,roles,end\n7,Somebody,left@acme.example,agent,{yesterday}\n")
    done = installed.run("staff", "import", str(staff), "--tenant", "acme")
    assert done.returncode == 0, done.stderr
    opened = json.loads((await installed.until("access.violations.json", finding("C2", OPENED, "502"))).value)
    cited = [evidence["data"] for evidence in opened["evidences"]]
    (webhook,) = [each for each in cited if each.get("topic") == "intercom.admins"]
    body = await installed.value_at("intercom.admins", webhook["partition"], webhook["offset"])
    assert body == added
    assert webhook["sha256"] == hashlib.sha256(added).hexdigest()
    (row,) = [each for each in cited if each.get("file")]
    assert (row["file"], row["line"]) == ("staff.csv", 2)


async def test_a_policy_closes_what_its_absence_opened(installed):
    assert installed.post(admin_event("added_to_workspace", number=503, email="p@acme.example", at_s=int(time.time()))) == 200
    await installed.until("access.violations.json", finding("C3", OPENED, None))
    policy = installed.folder / "policy.toml"
    policy.write_text(f'tenant = "acme"\n[[rules]]\napp_id = "{APP_ID}"\nvalidity = "all_staff"\n')
    done = installed.run("policy", "apply", str(policy))
    assert done.returncode == 0, done.stderr
    await installed.until("access.violations.json", finding("C3", CLOSED, None))


async def test_a_post_is_kept_byte_for_byte_under_either_secret(installed):
    body = admin_event("away_mode_updated", number=504, email="a@acme.example", at_s=int(time.time()))
    assert installed.post(body, secret="older-secret") == 200
    record = await installed.until("intercom.admins", lambda record: record.value == body)
    assert record.key == APP_ID.encode()


async def test_a_wrong_signature_is_refused(installed):
    assert installed.post(b"{}", secret="nobody's") == 401


async def test_an_authentic_post_of_an_unknown_workspace_is_kept_aside(installed):
    body = admin_event("added_to_workspace", number=505, email="s@else.example", at_s=int(time.time()), app_id="stranger1")
    assert installed.post(body) == 200
    assert (await installed.until("intercom.other", lambda record: record.value == body)).key.startswith(b"stranger1:")


async def test_tail_shows_violations_as_json(installed):
    assert installed.post(admin_event("added_to_workspace", number=506, email="t@acme.example", at_s=int(time.time()))) == 200
    await installed.until("access.violations.json", finding("C1", OPENED, "506"))
    shown = [line["value"] for line in installed.seen("access.violations")]
    assert "506" in {value["unmapped"]["account"] for value in shown}
