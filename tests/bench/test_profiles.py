"""The workloads of the profiles benchmark, the work by hand, and the records that the engine without work passes through."""

from collections import Counter
from math import ceil

import msgspec
import pytest

from bench.cluster import Cluster, source_producer
from bench.earlier import earlier_product
from bench.log_sizes import topic_bytes
from bench.options import Options
from bench.product import Deployment, write_config
from bench.profiles.benchmark import _chosen, tenancy
from bench.profiles.persons import last_persons
from bench.profiles.posts import MERGED, ContactHistory
from bench.profiles.prepared import HopWriting, PreparedRecord, load, prepared_hop, save
from bench.profiles.sampled import OTHER, OUTSIDE, Samples
from bench.profiles.stages import stage_table
from bench.profiles.steps import steps_table
from bench.profiles.systems import GOVERNED, SYSTEMS
from bench.profiles.systems.by_hand import contact, encode, person
from bench.profiles.systems.no_work import _share
from bench.profiles.workloads import CONTACTS, WORKLOADS, about_contacts, first_sync, live, replay, routed
from schemas.errors import BadConfiguration
from schemas.message import RecordValue
from schemas.profiles.identity import RULES
from streams.settings import load as load_settings
from streams.settings.identity import identity_rules
from streams.settings.profile_policy import policy_of
from tests.support.oracle import Pipeline


def topics(bodies):
    return Counter(msgspec.json.decode(body)["topic"] for body in bodies)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_is_the_same_at_every_run_and_its_posts_have_about_the_size_they_are_said_to_have(name):
    first, second = WORKLOADS[name].make(400), WORKLOADS[name].make(400)
    assert first == second
    assert len(first.measured) == 400
    sizes = [len(body) for body in first.measured]
    assert 900 <= sum(sizes) / len(sizes) <= 1_300


def test_a_replay_has_ten_events_a_contact_and_a_first_sync_one():
    ten = routed(replay(2_000), tenancy())
    assert 190 <= ten.contacts <= 200
    assert routed(first_sync(300), tenancy()).contacts == 300


def test_a_twentieth_of_live_traffic_is_tags_companies_and_merges():
    counts = topics(live(20_000).measured)
    others = sum(count for topic, count in counts.items() if topic != "contact.user.updated")
    assert 0.04 < others / counts.total() < 0.06
    assert counts.keys() == {
        "contact.user.updated", "contact.user.tag.created", "contact.user.tag.deleted",
        "company.contact.attached", "company.contact.detached", "contact.merged",
    }  # fmt: skip


def test_a_merge_is_two_records_about_contacts_because_it_changes_two_persons():
    history = ContactHistory(1)
    history.saved(1), history.saved(2)
    workload = live(10)
    merged = msgspec.structs.replace(workload, measured=(history.merged(1, 2),))
    assert about_contacts(routed(merged, tenancy()).measured) == 2
    assert history.expected()["contact-00000002"] == MERGED


def persons_by_hand(workload):
    rows, persons = {}, {}
    for record in (*workload.warm_up, *workload.measured):
        if record.topic == CONTACTS:
            row = rows[record.key] = contact(rows.get(record.key), record.key.decode(), msgspec.json.decode(record.value))
            persons[record.key], _ = person(persons.get(record.key), row)
    return {key: encode(value) for key, value in persons.items()}


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_work_by_hand_gives_the_persons_that_follow_from_the_posts(name):
    workload = routed(WORKLOADS[name].make(1_000), tenancy())
    assert last_persons(persons_by_hand(workload).values(), "json") == workload.expected


@pytest.mark.parametrize("name", WORKLOADS)
def test_rules_of_every_kind_leave_the_persons_that_follow_from_the_posts(name, tmp_path):
    deployment = Deployment(0, "127.0.0.1:9092", "", tmp_path)
    governed = load_settings(str(write_config(deployment, tenant=SYSTEMS[GOVERNED].tenant))).tenancy
    tenant, workload = governed.tenants["bench"], WORKLOADS[name].make(400)
    policy = policy_of(tenant.policies.person)
    assert all((policy.priority, policy.sources, policy.fields, policy.deny, policy.hash, policy.select, policy.archive_deleted))
    pipeline = Pipeline(governed)
    pipeline.feed("identity.rules", RecordValue(b"bench", RULES.encode(identity_rules(tenant.identity))))
    pipeline.apply(policy, tenant="bench")
    for body in (*workload.warm_up, *workload.measured):
        pipeline.post(body)
    assert last_persons(pipeline.latest("people").values(), "avro") == workload.expected


def test_a_person_without_its_last_change_is_noticed():
    workload = routed(live(400), tenancy())
    shortened = msgspec.structs.replace(workload, measured=workload.measured[:-1])
    assert last_persons(persons_by_hand(shortened).values(), "json") != workload.expected


