"""The features that a customer-data sync offers by policies, each by its name, through all agents; other tests have the details."""

import pytest

from schemas.cloudevents import context
from schemas.intercom.rest_objects import ReadAs
from schemas.profiles.policies import FieldPolicy, ProfilePolicy, SourceStrategy
from tests.streams.agents.test_rest_readings import record as read_over_rest
from tests.support.identity.foreign_records import foreign
from tests.support.intercom_bodies import ADA, APP, AT, company, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.profiles.two_people import changes, fields_of, snapshot, stored
from tests.support.tenancy import WITH_SOURCES

MAIL = "ada@example.com"
CONTACT, CRM = f"{APP}:{ADA}", "crm:1"


def of_crm(number, **fields):
    """What the CRM says of the person with that address, at that second."""
    return "person.records", foreign(updated=(AT + number) * 1000, fields={"email": MAIL, **fields})


def pipeline_of(policy, *steps, kind="person"):
    pipeline = Pipeline(WITH_SOURCES)
    pipeline.apply(policy, kind=kind)
    for step in steps:
        pipeline.post(step) if isinstance(step, bytes) else pipeline.feed(*step)
    return pipeline


def the_person(pipeline):
    (person,) = pipeline.values("people").values()
    return person


def strategy_of(source, strategy):
    return ProfilePolicy(sources=(SourceStrategy(source, strategy),))


def ada(number, **fields):
    return snapshot(number, email=MAIL, **fields)


def test_b5_choose_objects_and_the_choice_is_changed_without_a_restart():
    pipeline = pipeline_of(
        ProfilePolicy(enabled=False), ada(1, name="Ada"), posted("company.created", company(name="Engines"), at=AT)
    )
    assert (pipeline.values("people"), [value["name"] for value in pipeline.values("orgs").values()]) == ({}, ["Engines"])
    assert MAIL.encode() not in stored(pipeline)
    pipeline.apply(ProfilePolicy(), version=2)
    pipeline.apply(ProfilePolicy(enabled=False), kind="org")
    pipeline.post(ada(2, name="Ada"))
    assert (the_person(pipeline)["name"], pipeline.values("orgs")) == ("Ada", {})


@pytest.mark.parametrize(
    ("policy", "published"),
    [
        (ProfilePolicy(allow=("email", "attributes.plan")), (None, {"plan": '"pro"'}, [])),
        (ProfilePolicy(deny=("phone", "attributes.s*", "tags")), ("Ada", {"plan": '"pro"'}, [])),
        (ProfilePolicy(deny=("attributes.*",)), ("Ada", {}, [f"{APP}:t"])),
    ],
)
def test_b6_choose_fields_also_custom_ones_before_anything_stores_them(policy, published):
    attributes = {"plan": "pro", "salary": "a secret"}
    pipeline = pipeline_of(policy, ada(1, name="Ada", phone="+15550100", custom_attributes=attributes, tags=listed("t")))
    person = the_person(pipeline)
    assert (person["name"], person["attributes"], person["tags"]) == published
    sent = b"".join(record.value or b"" for record in pipeline.sent)
    assert (b"a secret" in sent, b"a secret" in stored(pipeline)) == (False, False)


def test_b7_choose_which_fields_a_source_may_modify():
    policy = ProfilePolicy(fields=(FieldPolicy("name", locked=("crm",)), FieldPolicy("attributes.*", locked=(APP,))))
    steps = (ada(1, name="Ada", custom_attributes={"plan": "pro"}), of_crm(5, name="Augusta", phone="+353861234567"))
    pipeline = pipeline_of(policy, *steps, ada(9, name="Ada L", custom_attributes={"plan": "free"}))
    person = the_person(pipeline)
    assert (person["name"], person["phone"], person["attributes"]) == ("Ada L", "+353861234567", {"plan": '"pro"'})
    assert person["sources"][person["provenance"]["phone"]]["record"] == CRM


