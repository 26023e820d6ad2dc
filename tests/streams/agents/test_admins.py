"""Posts about teammates become facts: what each means, and what becomes none."""

import json
from typing import Any

import pytest

from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.canonical import digest
from schemas.errors import InvalidRecord
from schemas.message import RecordValue, header
from schemas.tenancy import Tenancy, Tenant, Workspace
from streams.agents.admins import ROW, TOPIC, admins
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable, SentRecord
from tests.support.company import AVRO

TENANCY = Tenancy.of((), [Tenant(id="acme", workspaces=(Workspace(app_id="ws1", app="support"),))])
ADMIN = {
    "type": "admin", "id": 1234567, "name": "Jo Lind", "email": "jo@acme.example", "has_inbox_seat": True, "team_ids": [9],
    "away_mode_enabled": False,
}  # fmt: skip


class Agent:
    def __init__(self) -> None:
        self.agent = admins(TENANCY, AVRO)
        self.table = MemoryTable(ROW)
        self.bodies: list[bytes] = []

    def facts(self, *posts: dict[str, Any]) -> list[Fact]:
        return [fact_records.decode(AVRO, sent.value) for sent in self.sends(*posts)]

    def sends(self, *posts: dict[str, Any]) -> list[SentRecord]:
        self.bodies = [json.dumps(post).encode() for post in posts]
        records = [
            RecordValue(b"ws1", body, [("traceparent", b"00-1-2-01")], offset) for offset, body in enumerate(self.bodies, 40)
        ]
        return self.steps(*records)

    def steps(self, *records: RecordValue) -> list[SentRecord]:
        out = ListOutbox()
        self.agent.step(Batch(TOPIC, 3, list(records)), self.table, out)
        self.table.commit()
        return out.sent


def post(topic: str, item: dict[str, Any] | None = None, *, at: int = 1_768_000_000, id_: str | None = None) -> dict[str, Any]:
    return {
        "type": "notification_event", "app_id": "ws1", "id": id_ or f"notif_{topic}_{at}", "topic": topic, "created_at": at,
        "data": {"type": "notification_event_data", "item": ADMIN if item is None else item},
    }  # fmt: skip


def logged(type_: str, *, at: int = 1_768_000_000, by: str = "1234567", **more: Any) -> dict[str, Any]:
    item = {
        "type": "admin_activity_log_event", "id": f"log-{type_}-{at}", "activity_type": type_, "created_at": at,
        "performed_by": {"type": "admin", "id": by, "email": "jo@acme.example", "ip": "203.0.113.9"},
        "metadata": {"b": 1, "a": None}, "activity_description": "did something", **more,
    }  # fmt: skip
    return post("admin.activity_log_event.created", item, at=at)


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("admin.added_to_workspace", "admin.added"),
        ("admin.removed_from_workspace", "admin.removed"),
        ("admin.away_mode_updated", "admin.seen"),
        ("admin.logged_in", "admin.logged_in"),
        ("admin.logged_out", "admin.logged_out"),
        ("admin.of_a_later_version", "admin.seen"),
    ],
)
def test_each_topic_has_its_kind(topic: str, kind: str):
    (fact,) = Agent().facts(post(topic))
    assert (fact.kind, fact.tenant, fact.app_id, fact.account, fact.time) == (kind, "acme", "ws1", "1234567", 1_768_000_000_000)


def test_a_fact_carries_what_the_payload_carries_and_asserts_no_role():
    (fact,) = Agent().facts(post("admin.added_to_workspace"))
    assert fact.admin is not None
    assert (fact.admin.role_name, fact.admin.has_inbox_seat, fact.admin.team_ids) == (None, True, ("9",))
    assert fact.person is not None
    assert (fact.person.name, fact.person.addresses) == ("Jo Lind", ("jo@acme.example",))


def test_a_role_is_taken_where_it_is_there():
    (fact,) = Agent().facts(post("admin.added_to_workspace", {**ADMIN, "role": {"type": "role", "id": 5, "name": "Agent"}}))
    assert fact.admin is not None
    assert (fact.admin.role_id, fact.admin.role_name) == ("5", "Agent")


def test_the_evidence_is_the_post_itself():
    agent = Agent()
    (fact,) = agent.facts(post("admin.added_to_workspace", id_="notif_1"))
    (evidence,) = fact.evidence
    assert (evidence.topic, evidence.partition, evidence.offset, evidence.id) == (TOPIC, 3, 40, "notif_1")
    assert evidence.sha256 == digest(agent.bodies[0])


