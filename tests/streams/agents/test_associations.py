"""Associations without a cap: however many companies, tags and contacts there are, all are known, or it is known that some are not."""

import pytest

from tests.support.identity.foreign_records import foreign
from tests.support.intercom_bodies import ADA, APP, AT, company, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY, WITH_SOURCES


def snapshot(number, *, at=None, **lists):
    at = AT + number if at is None else at
    return posted("contact.user.updated", contact(updated=at * 1000, **lists), number=number, at=at)


def first_ten(*ids):
    return listed(*ids[:10], total=len(ids), more=len(ids) > 10)


def attached(id_, number, verb="attached", **lists):
    item = {"company": company(id_), "contact": contact(updated=AT * 1000, **lists)}
    return posted(f"company.contact.{verb}", item, number=number, at=AT + number)


def person(pipeline):
    (value,) = pipeline.values("people").values()
    return value


def requests(pipeline):
    decoded = [pipeline.avro.decode(sent.value)[1] for sent in pipeline.sent if sent.topic == "contact.read.requests"]
    return [(each["reason"], each["event"], each["not_before"]) for each in decoded]


COMPANIES = [f"c{at:03}" for at in range(300)]
TAGS = [str(at) for at in range(1, 61)]


def test_300_companies_on_a_contact_are_300_memberships_and_60_tags_are_60():
    pipeline = Pipeline(TENANCY).after(snapshot(1, companies=listed(*COMPANIES), tags=listed(*TAGS)))
    assert person(pipeline)["companies"] == [f"{APP}:{id_}" for id_ in COMPANIES]
    assert len(person(pipeline)["tags"]) == 60
    assert {value["company"] for value in pipeline.values("memberships").values()} == {f"{APP}:{id_}" for id_ in COMPANIES}
    assert (person(pipeline)["incomplete"], requests(pipeline)) == ([], [])


def test_300_companies_attached_one_by_one_are_complete_however_few_each_payload_shows():
    bodies = [attached(id_, at + 1, companies=first_ten(*COMPANIES[: at + 1])) for at, id_ in enumerate(COMPANIES)]
    pipeline = Pipeline(TENANCY).after(*bodies, snapshot(301, companies=first_ten(*COMPANIES)))
    assert len(person(pipeline)["companies"]) == len(pipeline.latest("memberships")) == 300
    assert (person(pipeline)["incomplete"], requests(pipeline)) == ([], [])


def test_a_list_that_shows_ten_of_twelve_is_incomplete_and_asks_for_a_read_once():
    pipeline = Pipeline(TENANCY).after(
        snapshot(1, companies=first_ten(*COMPANIES[:12])), snapshot(2, companies=first_ten(*COMPANIES[:12]))
    )
    assert (person(pipeline)["incomplete"], len(person(pipeline)["companies"])) == (["companies"], 10)
    assert requests(pipeline) == [("list_truncated", "notif_1", (AT + 3) * 1000)]


def test_a_read_that_shows_all_completes_the_list_and_later_payloads_of_as_many_leave_it_complete():
    pipeline = Pipeline(TENANCY).after(
        snapshot(1, companies=first_ten(*COMPANIES[:12])),
        snapshot(5, companies=listed(*COMPANIES[:12])),
        snapshot(9, companies=first_ten(*COMPANIES[:12])),
    )
    assert (person(pipeline)["incomplete"], len(person(pipeline)["companies"])) == ([], 12)
    assert len(requests(pipeline)) == 1
    pipeline.post(snapshot(11, companies=first_ten(*COMPANIES[:14])))
    assert (person(pipeline)["incomplete"], len(requests(pipeline))) == (["companies"], 2)


def test_while_a_list_stays_incomplete_a_read_is_asked_for_once_a_day():
    lists = {"companies": first_ten(*COMPANIES[:12])}
    pipeline = Pipeline(TENANCY).after(
        *(snapshot(number, at=AT + hours * 3600, **lists) for number, hours in enumerate((0, 1, 2, 26, 27, 60), 1))
    )
    assert [event for _, event, _ in requests(pipeline)] == ["notif_1", "notif_4", "notif_6"]


def test_a_detached_company_is_counted_as_gone():
    pipeline = Pipeline(TENANCY).after(
        snapshot(1, companies=listed(*COMPANIES[:12])),
        attached(COMPANIES[3], 3, verb="detached", companies=first_ten(*COMPANIES[:12])),
        snapshot(5, companies=first_ten(*(id_ for id_ in COMPANIES[:12] if id_ != COMPANIES[3]))),
    )
    assert (person(pipeline)["incomplete"], len(person(pipeline)["companies"])) == ([], 11)


