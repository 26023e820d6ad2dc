"""Processes come and go: what was answered is in the log once and is served by every instance, with the same ids and versions."""

import asyncio
import concurrent.futures
import time

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import TOPIC
from schemas.partition import partition_of
from tests.patience import DEADLINE_S
from tests.support.scim.bodies import GROUP_SCHEMA, patch, user
from tests.support.scim.running import OTHER_TOKEN, answered, client, facts_in_log, make_fact_log, scim_config, scim_server


@pytest.fixture
def config(kafka, prefix, tmp_path):
    asyncio.run(make_fact_log(kafka, prefix))
    return scim_config(tmp_path, kafka, prefix)


def everything(http):
    """Return all resources with their versions, without the address of the server."""
    listings = [http.get(path).json() for path in ("/Users", "/Groups")]
    return [
        [(each["id"], each["meta"]["version"], each["meta"]["created"], each["meta"]["lastModified"], each.get("userName")) for each in listing["Resources"]]
        for listing in listings
    ]  # fmt: skip


def test_after_a_kill_another_process_serves_the_same_ids_and_versions(config):
    with scim_server(config) as server:
        server.wait_until_ready()
        with client(server) as http:
            ids = [http.post("/Users", json=user(f"user{number}")).json()["id"] for number in range(3)]
            members = [{"value": id_} for id_ in ids]
            http.post("/Groups", json={"schemas": [GROUP_SCHEMA], "displayName": "g", "members": members})
            http.patch(f"/Users/{ids[0]}", json=patch({"op": "replace", "path": "active", "value": False}))
            http.delete(f"/Users/{ids[1]}")
            before = everything(http)
        server.kill()
    with scim_server(config) as server:
        server.wait_until_ready()
        with client(server) as http:
            assert everything(http) == before
            tag = before[0][0][1]
            assert http.get(f"/Users/{ids[0]}", headers={"if-none-match": tag}).status_code == 304
            assert (
                http.patch(f"/Users/{ids[0]}", json=patch({"op": "replace", "path": "active", "value": True})).status_code == 204
            )
        assert server.stop() == 0


def test_two_instances_never_contradict_each_other(config, kafka, prefix):
    """Each write goes to one and is read back at once from the other; writes of one user at a time are all in the result."""
    with scim_server(config) as one, scim_server(config) as two:
        one.wait_until_ready()
        two.wait_until_ready()
        with client(one) as first, client(two) as second:
            for number in range(10):
                writer, reader = (first, second) if number % 2 else (second, first)
                created = writer.post("/Users", json=user(f"user{number}"))
                assert created.status_code == 201
                id_ = created.json()["id"]
                assert reader.get(f"/Users/{id_}").headers["etag"] == created.headers["etag"]
                found = reader.get("/Users", params={"filter": f'userName eq "user{number}"'}).json()
                assert [each["id"] for each in found["Resources"]] == [id_]
                assert reader.post("/Users", json=user(f"USER{number}")).status_code == 409
            assert everything(first) == everything(second)
    facts = asyncio.run(facts_in_log(kafka, prefix))
    assert len({fact.id for fact in facts}) == len(facts) == 10


def test_writes_at_one_time_to_two_instances_are_all_done_or_refused(config, kafka, prefix):
    with scim_server(config) as one, scim_server(config) as two:
        one.wait_until_ready()
        two.wait_until_ready()
        with client(one) as first, client(two) as second:
            ids = [first.post("/Users", json=user(f"user{number}")).json()["id"] for number in range(12)]
            group = first.post("/Groups", json={"schemas": [GROUP_SCHEMA], "displayName": "g"}).json()["id"]

            def join(number):
                http = (first, second)[number % 2]
                operation = {"op": "add", "path": "members", "value": [{"value": ids[number]}]}
                return answered(lambda: http.patch(f"/Groups/{group}", json=patch(operation)))

            def create(number):
                return answered(lambda: (first, second)[number % 2].post("/Users", json=user("the-same")))

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                assert set(pool.map(join, range(12))) == {204}
                statuses = list(pool.map(create, range(8)))
            assert (statuses.count(201), statuses.count(409)) == (1, 7)
            for http in (first, second):
                members = http.get(f"/Groups/{group}").json()["members"]
                assert {member["value"] for member in members} == set(ids)
    facts = asyncio.run(facts_in_log(kafka, prefix))
    assert len([fact for fact in facts if fact.kind == "staff.record"]) == 12 + 12 + 1


