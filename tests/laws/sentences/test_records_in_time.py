"""What records are in time: readings, deletions, lists and consent: sentences of docs/profiles.md and docs/privacy.md, each over a history that proves it, in several orders and with repetitions."""

import pytest

from tests.support.intercom_bodies import listed
from tests.support.profiles.scenarios import (
    AT,
    attached,
    company,
    ended,
    event,
    item,
    names,
    opted,
    outcomes,
    read,
    record,
    saved,
    tagged,
)

X, Y = "ada@x.org", "ada@y.org"


@pytest.mark.parametrize(
    ("requested", "name"),
    [(2, "read"), (1.999, "posted"), (900, "read")],
)
def test_a_reading_by_id_counts_for_its_whole_second_only_when_it_is_late_enough(requested, name):
    for found in outcomes([saved("a1", 0.135, name="posted"), read("a1", 0, requested, name="read")]):
        assert found.person("a1")["name"] == name
    for found in outcomes([saved("a1", 0.135, name="posted"), read("a1", 0, 900, "listed", name="read")]):
        assert found.person("a1")["name"] == "posted"


def test_a_minimal_payload_touches_its_own_register_only_also_where_it_comes_first():
    for found in outcomes([ended("deleted", "a1", 5)]):
        person = found.person("a1")
        assert (person["status"], person["external_id"], person["deleted_at"]) == ("deleted", None, (AT + 5) * 1000)
    whole = saved("a1", name="Ada", external_id="7", tags=listed("t1"), companies=listed("k1"))
    for found in outcomes([whole, ended("archived", "a1", 3), ended("deleted", "a1", 5), ended("deleted", "a1", 9)]):
        person = found.person("a1")
        assert [person[name] for name in ("status", "name", "external_id", "tags", "deleted_at", "archived_at")] == [
            "deleted", "Ada", "7", names("t1"), (AT + 5) * 1000, None,
        ]  # fmt: skip
        assert found.agents.latest("memberships") == {}


def test_nothing_revives_a_deleted_contact():
    later = [saved("a1", 9), event("contact.unarchived", "a1", 10, item("a1", 10)), attached("a1", "k1", 11), read("a1", 12, 20)]
    for found in outcomes([saved("a1"), ended("deleted", "a1", 5), *later]):
        assert found.person("a1")["status"] == "deleted"
        assert found.agents.latest("memberships") == {}


@pytest.mark.parametrize("topic", ["contact.unarchive", "contact.unarchived"])
def test_an_archived_contact_is_archived_until_an_event_or_a_reading_by_id_says_otherwise(topic):
    gone = [saved("a1"), ended("archived", "a1", 5), saved("a1", 9, name="still")]
    for found in outcomes(gone):
        assert (found.person("a1")["status"], found.person("a1")["archived_at"]) == ("archived", (AT + 5) * 1000)
    for back in (event(topic, "a1", 6, {"type": "contact", "id": "a1"}), read("a1", 0, 6)):
        for found in outcomes([*gone, back]):
            assert (found.person("a1")["status"], found.person("a1")["archived_at"]) == ("active", None)


def test_of_several_deleted_or_archived_records_the_last_one_gives_the_time_and_a_living_one_none():
    of_one_address = [saved("a1", email=X, phone="1", unsubscribed_from_emails=True), saved("b1", 1, email=X, name="b1")]
    for found in outcomes([*of_one_address, ended("deleted", "a1", 9)]):
        person = found.person("a1")
        assert [person[name] for name in ("status", "phone", "email_allowed", "deleted_at")] == ["active", None, False, None]
    for found in outcomes([*of_one_address, ended("deleted", "a1", 9), ended("deleted", "b1", 5)]):
        assert (found.person("a1")["deleted_at"], found.person("a1")["name"]) == ((AT + 9) * 1000, "b1")
    for found in outcomes([*of_one_address, ended("deleted", "a1", 9), ended("archived", "b1", 5)]):
        assert (found.person("a1")["archived_at"], found.person("a1")["archived_because"]) == ((AT + 5) * 1000, "archived")


def test_a_list_whose_count_does_not_fit_asserts_no_absence():
    lists = {"companies": listed("k1", "k2", total=0), "tags": {"data": [{"id": "t1"}]}}
    for found in outcomes([attached("a1", "k9", -9), tagged("a1", "t9", -9), saved("a1", **lists)]):
        assert (found.person("a1")["companies"], found.person("a1")["tags"]) == (names("k1", "k2", "k9"), names("t1", "t9"))