@pytest.mark.parametrize("late", [("c011", "detached"), ("c099", "attached")])
def test_a_list_that_a_late_event_of_one_entry_makes_incomplete_is_asked_for_too(late):
    pipeline = Pipeline(TENANCY).after(
        snapshot(1, companies=listed(*COMPANIES[:12])), snapshot(9, companies=first_ten(*COMPANIES[:12]))
    )
    assert (person(pipeline)["incomplete"], requests(pipeline)) == ([], [])
    pipeline.post(*[attached(late[0], 5, verb=late[1])] * 2)
    assert person(pipeline)["incomplete"] == ["companies"]
    assert requests(pipeline) == [("list_truncated", "notif_5", (AT + 7) * 1000)]


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("tags", "tags"), ("segments", "segments"), ("opted_in_subscription_types", "subscribed"),
        ("opted_out_subscription_types", "unsubscribed"),
    ],
)  # fmt: skip
def test_every_list_of_a_contact_says_when_it_is_incomplete(name, public):
    pipeline = Pipeline(TENANCY).after(snapshot(1, **{name: first_ten(*TAGS[:12])}))
    assert (person(pipeline)["incomplete"], len(person(pipeline)[public])) == ([public], 10)
    assert len(requests(pipeline)) == 1


def test_a_list_that_has_more_and_does_not_say_how_many_is_incomplete():
    pipeline = Pipeline(TENANCY).after(snapshot(1, companies={"data": [{"id": "a"}], "has_more": True, "total_count": None}))
    assert person(pipeline)["incomplete"] == ["companies"]


@pytest.mark.parametrize("count", [1 << 64, 10**30, -1, True, "12", 1.5])
def test_a_count_that_is_none_costs_nothing_but_the_count(count):
    pipeline = Pipeline(TENANCY).after(
        snapshot(1, name="Ada", companies={"data": [{"id": "a"}], "has_more": True, "total_count": count})
    )
    found = person(pipeline)
    assert (found["name"], found["companies"], found["incomplete"]) == ("Ada", [f"{APP}:a"], ["companies"])


def test_any_order_gives_the_same_answer():
    bodies = [
        snapshot(1, companies=first_ten(*COMPANIES[:12])),
        attached(COMPANIES[20], 3, companies=first_ten(*COMPANIES[:12])),
        snapshot(5, companies=first_ten(*COMPANIES[:12], COMPANIES[20])),
        snapshot(7, companies=listed(*COMPANIES[:12], COMPANIES[20])),
    ]
    for history in (bodies, bodies[::-1], [bodies[2], bodies[0], bodies[3], bodies[1]]):
        assert (
            person(Pipeline(TENANCY).after(*history))["incomplete"],
            len(person(Pipeline(TENANCY).after(*history))["companies"]),
        ) == ([], 13)
    for history in (bodies[:3], bodies[2::-1]):
        assert person(Pipeline(TENANCY).after(*history))["incomplete"] == ["companies"]


def test_one_request_for_a_merge_and_a_list_of_one_event_each_has_an_id_of_its_own():
    body = posted("contact.merged", contact("new", companies=first_ten(*COMPANIES[:12])), number=1)
    pipeline = Pipeline(TENANCY).after(body)
    ids = [dict(sent.headers)["ce_id"] for sent in pipeline.sent if sent.topic == "contact.read.requests"]
    assert ({reason for reason, _, _ in requests(pipeline)}, len(set(ids))) == ({"merged_from_unknown", "list_truncated"}, 2)


def test_a_record_of_another_system_names_300_organisations():
    pipeline = Pipeline(WITH_SOURCES)
    pipeline.feed("person.records", foreign(orgs=[f"crm:{id_}" for id_ in COMPANIES]))
    assert len(person(pipeline)["companies"]) == len(pipeline.latest("memberships")) == 300


def test_an_id_that_would_break_the_key_of_a_membership_names_no_company_and_makes_the_list_assert_no_absence():
    pipeline = Pipeline(TENANCY).after(snapshot(1, companies=listed("a")), snapshot(2, companies=listed("b", "c|9")))
    assert person(pipeline)["companies"] == [f"{APP}:a", f"{APP}:b"]
    assert {(value["company"], value["record"]) for value in pipeline.values("memberships").values()} == {
        (f"{APP}:{id_}", f"{APP}:{ADA}") for id_ in ("a", "b")
    }