def test_a_kill_at_any_moment_loses_nothing_that_was_answered_and_leaves_nothing_half_written(config, kafka, prefix):
    """A group of several members is one write: after a kill in it all of them are in it, or none is."""
    known: set[str] = set()
    for delay in (0.0, 0.02, 0.05):
        with scim_server(config) as server:
            server.wait_until_ready()
            with client(server) as http, concurrent.futures.ThreadPoolExecutor(1) as pool:
                assert known <= {each["userName"] for each in http.get("/Users").json().get("Resources", [])}
                users = [http.post("/Users", json=user(f"user{delay}{number}")).json() for number in range(5)]
                known |= {each["userName"] for each in users}
                body = {
                    "schemas": [GROUP_SCHEMA],
                    "displayName": f"g{delay}",
                    "members": [{"value": each["id"]} for each in users],
                }
                writing = pool.submit(http.post, "/Groups", json=body)
                time.sleep(delay)
                server.kill()
                written = writing.exception() is None and writing.result().status_code == 201
    facts = asyncio.run(facts_in_log(kafka, prefix))
    with scim_server(config) as server:
        server.wait_until_ready()
        with client(server) as http:
            groups = http.get("/Groups").json().get("Resources", [])
            assert {len(group["members"]) for group in groups} <= {5}
            assert {each["userName"] for each in http.get("/Users").json()["Resources"]} == known
            assert not written or f"g{delay}" in {group["displayName"] for group in groups}
    assert len(facts) == len(known) + 6 * len(groups)


def test_an_open_transaction_of_another_program_makes_no_answer_wrong(config, kafka, prefix):
    """What is committed behind it cannot be read yet: a write waits for it, and is not answered before it reads back."""
    partition = partition_of(b"acme", 2)
    with scim_server(config) as server:
        server.wait_until_ready()
        with client(server) as http, concurrent.futures.ThreadPoolExecutor(1) as pool:

            async def hold(seconds):
                settings = KafkaSettings(bootstrap=kafka)
                other = AIOKafkaProducer(**settings.client(), transactional_id=f"{prefix}other")
                async with other, other.transaction():
                    await other.send_and_wait(f"{prefix}{TOPIC}", b"x", key=b"nobody", partition=partition)
                    writing = pool.submit(http.post, "/Users", json=user())
                    await asyncio.sleep(seconds)
                    assert not writing.done()
                return writing

            assert asyncio.run(hold(1.5)).result().status_code == 201


def test_a_server_that_starts_before_kafka_answers_503_until_it_is_there(tmp_path):
    with scim_server(scim_config(tmp_path, "127.0.0.1:1", "x.")) as server, client(server) as http:
        answer = http.get("/Users")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert http.get("/ServiceProviderConfig").status_code == 200
        assert httpx.get(f"{server.root}/health", timeout=DEADLINE_S).status_code == 200
        assert server.stop() == 0


def test_facts_of_other_programs_in_its_name_are_no_resources(config, kafka, prefix):
    """The log is public: a record whose headers name the source and whose value is none of its facts is skipped."""

    async def forge():
        headers = [("ce_type", b"access.fact.staff.record.v1"), ("ce_source", b"/access/acme/scim:okta")]
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            for value in (b"", b"garbage", None):
                await producer.send_and_wait(
                    f"{prefix}{TOPIC}", value, key=b"acme", headers=headers, partition=partition_of(b"acme", 2)
                )

    asyncio.run(forge())
    with scim_server(config) as server:
        server.wait_until_ready()
        with client(server) as http, client(server, OTHER_TOKEN) as other:
            assert http.get("/Users").json()["totalResults"] == 0
            assert http.post("/Users", json=user()).status_code == 201
            assert other.get("/Users").json()["totalResults"] == 0
