"""Every topic that Intercom documents, routed as the ingress routes it, is an activity, or is where its reason says."""

import random

from schemas.intercom.envelope import envelope
from schemas.intercom.routes import OTHER, destinations, route_of
from streams.core.activities.rules import NoActivity
from streams.core.activities.table import rule_of
from tests.support.activities.documented import ALL, FIRST, bodies
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.posts import TENANCY


def test_each_documented_topic_is_found_as_an_activity():
    pipeline = LaggingPipeline(TENANCY, random.Random(1))
    pipeline.post(*bodies())
    pipeline.run()
    expected = {f"notif_{number}" for number, topic in enumerate(ALL, FIRST) if not isinstance(rule_of(topic), NoActivity)}
    assert expected <= {value["event"] for value in pipeline.values("activities").values()}


def test_what_is_no_activity_is_where_its_route_says_and_nothing_else_is_in_other():
    for body in bodies():
        notification = envelope(body)
        topics = {each.topic for each in destinations(notification)}
        assert (topics == {OTHER}) == (route_of(notification.topic) is None), notification.topic
