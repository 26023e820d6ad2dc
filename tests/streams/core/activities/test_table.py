"""Every topic that Intercom documents, that it once had, and that the simulator sends, has a row: an activity, or why it is none."""

import re
from pathlib import Path

import pytest

import connectors.simulator
from schemas.intercom.routes import ACTIVITIES, ROUTES, route_of
from streams.core.activities.rules import ConversationEvent, Happening, NoActivity
from streams.core.activities.table import TABLE, rule_of
from tests.support.activities.documented import DOCUMENTED, LEGACY

SIMULATED = sorted({
    topic
    for path in Path(connectors.simulator.__file__).parent.rglob("*.py")
    for topic in re.findall(r'"((?:admin|article|company|contact|conversation|conversation_part|ticket|event|call)\.[a-z_.]+)"', path.read_text())
    if not topic.endswith((".list", "conversation.delete", "conversation.reply", "ticket.state"))  # types and acts, no topics
})  # fmt: skip


@pytest.mark.parametrize("topic", [*DOCUMENTED, *LEGACY, *SIMULATED])
def test_each_topic_is_an_activity_or_says_why_not(topic):
    rule = rule_of(topic)
    assert isinstance(rule, NoActivity) or not rule.type.endswith(".other"), f"{topic} has no row of its own"
    if isinstance(rule, NoActivity):
        assert len(rule.reason) > 10
        assert "unknown" not in rule.reason


@pytest.mark.parametrize("topic", [*DOCUMENTED, *LEGACY])
def test_each_kind_of_rule_is_for_what_reaches_the_agent_that_reads_it(topic):
    rule, route = rule_of(topic), route_of(topic)
    reaches = {route.topic, *(each.topic for each in route.secondary)} if route else set()
    assert isinstance(rule, Happening) == (ACTIVITIES in reaches)
    if isinstance(rule, ConversationEvent):
        assert "intercom.conversations" in reaches


def test_the_simulator_sends_some():
    assert len(SIMULATED) > 10


def test_no_row_is_for_a_topic_that_nobody_documents():
    assert set(TABLE) <= {*DOCUMENTED, *LEGACY, "ticket.deleted"}


def test_every_route_has_a_row():
    assert {topic for topic in ROUTES if topic not in TABLE} == set()


@pytest.mark.parametrize(
    ("topic", "type_"),
    [
        ("call.held", "call.other"), ("content_stat.hologram", "content_stat.other"), ("event.renamed", "event.other"),
        ("conversation.admin.waved", "conversation.other"), ("ticket.sla.missed", "conversation.other"),
    ],
)  # fmt: skip
def test_an_unknown_topic_of_a_known_family_is_the_familys_other(topic, type_):
    assert rule_of(topic).type == type_


@pytest.mark.parametrize("topic", ["surprise.created", "", "contact.danced", "admin.danced"])
def test_an_unknown_topic_of_another_family_says_why_it_is_none(topic):
    assert rule_of(topic).reason
