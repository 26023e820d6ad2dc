"""The features that a customer-data sync offers for records, organisations and keys, each by its name; other tests have the details."""

from schemas.message import RecordValue
from schemas.profiles.identity import RULES, IdentityRules
from tests.support.identity.foreign_records import foreign
from tests.support.intercom_bodies import APP, AT, company, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import WITH_SOURCES

MAIL = "ada@example.org"


def pipeline_of(*events):
    pipeline = Pipeline(WITH_SOURCES)
    for event in events:
        feed(pipeline, event)
    return pipeline


def feed(pipeline, event):
    pipeline.post(event) if isinstance(event, bytes) else pipeline.feed(*event)


def saved(id_, number, *, app_id=APP, role="user", **fields):
    item = contact(id_, updated=(AT + number) * 1000, created_at=AT + number, role=role, **fields)
    return posted(f"contact.{role}.updated", item, number=number, at=AT + number, app_id=app_id)


def firm(id_, number, *, app_id=APP, **fields):
    item = company(id_, updated=(AT + number) * 1000, created_at=AT + number, **fields)
    return posted("company.updated", item, number=number, at=AT + number, app_id=app_id)


def people(pipeline):
    return sorted([record["key"] for record in value["records"]] for value in pipeline.values("people").values())


def test_b1_sync_contacts_to_people_users_and_leads_and_nothing_is_cut_at_ten_nested_items():
    pipeline = pipeline_of(
        saved("u", 1, email=MAIL, tags=listed(*map(str, range(1, 31)))), saved("l", 2, role="lead", email=MAIL)
    )
    ((person,),) = [list(pipeline.values("people").values())]
    assert (len(person["records"]), len(person["tags"])) == (2, 30)


def test_b2_companies_to_organizations_with_edges_that_say_since_when():
    attached = posted(
        "company.contact.attached", {"company": company("c"), "contact": contact("u", updated=AT * 1000)}, at=AT + 5
    )
    pipeline = pipeline_of(firm("c", 1, name="Engines"), attached)
    (org,), (edge,) = pipeline.values("orgs").values(), pipeline.values("memberships").values()
    assert (edge["org"], edge["since"], org["name"]) == (org["id"], (AT + 5) * 1000, "Engines")


def test_b22_merge_key_strategy_any_key_or_the_next_only_if_the_previous_is_empty():
    events = (saved("a", 1, external_id="7", email=MAIL), saved("b", 2, external_id="8", email=MAIL), saved("c", 3, email=MAIL))
    pipeline = pipeline_of(*events)
    assert people(pipeline) == [[f"{APP}:a", f"{APP}:b", f"{APP}:c"]]
    pipeline.feed("identity.rules", RecordValue(b"acme", RULES.encode(IdentityRules(mode="next"))))
    assert people(pipeline) == [[f"{APP}:a"], [f"{APP}:b"], [f"{APP}:c"]]
    pipeline.feed("identity.rules", RecordValue(b"acme", None))
    assert people(pipeline) == [[f"{APP}:a", f"{APP}:b", f"{APP}:c"]]


def test_b22_the_same_for_organizations():
    events = (firm("a", 1, company_id="k", website="x.example.com"), firm("b", 2, company_id=None, website="x.example.com"))
    pipeline = pipeline_of(*events)
    for mode, count in (("any", 1), ("next", 2)):
        rules = IdentityRules(keys=("company_id", "domain"), mode=mode, blocked=())
        pipeline.feed("identity.rules", RecordValue(b"acme|org", RULES.encode(rules)))
        assert len(pipeline.values("orgs")) == count


def test_b31_adds_people_and_org_records_and_fields_of_other_sources():
    pipeline = pipeline_of(
        ("person.records", foreign("1", fields={"email": MAIL, "tier": 3}, attributes={"nps": 9})),
        ("org.records", foreign("a", fields={"name": "Engines"}, attributes={"arr": 1})),
    )
    (person,), (org,) = pipeline.values("people").values(), pipeline.values("orgs").values()
    assert (person["traits"], person["attributes"], org["attributes"]) == ({"tier": "3"}, {"nps": "9"}, {"arr": "1"})


def test_b46_several_intercom_accounts_are_one_tenant():
    pipeline = pipeline_of(
        saved("a", 1, email=MAIL), saved("a", 2, email=MAIL, app_id="other999"),
        firm("c", 3, company_id="k"), firm("c", 4, company_id="k", app_id="other999"),
    )  # fmt: skip
    assert people(pipeline) == [[f"{APP}:a", "other999:a"]]
    assert [len(value["records"]) for value in pipeline.values("orgs").values()] == [2]


def test_b47_no_object_is_limited_to_50_associations_and_what_is_not_known_is_flagged():
    pipeline = pipeline_of(saved("u", 1, companies=listed(*(f"c{at}" for at in range(120)))))
    (person,) = pipeline.values("people").values()
    assert (len(person["companies"]), person["incomplete"], len(pipeline.latest("memberships"))) == (120, [], 120)
    feed(pipeline, saved("u", 2, companies=listed(*(f"c{at}" for at in range(10)), total=121, more=True)))
    (person,) = pipeline.values("people").values()
    assert (len(person["companies"]), person["incomplete"]) == (120, ["companies"])


def test_b51_a_merge_is_reversible_when_the_last_shared_key_goes():
    pipeline = pipeline_of(saved("a", 1, email=MAIL, name="Ada"), saved("b", 2, email=MAIL, phone="+353861234567"))
    assert people(pipeline) == [[f"{APP}:a", f"{APP}:b"]]
    feed(pipeline, saved("b", 3, email="other@example.org", phone="+353861234567"))
    assert people(pipeline) == [[f"{APP}:a"], [f"{APP}:b"]]
    assert pipeline.latest("people.aliases") == {}


def test_51_records_on_one_address_are_51_people_and_50_are_one():
    pipeline = pipeline_of(*(saved(f"r{at:02}", at, email=MAIL) for at in range(50)))
    assert len(people(pipeline)) == 1
    feed(pipeline, ("person.records", foreign("51", fields={"email": MAIL})))
    assert len(people(pipeline)) == 51
    feed(pipeline, ("person.records", foreign("51", fields={"email": None}, updated=(AT + 99) * 1000)))
    assert len(people(pipeline)) == 2