def test_a_change_by_hand_names_the_fields_that_differ():
    before, _ = person(None, {"key": "a:1", "at": 1, "name": "Ada", "tags": []})
    after, change = person(before, {"key": "a:1", "at": 2, "name": "Ada", "tags": ["vip"]})
    assert after["sequence"] == 2
    assert change["changes"] == {"at": [1, 2], "tags": [[], ["vip"]]}


def record(key, value=b"v"):
    return PreparedRecord(key, value, (("ce_id", b"1"),))


def test_prepared_records_are_what_an_agent_wrote_without_the_engines_own(tmp_path):
    written = {
        "changelog": [record(b"a"), record(b"a|x"), record(b"|positions"), record(b"b"), record(b"b|y", None)],
        "people": [record(b"a"), record(b"b"), record(b"a")],
        "memberships": [],
    }
    hop = prepared_hop(HopWriting(changelog="changelog", outputs=("people", "memberships"), inputs=2), written)
    assert {kind: [each.key for each in rows] for kind, rows in hop.rows.items()} == {"own": [b"a", b"b"], "item": [b"a|x"]}
    assert hop.per_input == {"people": 1.5}
    save({"people": hop}, tmp_path / "prepared")
    assert load(tmp_path / "prepared") == {"people": hop}


def test_prepared_records_are_from_the_whole_run_because_its_beginning_is_not_like_the_rest():
    written = [record(b"%d" % number) for number in range(10_000)]
    hop = prepared_hop(
        HopWriting(changelog="changelog", outputs=("people",), inputs=10_000), {"changelog": [], "people": written}
    )
    assert [each.key for each in hop.outputs["people"]] == [b"%d" % number for number in range(0, 10_000, 5)]
    assert hop.per_input == {"people": 1}


@pytest.mark.parametrize("rate", [0, 0.015, 1, 1.5])
def test_inputs_get_as_many_records_as_there_were_on_average_and_the_same_ones_when_run_again(rate):
    sent = [list(_share(range(7), rate, number)) for number in range(1_000)]
    assert sum(map(len, sent)) == ceil(rate * 1_000)
    assert sent == [list(_share(range(7), rate, number)) for number in range(1_000)]


def test_the_cpu_time_of_a_record_is_divided_as_the_samples_are():
    counts = {"people/streams.core.profiles": 6, f"{OUTSIDE}/aiokafka": 3, f"{OUTSIDE}/{OTHER}": 1}
    table = stage_table("where", Samples(cpu_s=0.002, records=10, counts=counts))
    assert table.columns == ("all", "people", OUTSIDE)
    figures = {row.name: [cell.median for cell in row.cells] for row in table.rows}
    assert figures == {
        "all": pytest.approx([200, 120, 80]),
        "streams.core.profiles": pytest.approx([120, 120, 0]),
        "aiokafka": pytest.approx([60, 0, 60]),
        "the rest": pytest.approx([20, 0, 20]),
    }


def test_the_cost_of_the_steps_is_that_of_every_agent_an_event_goes_through():
    of = tenancy()
    [row] = steps_table(of, {"live": routed(live(80), of)}, 1, quick=True).rows
    total, *by_agent = [cell.median for cell in row.cells]
    contacts, people, *_ = by_agent
    assert contacts > 0
    assert people > 0
    assert total == pytest.approx(sum(by_agent))


def test_the_million_contacts_are_measured_only_where_they_are_asked_for():
    assert _chosen(Options()) == ((*SYSTEMS, "stages", "steps", "peak", "large_person"), tuple(WORKLOADS))
    assert _chosen(Options(only=("million_on_disk",)))[0] == ("million_on_disk",)
    assert _chosen(Options(only=("live", "ours"))) == (("ours",), ("live",))
    with pytest.raises(BadConfiguration, match="peek"):
        _chosen(Options(only=("peek",)))


def test_a_commit_that_the_checkout_does_not_have_is_left_out_and_the_reason_printed(capsys):
    assert earlier_product("0" * 40) is None
    assert "is left out: this checkout does not have it" in capsys.readouterr().err


def test_the_bytes_of_a_topic_are_those_on_the_brokers_disk(kafka, prefix):
    cluster = Cluster(kafka, prefix)
    topic = cluster.prefixed("sized")
    cluster.create({topic: {}}, 2)
    assert topic_bytes(cluster.brokers())[topic] == 0
    producer = source_producer(kafka)
    for number in range(100):
        producer.produce(topic, b"x" * 1_000, partition=number % 2)
    producer.flush()
    assert 100_000 <= topic_bytes(cluster.brokers())[topic] <= 110_000
    cluster.delete([topic])
