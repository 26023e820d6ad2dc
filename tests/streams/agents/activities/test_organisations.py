"""An organisation's activities: those that name one of its companies."""

import pytest

from tests.streams.agents.activities.test_flows import LEE, Story, replied
from tests.support.conversations.bodies import ENTITY, INES, conversation, part
from tests.support.intercom_bodies import ADA, APP, AT


def of(company):
    return {"company": {"type": "company", "id": company}}


class Firms(Story):
    def company(self, identifier, number, **fields):
        item = {"type": "company", "id": identifier, "created_at": AT, "updated_at": AT + number, **fields}
        return self.report("company.updated", item, number=number)

    def org_of(self, company):
        (org,) = (
            each["id"] for each in self.values("orgs").values() if f"{APP}:{company}" in {row["key"] for row in each["records"]}
        )
        return org

    def of_org(self, org):
        return [each for each in self.activities() if each["org"] == org]


def test_a_conversation_that_names_a_company_is_its_organisations_and_has_no_words_there():
    story = Firms().company("o1", 1, company_id="acme")
    story.report("conversation.user.replied", replied(part(1, body="secret"), part(2, INES, body="secret"), **of("o1")), number=2)
    org = story.org_of("o1")
    shown = {each["type"]: each for each in story.of_org(org)}
    assert set(shown) == {"conversation.contact_replied", "conversation.teammate_replied"}
    assert {each["text"] for each in shown.values()} == {None}
    assert [each["author"] for _, each in sorted(shown.items())] == [None, "teammate:7"], "and no contact"
    assert shown["conversation.contact_replied"]["companies"] == [f"{APP}:o1"]
    assert shown["conversation.contact_replied"]["person"] == ""
    people = [each for each in story.activities() if each["person"]]
    assert {each["id"] for each in people} == {each["id"] for each in shown.values()}
    assert {each["text"] for each in people} == {"secret"}
    assert {name: each["count"] for name, each in story.values("orgs.engagement")[org]["types"].items()} == dict.fromkeys(
        shown, 1
    )


def test_what_came_before_the_company_was_named_follows_and_another_company_takes_all_of_it():
    story = Firms().company("o1", 1, company_id="acme").company("o2", 2, company_id="umbrella")
    story.report("conversation.user.replied", replied(), number=3)
    assert story.of_org(story.org_of("o1")) == []
    story.report("conversation.company.updated", conversation(updated=AT + 5, **of("o1")), at=AT + 5, number=4)
    assert len(story.of_org(story.org_of("o1"))) == 2
    story.report("conversation.company.updated", conversation(updated=AT + 9, **of("o2")), at=AT + 9, number=5)
    assert story.of_org(story.org_of("o1")) == []
    assert len(story.of_org(story.org_of("o2"))) == 3
    assert list(story.values("orgs.engagement")) == [story.org_of("o2")]


def test_companies_that_become_one_organisation_share_their_activities():
    story = Firms().company("o1", 1, company_id="acme").company("o2", 2, company_id="umbrella")
    for number, company in ((3, "o1"), (4, "o2")):
        item = {"company": {"type": "company", "id": company, "updated_at": AT}, "contact": {"id": ADA}}
        story.report("company.contact.attached", item, number=number)
    story.company("o2", 5, company_id="acme")
    org = story.org_of("o2")
    assert org == story.org_of("o1")
    assert [each["type"] for each in story.of_org(org)] == ["contact.joined_company"] * 2
    assert story.values("orgs.engagement")[org]["types"]["contact.joined_company"]["count"] == 2
    story.company("o2", 6, company_id="umbrella")
    assert len(story.of_org(story.org_of("o1"))) == len(story.of_org(story.org_of("o2"))) == 1


def test_an_erased_contacts_words_are_with_no_organisation_and_a_contact_who_joins_gets_the_words():
    story = Firms().company("o1", 1, company_id="acme")
    story.report("conversation.user.replied", replied(part(1, body="secret"), **of("o1")), number=2)
    attached = {"conversation": {"model": {"id": int(ENTITY)}, "parts": []}, "contact": {"id": LEE}}
    story.report("conversation.contact.attached", attached, at=AT + 9, number=3)
    joined = [each for each in story.activities("conversation.contact_replied") if each["contacts"] == [f"{APP}:{LEE}"]]
    assert [each["text"] for each in joined] == ["secret"]
    for contact in (ADA, LEE):
        story._append("activity.assignments", f"{APP}:{contact}".encode(), None, [("ce_type", b"record.erased.v1")])
    story.run()
    assert {each["org"] for each in story.activities()} == {story.org_of("o1")}
    for topic in ("activities", "activity.records"):
        everything = b"".join(story.latest(topic).values())
        assert b"secret" not in everything
        assert f"contact:{ADA}".encode() not in everything


@pytest.mark.parametrize("company", [None, "", {"id": None}, {"id": ""}, {"id": "0b|x"}, 7])
def test_a_company_that_is_none_is_a_conversation_without_one(company):
    story = Firms().report("conversation.user.replied", replied(company=company), number=1)
    found = [each["companies"] for each in story.activities() if each["org"]]
    assert found == ([[f"{APP}:7"]] if company == 7 else [])