def test_a_fact_is_keyed_by_tenant_and_names_the_post_it_follows_from():
    (sent,) = Agent().sends(post("admin.added_to_workspace", id_="notif_1"))
    assert (sent.topic, sent.key) == ("access.facts", b"acme")
    assert header(sent.headers, "ce_causationid") == "notif_1"
    assert header(sent.headers, "traceparent") == "00-1-2-01"


def test_a_post_delivered_twice_or_replayed_becomes_one_fact():
    agent = Agent()
    added, removed = post("admin.added_to_workspace"), post("admin.removed_from_workspace", at=1_768_000_100)
    assert len(agent.facts(added, added, removed)) == 2
    assert agent.facts(added, removed) == []


def test_every_added_counts_in_any_order_and_of_mere_sightings_only_the_newest():
    agent = Agent()
    assert len(agent.facts(post("admin.added_to_workspace", at=300), post("admin.added_to_workspace", at=100))) == 2
    assert len(agent.facts(post("admin.logged_in", at=300), post("admin.logged_in", at=100))) == 1


def test_an_older_sighting_counts_where_it_says_what_no_other_of_its_kind_has_said():
    agent = Agent()
    renamed, before = post("admin.away_mode_updated", at=300), {**ADMIN, "email": "old@acme.example"}
    facts = agent.facts(renamed, post("admin.away_mode_updated", before, at=200), post("admin.away_mode_updated", before, at=100))
    assert [fact.person.addresses for fact in facts if fact.person] == [("jo@acme.example",), ("old@acme.example",)]
    assert agent.facts(renamed, post("admin.away_mode_updated", before, at=200), post("admin.away_mode_updated", at=100)) == []
    promoted = {**ADMIN, "role": {"type": "role", "id": "2", "name": "Admin"}}
    assert len(agent.facts(post("admin.away_mode_updated", promoted, at=250))) == 1


def test_the_bot_is_no_teammate():
    bot = {**ADMIN, "email": "Operator+ws1@intercom.io"}
    assert Agent().facts(post("admin.added_to_workspace", bot)) == []


def test_a_log_entry_that_bears_on_access_is_kept_whole_and_guesses_nobody():
    (fact,) = Agent().facts(logged("admin_permission_change"))
    assert (fact.kind, fact.account, fact.admin) == ("admin.activity", "1234567", None)
    assert fact.activity is not None
    assert fact.activity.type == "admin_permission_change"
    assert fact.person is not None
    assert fact.person.metadata == '{"a":null,"b":1}'
    assert fact.person.text == "did something"


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("admin_login_success", "admin.logged_in"), ("admin_logout", "admin.logged_out"), ("never_heard_of", "admin.seen")],
)
def test_other_log_entries_say_that_their_actor_was_there(type_: str, kind: str):
    assert [fact.kind for fact in Agent().facts(logged(type_))] == [kind]


def test_a_log_entry_by_no_admin_that_bears_on_nothing_becomes_no_fact():
    assert Agent().facts(logged("app_name_change", performed_by={"type": "system"})) == []


@pytest.mark.parametrize("broken", [{"created_at": None}, {"app_id": "nobody's"}, {"data": {"item": {"email": "x@y.example"}}}])
def test_a_post_that_cannot_be_understood_is_unusable(broken: dict[str, Any]):
    with pytest.raises(InvalidRecord):
        Agent().facts({**post("admin.added_to_workspace"), **broken})


def test_a_teammate_in_no_team_says_so_and_one_without_the_field_says_nothing():
    (in_none,), (unsaid,) = (
        Agent().facts(post("admin.added_to_workspace", {**ADMIN, "team_ids": []})),
        Agent().facts(post("admin.added_to_workspace", {"id": 7, "email": None})),
    )
    assert in_none.admin is not None
    assert unsaid.admin is not None
    assert (in_none.admin.team_ids, unsaid.admin.team_ids) == ((), None)


def test_a_post_without_an_address_or_name_is_still_a_teammate():
    (fact,) = Agent().facts(post("admin.added_to_workspace", {"id": "77", "type": "admin", "email": None, "team_ids": None}))
    assert fact.account == "77"
    assert fact.person is not None
    assert fact.person.addresses == ()