def test_b8_do_not_modify_fields_that_already_have_a_value():
    policy = ProfilePolicy(fields=(FieldPolicy("*", only_empty=("crm",)),))
    person = the_person(pipeline_of(policy, of_crm(5, name="Augusta", phone="+353861234567"), ada(1, name="Ada")))
    assert (person["name"], person["phone"]) == ("Ada", "+353861234567")


def test_b9_automatically_archive_when_deleted_in_intercom():
    deleted = posted("contact.deleted", {"id": ADA, "type": "contact", "deleted": True}, at=AT + 9, number=9)
    kept = the_person(pipeline_of(ProfilePolicy(archive_deleted=True), ada(1, name="Ada"), deleted))
    assert (kept["status"], kept["archived_because"], kept["archived_at"]) == ("archived", "deleted", (AT + 9) * 1000)
    assert (kept["name"], kept["deleted_at"]) == ("Ada", None)
    assert the_person(pipeline_of(ProfilePolicy(), ada(1, name="Ada"), deleted))["status"] == "deleted"


def test_b17_sync_records_selectively_by_conditions_on_the_merged_person_and_organisation():
    policy = ProfilePolicy(select="person.attributes.plan == 'pro' && person.phone != null")
    pipeline = pipeline_of(policy, ada(1, custom_attributes={"plan": "pro"}))
    assert pipeline.values("people") == {}
    pipeline.feed(*of_crm(2, phone="+353861234567"))  # each record alone would not do
    assert the_person(pipeline)["phone"] == "+353861234567"
    pipeline.post(ada(3, custom_attributes={"plan": "free"}))
    assert pipeline.values("people") == {}
    assert [each["selection"] for each in changes(pipeline) if each["selection"]] == ["entered", "left"]
    firms = [posted("company.created", company(name, name=name, size=size), number=size) for name, size in (("a", 9), ("b", 99))]
    orgs = pipeline_of(ProfilePolicy(select="org.size > 10"), *firms, kind="org").values("orgs")
    assert [org["name"] for org in orgs.values()] == ["b"]


@pytest.mark.parametrize("crm_first", [True, False])
def test_b18_import_and_merge_new_only_is_append_only(crm_first):
    steps = [of_crm(5, name="Augusta", phone="+353861234567"), ada(1, name="Ada")]
    person = the_person(pipeline_of(strategy_of("crm", "append_only"), *(steps if crm_first else reversed(steps))))
    assert (person["name"], person["phone"]) == ("Ada", "+353861234567")
    alone = the_person(pipeline_of(strategy_of("crm", "append_only"), of_crm(5, name="Augusta")))
    assert alone["name"] == "Augusta"  # it creates


@pytest.mark.parametrize("crm_first", [True, False])
def test_b19_import_and_overwrite_takes_the_newest_by_its_source_and_not_by_arrival(crm_first):
    steps = [of_crm(5, name="Augusta"), ada(1, name="Ada")]
    person = the_person(pipeline_of(strategy_of("crm", "overwrite"), *(steps if crm_first else reversed(steps))))
    assert person["name"] == "Augusta"


@pytest.mark.parametrize("crm_first", [True, False])
def test_b20_import_new_records_only_is_ignore(crm_first):
    steps = [of_crm(5, name="Augusta", phone="+353861234567"), ada(1, name="Ada")]
    person = the_person(pipeline_of(strategy_of("crm", "ignore"), *(steps if crm_first else reversed(steps))))
    assert (person["name"], person["phone"], len(person["records"])) == ("Ada", None, 2)
    alone = pipeline_of(strategy_of("crm", "ignore"), of_crm(1, name="Augusta"), of_crm(5, name="Later"))
    assert the_person(alone)["name"] == "Augusta"


@pytest.mark.parametrize(("strategy", "name"), [("append_existing", "Ada"), ("overwrite_existing", "Augusta")])
def test_b21_for_existing_records_only(strategy, name):
    pipeline = pipeline_of(strategy_of("crm", strategy), of_crm(5, name="Augusta", phone="+353861234567"))
    assert pipeline.values("people") == {}
    pipeline.post(ada(1, name="Ada"))
    person = the_person(pipeline)
    assert (person["name"], person["phone"]) == (name, "+353861234567")