def test_attaching_and_detaching_count_at_their_own_time_whatever_lists_beside_them_show():
    shown = {"companies": listed("k1", "k2")}
    for found in outcomes([attached("a1", "k1", 0, "detached", **shown), attached("a1", "k1", -5, **shown)]):
        assert (found.person("a1")["companies"], len(found.agents.latest("memberships"))) == (names("k2"), 1)
    for found in outcomes([attached("a1", "k1", 0), attached("a1", "k1", 5, "detached", **shown), attached("a1", "k1", 9)]):
        (membership,) = found.agents.values("memberships").values()
        assert (found.person("a1")["companies"], membership["since"]) == (names("k1"), AT * 1000)


def test_of_two_companies_of_one_organisation_the_older_membership_stands_until_it_ends():
    of_one = [company("ak1", company_id="7", created_at=AT - 99), record("crm:o1", kind="org", fields={"company_id": "7"})]
    both = [record("crm:p1", -9, orgs=names("ak1")), record("crm:p1", -5, orgs=[*names("ak1"), "crm:o1"])]
    for inputs, company_, since in ((both, names("ak1")[0], -9), ([*both, record("crm:p1", -1, orgs=["crm:o1"])], "crm:o1", -5)):
        for found in outcomes([*of_one, *inputs]):
            (membership,) = found.agents.values("memberships").values()
            assert (membership["company"], membership["since"]) == (company_, (AT + since) * 1000)


def test_a_move_takes_every_refusal_along_and_leaves_none_behind():
    refusing = saved("a1", email=X, unsubscribed_from_emails=True, opted_out_subscription_types=listed("s1"))
    for found in outcomes([refusing, saved("b1", email=X), saved("b2", email=Y), saved("a1", 9, email=Y)]):
        left, joined = found.person("b1"), found.person("b2")
        assert [left["email_allowed"], left["unsubscribed"], joined["email_allowed"], joined["unsubscribed"]] == [
            True, [], False, names("s1"),
        ]  # fmt: skip


def test_each_channel_is_refused_by_any_record_and_permitted_by_all_alone():
    for found in outcomes([saved("a1", email=X, sms_consent=True), saved("b1", email=X)]):
        assert (found.person("a1")["email_allowed"], found.person("a1")["sms_allowed"]) == (True, False)
    crm = record("crm:p1", fields={"email": X, "unsubscribed_from_emails": "true", "sms_consent": 1})
    for found in outcomes([saved("a1", email=X, sms_consent=True), crm, record("crm:p1", 5, deleted=True)]):
        assert (found.person("a1")["email_allowed"], found.person("a1")["sms_allowed"]) == (False, True)
    for found in outcomes([saved("a1", -5, unsubscribed_from_emails=True), saved("a1", unsubscribed_from_emails=None)]):
        assert found.person("a1")["email_allowed"] is False


def test_opting_out_wins_over_opting_in_of_one_second_and_of_another_record():
    for found in outcomes(
        [opted("a1", "s1", 0, "subscribe"), opted("a1", "s1", 0), opted("a1", "s2", 0), opted("a1", "s2", 5, "subscribe")]
    ):
        assert (found.person("a1")["unsubscribed"], found.person("a1")["subscribed"]) == (names("s1"), names("s2"))
    of_one = [
        saved("a1", email=X, opted_in_subscription_types=listed("s1")),
        saved("a2", -99, email=X, opted_out_subscription_types=listed("s1")),
    ]
    for found in outcomes(of_one):
        assert (found.person("a1")["unsubscribed"], found.person("a1")["subscribed"]) == (names("s1"), [])


def test_names_of_attributes_are_kept_apart_character_by_character():
    attributes = {
        name: at
        for at, name in enumerate(("Plan", "plan", "plan ", "caf\u00e9", "cafe\u0301", "", ".", "$x", "a|b", "email", "x" * 300))
    }
    for found in outcomes([saved("a1", email=X, custom_attributes=attributes)]):
        assert found.person("a1")["attributes"] == {name: str(at) for name, at in attributes.items()}
        assert found.person("a1")["email"] == X


@pytest.mark.parametrize(
    ("topic", "channel", "permitted"),
    [
        ("contact.unsubscribed_from_sms", "sms", {"sms_consent": True, "unsubscribed_from_sms": False}),
        ("user.unsubscribed", "email", {"unsubscribed_from_emails": False}),
    ],
)
def test_an_opt_out_refuses_its_channel_from_its_second_until_a_later_statement_permits_it(topic, channel, permitted):
    before, out, later = (
        saved("a1", 5.1, **permitted),
        event(topic, "a1", 5, item("a1", 5.9, **permitted)),
        saved("a1", 6, **permitted),
    )
    for found in outcomes([before, out]):
        assert found.person("a1")[f"{channel}_allowed"] is False
    for found in outcomes([before, out, later]):
        assert found.person("a1")[f"{channel}_allowed"] is True
