"""Two people in the agents' tables, and what tests of policies ask of them."""

from schemas.ids import derived
from tests.support.intercom_bodies import ADA, APP, AT, company, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY

BO = "65f0c0ffee00000000000002"
PERSON = derived("acme", "person", f"{APP}:{ADA}")
ADDRESS, NAME = "ada.example@example.com", "Ada Example"


def two_people():
    """Return a pipeline with a user and a lead."""
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name=NAME, email=ADDRESS, role="user", phone="+15550100", custom_attributes={"plan": "pro"}))
    pipeline.post(snapshot(2, BO, name="Bo", role="lead"))
    return pipeline


def snapshot(number, identifier=ADA, **fields):
    return posted("contact.user.updated", contact(identifier, updated=(AT + number) * 1000, **fields), number=number)


def attached(number):
    item = {"company": company(), "contact": contact(updated=AT * 1000)}
    return posted("company.contact.attached", item, number=number, at=AT + number)


def changes(pipeline, topic="people.changes"):
    return [pipeline.avro.decode(record.value)[1] for record in pipeline.sent if record.topic == topic]


def fields_of(change):
    return {each["field"]: (each["before"], each["after"]) for each in change["changes"]}


def stored(pipeline, *agents):
    """Return all bytes in the tables, and in the last values of compacted topics."""
    rows = [value for name in agents or pipeline.tables for value in pipeline.tables[name].rows().values()]
    latest = [value for topic in ("people", "orgs", "memberships") for value in pipeline.latest(topic).values()]
    return b"".join(rows + latest)
