from tests.support.intercom_bodies import APP, AT, ENGINES, company, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY


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