@pytest.mark.parametrize("place", range(3))
def test_b23_merge_on_first_connection_then_webhooks_in_whatever_order_they_meet(place):
    page = read_over_rest(
        "contact", ADA, {"id": ADA, "email": MAIL, "name": "Read", "phone": "+15550100", "updated_at": AT + 5}, ReadAs.LISTED
    )
    steps = [ada(4, name="Older", phone="+15550199"), ada(9, name="Newest")]
    steps.insert(place, ("intercom.contacts", page))
    person = the_person(pipeline_of(ProfilePolicy(), *steps))
    assert (person["name"], person["phone"]) == ("Newest", "+15550100")


def test_b25_a_new_contact_permits_email_and_no_sms_and_a_region_can_have_it_otherwise():
    person = the_person(pipeline_of(ProfilePolicy(), ada(1)))
    assert (person["email_allowed"], person["sms_allowed"]) == (True, False)
    person = the_person(pipeline_of(ProfilePolicy(email=False, sms=True), ada(1)))
    assert (person["email_allowed"], person["sms_allowed"]) == (False, True)


def test_b26_permissions_of_an_existing_contact_are_never_changed_by_a_policy_and_say_where_they_come_from():
    statement = ada(1, unsubscribed_from_emails=True, sms_consent=True)
    pipeline = pipeline_of(ProfilePolicy(), statement, of_crm(2, name="Augusta"))
    refused = the_person(pipeline)
    assert (refused["email_allowed"], refused["sms_allowed"]) == (False, False)  # the CRM's record permits no SMS
    pipeline.apply(ProfilePolicy(strategy="ignore", deny=("*",), email=True, sms=True), version=2)
    for person in pipeline.values("people").values():  # without addresses they are two
        if person["records"][0]["key"] == CONTACT:
            assert (person["email_allowed"], person["sms_allowed"]) == (False, True)
            assert person["sources"][person["provenance"]["email_allowed"]]["record"] == CONTACT
    subscribed = posted(
        "granular.unsubscribe",
        {"type": "granular_unsubscribe", "contact": contact(), "subscription_types": listed("s1"), "created_at": AT + 9},
        at=AT + 9,
    )
    pipeline.post(subscribed)
    assert [f"{APP}:s1"] in [person["unsubscribed"] for person in pipeline.values("people").values()]


def test_b30_a_resync_and_a_replay_reset_no_attribute_and_let_nobody_enter_again():
    policy = ProfilePolicy(select="person.attributes.plan == 'pro'")
    event = ada(1, custom_attributes={"plan": "pro", "set": "here"})
    pipeline = pipeline_of(policy, event)
    before, count = pipeline.latest("people"), len(changes(pipeline))
    again = {"id": ADA, "email": MAIL, "custom_attributes": {"plan": "pro", "set": "here"}, "updated_at": AT + 1}
    for read_as in (ReadAs.LISTED, ReadAs.BY_ID):
        pipeline.feed("intercom.contacts", read_over_rest("contact", ADA, again, read_as))
    pipeline.post(event)
    values = pipeline.values("people")
    assert len(changes(pipeline)) == count
    assert [value["attributes"] for value in values.values()] == [{"plan": '"pro"', "set": '"here"'}]
    assert values.keys() == pipeline.latest("people").keys() == before.keys()
    ids = [context(record.headers)["id"] for record in pipeline.sent if record.topic == "people.changes"]
    assert len(ids) == len(set(ids))


def test_what_a_policy_changes_names_the_policy_as_its_cause():
    pipeline = pipeline_of(ProfilePolicy(), ada(1, name="Ada"), of_crm(5, name="Augusta"))
    pipeline.apply(strategy_of("crm", "append_only"), version=2, event="chosen")
    assert (changes(pipeline)[-1]["cause"], fields_of(changes(pipeline)[-1])) == ("chosen", {"name": ('"Augusta"', '"Ada"')})
