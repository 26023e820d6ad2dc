"""What the simulated Intercom sends and serves means the same to the product: webhooks lead to what a reading says in the end."""

from collections import defaultdict
from functools import reduce
from random import Random

from connectors.simulator.payloads import notification
from connectors.simulator.rest.composition import simulation
from connectors.simulator.workspace.changes import WorkspaceChanges
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from streams.core.records.intercom.objects import COMPANY, CONTACT
from streams.core.records.intercom.translate import Observation, observation, translate
from streams.core.records.intercom.webhook_topics import ABSORBED, ABSORBED_UNNAMED, COMPANIES, CONTACTS
from streams.core.records.registers import NOTHING, active_edges, current, join
from tests.support.simulator.served import APP_ID, config

RULES = {"intercom.contacts": CONTACTS, "intercom.companies": COMPANIES}


def fields(registers):
    return {name: value for name, value, _ in current(registers)}


def edges(registers):
    return {name for name, _ in active_edges(registers)}


def test_a_first_reading_and_all_webhooks_in_any_order_lead_to_what_is_true() -> None:
    parts = simulation(config(contacts=60))
    workspace, clock = parts.workspace, parts.clock
    begun = clock.now_ms()
    known = defaultdict(list)
    for number in workspace.contacts.numbers():
        item = workspace.contact(workspace.contacts.get(number))
        known[item["id"]].append(observation(CONTACT, item, Observation.FROM_LIST, begun, "read"))
    for number in workspace.companies.numbers():
        item = workspace.company(workspace.companies.get(number))
        known[item["id"]].append(observation(COMPANY, item, Observation.FROM_LIST, begun, "read"))
    topics = set()

    def receive(topic: str, about: str, item: dict) -> None:
        topics.add(topic)
        created = clock.now_ms() // 1000
        sent = envelope(notification(topic, item, id=f"notif_{clock.now_ms()}", app_id=APP_ID, created_s=created))
        assert destinations(sent)
        for destination in destinations(sent):
            rules = RULES.get(destination.topic)
            if rules is not None and topic in rules:
                known[destination.entity].append(translate(rules[topic], sent, f"{topic}{created}"))

    changes = WorkspaceChanges(workspace, clock.now_ms, receive)
    for _ in range(800):
        clock.advance(2_000)
        changes.make()
    clock.advance(10_000)
    assert {"contact.merged", "contact.deleted", "company.deleted", "company.contact.detached", "contact.unarchived"} <= topics

    for number in workspace.contacts.numbers():
        compare(CONTACT, workspace.contact(workspace.contacts.get(number)), known, clock.now_ms())
    for number in workspace.companies.numbers():
        compare(COMPANY, workspace.company(workspace.companies.get(number)), known, clock.now_ms())


def compare(schema, item, known, now_ms) -> None:
    """Join what was received about an object in some order, and compare it with a reading of it by its id."""
    events = known[item["id"]]
    Random(item["id"]).shuffle(events)
    seen = reduce(join, events, NOTHING)
    truth = observation(schema, item, Observation.BY_ID, now_ms, "truth")
    expected = {name: value for name, value in fields(truth).items() if name != "user_count"}  # changes without a webhook
    assert {name: value for name, value in fields(seen).items() if name in expected} == expected
    if not item.get("companies", {}).get("has_more"):
        assert edges(seen) - {ABSORBED, ABSORBED_UNNAMED} == edges(truth)
