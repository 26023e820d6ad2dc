"""What a user gets who has only the command line, HTTP and a Kafka client."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer

from schemas.codec import Avro
from tests.e2e.outside import APP_ID, ROOT, Installation, admin_event
from tests.test_documents import records_producer

pytestmark = pytest.mark.asyncio
OPENED, CLOSED = 1, 3


@pytest.fixture(scope="module")
def installed(kafka, tmp_path_factory):
    with Installation(tmp_path_factory.mktemp("outside"), kafka, f"e{time.time_ns()}.") as installation:
        installation.wait_until_ready(installation.ingress)
        installation.wait_until_ready(installation.worker)
        yield installation
        assert installation.stop() == 0


def is_finding(check, activity, account):
    def is_wanted(record):
        value = json.loads(record.value)
        details = value["unmapped"]
        return (details["check"], value["activity_id"], details.get("account")) == (check, activity, account)

    return is_wanted


async def test_a_teammate_nobody_knows_is_a_violation_until_removed(installed):
    now = int(time.time())
    assert installed.post(admin_event("added_to_workspace", number=501, email="who@acme.example", at_s=now - 60)) == 200
    opened = json.loads((await installed.wait_for("access.violations.json", is_finding("C1", OPENED, "501"))).value)
    assert opened["compliance"]["status_id"] == 3
    assert installed.post(admin_event("removed_from_workspace", number=501, email="who@acme.example", at_s=now)) == 200
    closed = json.loads((await installed.wait_for("access.violations.json", is_finding("C1", CLOSED, "501"))).value)
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
    opened = json.loads((await installed.wait_for("access.violations.json", is_finding("C2", OPENED, "502"))).value)
    cited = [evidence["data"] for evidence in opened["evidences"]]
    (webhook,) = [each for each in cited if each.get("topic") == "intercom.admins"]
    body = await installed.value_at("intercom.admins", webhook["partition"], webhook["offset"])
    assert body == added
    assert webhook["sha256"] == hashlib.sha256(added).hexdigest()
    (row,) = [each for each in cited if each.get("file")]
    assert (row["file"], row["line"]) == ("staff.csv", 2)


async def test_a_policy_closes_what_its_absence_opened(installed):
    assert installed.post(admin_event("added_to_workspace", number=503, email="p@acme.example", at_s=int(time.time()))) == 200
    await installed.wait_for("access.violations.json", is_finding("C3", OPENED, None))
    policy = installed.folder / "policy.toml"
    policy.write_text(f'tenant = "acme"\n[[rules]]\napp_id = "{APP_ID}"\nvalidity = "all_staff"\n')
    done = installed.run("policy", "apply", str(policy))
    assert done.returncode == 0, done.stderr
    await installed.wait_for("access.violations.json", is_finding("C3", CLOSED, None))


async def test_a_post_is_kept_byte_for_byte_under_either_secret(installed):
    body = admin_event("away_mode_updated", number=504, email="a@acme.example", at_s=int(time.time()))
    assert installed.post(body, secret="older-secret") == 200
    record = await installed.wait_for("intercom.admins", lambda record: record.value == body)
    assert record.key == APP_ID.encode()


async def test_a_wrong_signature_is_refused(installed):
    assert installed.post(b"{}", secret="nobody's") == 401


async def test_an_authentic_post_of_an_unknown_workspace_is_kept_aside(installed):
    body = admin_event("added_to_workspace", number=505, email="s@else.example", at_s=int(time.time()), app_id="stranger1")
    assert installed.post(body) == 200
    assert (await installed.wait_for("intercom.other", lambda record: record.value == body)).key.startswith(b"stranger1:")


async def test_tail_shows_violations_as_json(installed):
    assert installed.post(admin_event("added_to_workspace", number=506, email="t@acme.example", at_s=int(time.time()))) == 200
    await installed.wait_for("access.violations.json", is_finding("C1", OPENED, "506"))
    violations = [line["value"] for line in installed.tail("access.violations")]
    assert "506" in {value["unmapped"]["account"] for value in violations}


async def test_send_posts_the_exact_bytes_of_each_file_and_says_what_was_answered(installed):
    bodies = {
        "odd.json": b'{"app_id": "out12345", "topic": "ping",\n "topic": "ping", "n": 123456789012345678901234567890}',
        "latin1.json": b'{"name": "caf\xe9"}',
        "text.txt": b"no JSON at all",
    }
    for name, body in bodies.items():
        (installed.folder / name).write_bytes(body)
    files = [str(installed.folder / name) for name in bodies]
    done = installed.run("send", "--json", *files)
    assert done.returncode == 0, done.stdout
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == [200, 200, 200]
    for body in bodies.values():
        await installed.wait_for("intercom.other", lambda record, body=body: record.value == body)


async def test_send_with_a_wrong_secret_says_so_and_fails(installed):
    (installed.folder / "body.json").write_bytes(b"{}")
    done = installed.run("send", "--secret", "nobody's", str(installed.folder / "body.json"))
    assert done.returncode == 1
    assert done.stdout.startswith("401")
    assert "no live secret" in done.stdout


async def test_a_health_check_has_its_own_signature_and_path(installed):
    (installed.folder / "check.json").write_bytes(b'{"topic": "health_check"}')
    done = installed.run("send", "--callback", str(installed.folder / "check.json"))
    assert (done.returncode, done.stdout[:3]) == (0, "200"), done.stdout + done.stderr


async def test_a_simulated_company_is_right_in_whatever_order_it_arrives(installed):
    done = installed.run("simulate", "--scenario", "disorder", "--rate", "500")
    assert done.returncode == 0, done.stderr
    jon = "jon.grau@acme.example"
    await installed.wait_for("access.violations.json", lambda record: is_closed(record, "C2", jon))
    people = {line["key"]: line["value"] for line in installed.tail("people")}
    assert len(people) == 12
    assert sorted(person["status"] for person in people.values()) == ["active"] * 10 + ["archived", "deleted"]
    moved = [person for person in people.values() if len(person["companies"]) == 2]
    assert len(moved) == 1


def is_closed(record, check, who):
    value = json.loads(record.value)
    return value["activity_id"] == CLOSED and value["unmapped"]["check"] == check and who in value["message"]


async def test_a_fact_of_an_unknown_schema_goes_to_dead_letters_untouched_and_the_next_is_processed(installed):
    unknown = b"\x00\x00\x00\x00\x4d" + b"\xff of another registry"
    async with AIOKafkaProducer(bootstrap_servers=installed.kafka) as producer:
        await producer.send_and_wait(f"{installed.prefix}access.facts", unknown, key=b"acme")
    dead_letter = await installed.wait_for("dead.letters", lambda record: record.value == unknown)
    headers = {name: value.decode() for name, value in dead_letter.headers}
    assert (headers["dl_topic"], headers["dl_agent"]) == ("access.facts", "access")
    assert "schema id 77 is unknown" in headers["dl_reason"]
    now = int(time.time())
    assert installed.post(admin_event("added_to_workspace", number=577, email="next@acme.example", at_s=now)) == 200
    await installed.wait_for("access.violations.json", is_finding("C1", OPENED, "577"))


async def test_the_producer_of_the_readme_adds_a_record_wherever_its_partitioner_puts_it(installed):
    """librdkafka's own partitioner puts most of these keys elsewhere; each gets to its person."""
    program = records_producer().replace('"person.records"', json.dumps(f"{installed.prefix}person.records"))
    environment = {**os.environ, "KAFKA_BOOTSTRAP": installed.kafka}
    for id_ in ("003-17", "1", "2", "3"):
        changed = program.replace("003-17", id_).replace("ada@", f"ada{id_}@")
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", changed], env=environment, check=True, cwd=ROOT)
    avro = Avro.local()
    for id_ in ("003-17", "1", "2", "3"):
        person = await installed.wait_for("people", lambda record, id_=id_: named(avro, record, f"crm:{id_}"))
        value = avro.decode(person.value)[1]
        assert (value["email"], value["attributes"], value["companies"]) == (
            f"ada{id_}@example.com",
            {"tier": '"gold"'},
            ["crm:001-4"],
        )


def named(avro, record, key):
    return record.value is not None and key in [each["key"] for each in avro.decode(record.value)[1]["records"]]
