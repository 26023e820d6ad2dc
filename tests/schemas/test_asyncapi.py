"""The AsyncAPI description: made from the tables, accepted by AsyncAPI's own parser, and true of every example."""

import json

import jsonschema
import pytest

from schemas.catalogue import shipped
from schemas.contract.asyncapi import EXAMPLES, FILE, text
from schemas.contract.page import HEADERS
from schemas.topics import TOPICS, Encoding
from schemas.webhooks.posted import posted_event
from tests.support.asyncapi import diagnostics
from tests.support.webhooks.findings import finding_event
from tests.support.webhooks.receiver import Post

DOCUMENT = json.loads(FILE.read_text())
PUBLIC = [topic for topic in TOPICS.values() if topic.encoding is not Encoding.INTERNAL]
MESSAGES = DOCUMENT["components"]["messages"]


def test_the_document_is_that_of_the_tables():
    assert FILE.read_text() == text(), "run `python -m schemas.contract`"


def no_type(damaged):
    damaged["components"]["messages"]["access.state"]["payload"]["schema"]["fields"][0]["type"] = 5


def no_message(damaged):
    damaged["channels"]["people"]["messages"]["people"]["$ref"] = "#/components/messages/persons"


def no_action(damaged):
    damaged["operations"]["send.people"]["action"] = "publish"


def no_address(damaged):
    damaged["channels"]["people"]["address"] = 5


def test_asyncapis_own_parser_accepts_it_and_refuses_damaged_ones(tmp_path):
    damages = (no_type, no_message, no_action, no_address)
    for damage in damages:
        damaged = json.loads(text())
        damage(damaged)
        (tmp_path / damage.__name__).write_text(json.dumps(damaged))
    found, *of_damaged = diagnostics(FILE, *(tmp_path / damage.__name__ for damage in damages))
    assert [each for each in found if each["severity"] <= 1] == []
    assert {each["code"] for each in found} <= {"asyncapi-latest-version"}
    refused = [any(each["severity"] == 0 for each in one) for one in of_damaged]
    assert dict(zip(damages, refused, strict=True)) == dict.fromkeys(damages, True)


def test_it_has_every_topic_that_others_may_use_and_no_other():
    assert set(DOCUMENT["channels"]) == {*(topic.name for topic in PUBLIC), "webhooks"}
    assert set(MESSAGES) == {*(topic.name for topic in PUBLIC), "webhook"}


def test_what_others_write_is_received_and_the_rest_is_sent():
    received = {name.removeprefix("receive.") for name, each in DOCUMENT["operations"].items() if each["action"] == "receive"}
    assert received == {"person.records", "org.records", "access.facts"}
    sent = {name.removeprefix("send.") for name, each in DOCUMENT["operations"].items() if each["action"] == "send"}
    assert sent == {*(topic.name for topic in PUBLIC), "webhooks"} - {"person.records", "org.records"}


@pytest.mark.parametrize("topic", [each for each in PUBLIC if each.schema], ids=lambda topic: topic.name)
def test_an_avro_payload_is_the_schema_that_is_shipped(topic):
    assert MESSAGES[topic.name]["payload"]["schema"] == shipped().current[topic.schema].definition


def test_every_header_is_in_one_message_or_in_the_common_part():
    common = set(DOCUMENT["components"]["messageTraits"]["cloudEvents"]["headers"]["properties"])
    own = {
        name
        for each in MESSAGES.values()
        for name in each.get("headers", {}).get("properties", {})
        if not name.startswith("webhook-")
    }
    assert (common | own, common & own) == (set(HEADERS), set())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("access.violations.json/*.json")), ids=lambda path: path.stem)
def test_every_example_of_a_finding_fits_its_payload(path):
    jsonschema.validate(json.loads(path.read_text()), DOCUMENT["components"]["schemas"]["finding"])


def test_what_is_posted_fits_the_webhooks_payload():
    event = finding_event("a", 1)
    body = posted_event(event).body
    jsonschema.validate(Post("", body, {}, 0).event, MESSAGES["webhook"]["payload"])
