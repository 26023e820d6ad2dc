from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.identity import RULES, IdentityRules
from tests.support.intercom_bodies import APP, AT, ENGINES, company, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY, TWO_WORKSPACES


def org(*bodies):
    pipeline = Pipeline(TENANCY)
    pipeline.post(*bodies)
    (value,) = pipeline.values("orgs").values()
    return value


CREATED = posted("company.created", company(name="Engines", plan=None), number=1)
DELETED = posted("company.deleted", {"id": ENGINES, "type": "company", "deleted": True}, number=2, at=AT + 60)
AGAIN = posted("company.updated", company(name="Engines II", updated=(AT + 90) * 1000 + 5), number=3, at=AT + 90)


def test_a_company_deleted_and_recreated_by_another_sync_is_active():
    assert (org(CREATED, DELETED)["status"], org(CREATED, DELETED)["deleted_at"]) == ("deleted", (AT + 60) * 1000)
    for history in ((CREATED, DELETED, AGAIN), (AGAIN, DELETED, CREATED), (DELETED, AGAIN, CREATED)):
        assert (org(*history)["status"], org(*history)["name"]) == ("active", "Engines II")


def test_the_last_contact_detached_in_the_second_of_the_deletion_does_not_revive_the_company():
    at = (AT + 60) * 1000
    item = {"company": company(updated=at + 900), "contact": contact(updated=at)}
    detached = posted("company.contact.detached", item, number=4, at=AT + 60)
    assert org(CREATED, DELETED, detached)["status"] == "deleted"
    assert org(CREATED, detached, DELETED)["status"] == "deleted"


def test_three_events_of_one_second_are_ordered_by_their_snapshots():
    bodies = [
        posted("company.created", company(name=None, user_count=0, updated=AT * 1000 + 13), number=5),
        posted(
            "company.contact.attached", {"company": company(user_count=1, updated=AT * 1000 + 91), "contact": contact()}, number=6
        ),
        posted("company.updated", company(name="Engines", user_count=2, updated=AT * 1000 + 206), number=7),
    ]
    for history in (bodies, bodies[::-1]):
        assert (org(*history)["user_count"], org(*history)["name"], org(*history)["unsettled"]) == (2, "Engines", [])


def test_tags_of_a_webhook_are_whole():
    tagged = posted("company.updated", company(tag_ids=[1, "2"], updated=AT * 1000 + 1), number=8)
    untagged = posted("company.updated", company(tag_ids=["2"], updated=AT * 1000 + 2), number=9)
    assert org(tagged)["tags"] == [f"{APP}:1", f"{APP}:2"]
    assert org(untagged, tagged)["tags"] == [f"{APP}:2"]


HERE, THERE = f"{APP}:{ENGINES}", "other999:far"


def org_of(record):
    return derived("acme", "org", record)


def in_two_workspaces(*more, here=None, there=None):
    pipeline = Pipeline(TWO_WORKSPACES)
    here = {"company_id": "c-7", "name": "Engines", "created_at": AT - 9} | (here or {})
    there = {"company_id": "c-7", "website": "https://engines.example.com", "created_at": AT} | (there or {})
    pipeline.post(posted("company.created", company("far", **there), number=1, app_id="other999"))
    pipeline.post(posted("company.created", company(**here), number=2))
    for body in more:
        pipeline.post(body)
    return pipeline


def orgs_of(pipeline):
    return {id_: [record["key"] for record in value["records"]] for id_, value in pipeline.values("orgs").items()}


def test_companies_of_two_workspaces_with_one_company_id_are_one_organisation():
    pipeline = in_two_workspaces()
    ((id_, value),) = pipeline.values("orgs").items()
    assert (id_, orgs_of(pipeline)[id_]) == (org_of(HERE), [HERE, THERE])
    assert (value["name"], value["website"]) == ("Engines", "https://engines.example.com")
    assert pipeline.values("orgs.aliases") == {
        org_of(THERE): {"profile": org_of(THERE), "kind": "org", "tenant": "acme", "moved_to": org_of(HERE), "record": THERE}
    }


def test_a_company_that_joins_another_says_from_where_and_to_where():
    changes = [
        value
        for sent in in_two_workspaces().sent
        if sent.topic == "orgs.changes"
        for value in [Pipeline(TENANCY).avro.decode(sent.value)[1]]
    ]
    moves = [(change["profile"], change["moved_from"], change["moved_to"]) for change in changes]
    assert (org_of(HERE), org_of(THERE), None) in moves
    assert (org_of(THERE), None, org_of(HERE)) in moves


def test_a_company_whose_id_becomes_another_one_is_an_organisation_of_its_own_again():
    renamed = posted(
        "company.updated",
        company("far", company_id="c-8", created_at=AT, updated=(AT + 5) * 1000),
        number=3,
        at=AT + 5,
        app_id="other999",
    )
    pipeline = in_two_workspaces(renamed)
    assert orgs_of(pipeline) == {org_of(HERE): [HERE], org_of(THERE): [THERE]}
    assert pipeline.latest("orgs.aliases") == {}


def test_a_company_id_that_means_no_id_links_nobody():
    for text in ("0", 0, "null", "None", "-1"):
        pipeline = in_two_workspaces(here={"company_id": text}, there={"company_id": text})
        assert orgs_of(pipeline) == {org_of(HERE): [HERE], org_of(THERE): [THERE]}
        assert {value["company_id"] for value in pipeline.values("orgs").values()} == {str(text)}


def test_one_domain_joins_only_where_the_tenants_rules_have_it_as_a_key():
    there = here = {"website": "engines.example.com/", "company_id": None}
    pipeline = in_two_workspaces(here=here, there=there)
    assert len(orgs_of(pipeline)) == 2
    pipeline.feed(
        "identity.rules", RecordValue(b"acme|org", RULES.encode(IdentityRules(keys=("company_id", "domain"), blocked=())))
    )
    assert orgs_of(pipeline) == {org_of(HERE): [HERE, THERE]}
    pipeline.feed("identity.rules", RecordValue(b"acme|org", None))
    assert len(orgs_of(pipeline)) == 2


def test_a_contact_and_a_company_with_one_id_do_not_meet():
    pipeline = in_two_workspaces()
    pipeline.post(posted("contact.user.created", contact(ENGINES, external_id="c-7", role="user", created_at=AT - 99), number=9))
    assert orgs_of(pipeline) == {org_of(HERE): [HERE, THERE]}
    assert len(pipeline.values("people")) == 1


def test_rules_for_people_say_nothing_of_organisations():
    pipeline = in_two_workspaces()
    pipeline.feed("identity.rules", RecordValue(b"acme", RULES.encode(IdentityRules(keys=("phone",)))))
    assert orgs_of(pipeline) == {org_of(HERE): [HERE, THERE]}
