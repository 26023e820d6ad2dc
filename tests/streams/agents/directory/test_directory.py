"""The directory agent: teams and agents of a workspace, and which of them are imported."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from schemas.directory import decisions
from schemas.directory.decisions import DirectoryDecision, DirectoryMatter
from schemas.directory.lists import TOPIC as LISTS
from schemas.directory.lists import ListKind
from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox
from tests.streams.agents.directory.in_memory_directory import APP, AVRO, BOT, Directory, agent, parts, team


def large(id_: str, *admin_ids: Any) -> dict[str, Any]:
    """Return a team that fills a part of a list."""
    return team(id_, *admin_ids) | {"note": "x" * 300_000}


@pytest.fixture
def company() -> Directory:
    """Two teams, one agent in both, one in each, and one in none."""
    made = Directory()
    made.agents(agent("1"), agent("2"), agent("3"), agent("4"), BOT)
    made.teams(team("10", 1, 2, 99), team("20", 1, 3))
    return made


def test_a_team_is_imported_without_its_members_who_can_be_added_later(company: Directory):
    company.select(team="10")
    assert company.imported() == {"teams": ["10"]}
    company.select(team="10", agent="2")
    assert company.imported() == {"agents": ["2"], "team.members": ["10|2"], "teams": ["10"]}


def test_members_of_a_team_are_imported_without_the_whole_team(company: Directory):
    for member in ("1", "2"):
        company.select(team="10", agent=member)
    assert company.imported() == {"agents": ["1", "2"]}, "agents, and no members of an imported team"
    company.select(team="10")
    assert company.imported() == {"agents": ["1", "2"], "team.members": ["10|1", "10|2"], "teams": ["10"]}


def test_a_person_on_several_teams_who_is_deselected_from_one_is_still_imported_and_missing_only_there(company: Directory):
    for name in ("10", "20"):
        company.select(team=name)
        company.select(team=name, agent="1")
    company.select(team="10", agent="1", selected=False)
    assert company.imported() == {"agents": ["1"], "team.members": ["20|1"], "teams": ["10", "20"]}
    assert company.kinds() == [("1", "requested")], "nothing was withdrawn, and nothing asked for again"
    company.select(team="20", agent="1", selected=False)
    assert company.imported() == {"teams": ["10", "20"]}
    assert company.kinds()[1:] == [("1", "deleted")], "deselected everywhere"


def test_a_role_is_chosen_for_each_agent_and_can_be_changed_after_the_import(company: Directory):
    company.decide(DirectoryMatter.ROLE, agent="1", role="Support")
    company.decide(DirectoryMatter.ROLE, agent="2", role="Lead")
    company.select(agent="1")
    company.decide(DirectoryMatter.ROLE, agent="1", role="Lead")
    assert [(each["agent"], each["kind"], each["role"]) for each in company.imports] == [
        ("1", "requested", "Support"),
        ("1", "role_changed", "Lead"),
    ]
    assert company.of("agents", "2")["role"] == "Lead"


def test_a_role_in_intercom_that_is_not_the_chosen_one_is_drift_and_an_unknown_one_is_not(company: Directory):
    company.decide(DirectoryMatter.ROLE, agent="1", role="Support")
    assert company.of("agents", "1")["drift"] is None, "answers below 2.16 have no role"
    company.agents(*(agent(each, role={"id": "7", "name": "Admin"}) for each in "1234"))
    assert company.of("agents", "1")["drift"] is True
    assert company.of("agents", "2")["drift"] is None, "no role is chosen for them"
    company.decide(DirectoryMatter.ROLE, agent="1", role="admin")
    assert company.of("agents", "1")["drift"] is False
    company.decide(DirectoryMatter.ROLE, agent="1", role=None)
    assert company.of("agents", "1")["drift"] is None


def test_who_joins_a_team_later_is_undecided_until_somebody_decides(company: Directory):
    company.select(team="10")
    company.select(team="10", agent="1")
    company.teams(team("10", 1, 2, 4), team("20", 1, 3))
    assert company.of("team.members", "10", "4")["selected"] is None
    assert company.imported()["team.members"] == ["10|1"]


def test_absence_counts_in_complete_lists_only_and_ends_an_interval(company: Directory):
    company.select(agent="4")
    at = company.of("agents", "4")["intervals"][0]["start"]
    first, second = [agent(str(number), note="x" * 300_000) for number in (1, 2)], [agent("3")]
    company.feed(LISTS, *parts(ListKind.ADMINS, [*first, *second], 50_000)[:1])
    assert company.of("agents", "4")["present"]
    company.feed(LISTS, *parts(ListKind.ADMINS, [*first, *second], 50_000)[1:])
    value = company.of("agents", "4")
    assert (value["present"], value["intervals"]) == (False, [{"start": at, "end": 50_000}])
    assert company.kinds() == [("4", "requested"), ("4", "deleted")]
    company.agents(agent("1"), agent("2"), agent("3"), agent("4"), at=60_000)
    assert company.of("agents", "4")["intervals"] == [{"start": at, "end": 50_000}, {"start": 60_000, "end": None}]
    assert company.kinds()[2:] == [("4", "requested")], "the choice has stayed"


def test_lists_that_are_repeated_interleaved_or_late_change_nothing(company: Directory):
    early = parts(ListKind.TEAMS, [large("10", 2), large("30")], 70_000)
    late = parts(ListKind.TEAMS, [large("10", 1), large("40", 3)], 80_000)
    assert len(early) == len(late) == 2
    company.agents(agent("1"), agent("2"), agent("3"), agent("4"), at=75_000)
    company.feed(LISTS, early[0], late[1], late[0])
    state, published = company.table.rows(), len(company.ids)
    company.feed(LISTS, early[1], *late, *early)
    assert company.table.rows() == state
    assert len(company.ids) == published
    assert not any("part|" in key for key in state), "what never became whole is gone"


def test_a_list_with_something_without_an_id_says_of_nobody_that_they_are_gone(company: Directory):
    company.agents(agent("1"), {"type": "admin", "id": None, "name": "?"})
    assert company.of("agents", "4")["present"]
    assert company.notes == ["list_with_items_without_id"]


@pytest.mark.parametrize("entry", [None, 5, [], "1", {}, {"id": 0}, {"id": "0"}])
def test_an_entry_that_is_none_makes_a_list_incomplete(company: Directory, entry: Any):
    (part,) = parts(ListKind.ADMINS, [agent("1"), entry], 60_000)
    company.feed(LISTS, part)
    assert company.of("agents", "4")["present"]


@pytest.mark.parametrize("admin_ids", [None, {}, "1", 0])
def test_a_team_whose_entry_does_not_say_who_is_in_it_keeps_its_members(company: Directory, admin_ids: Any):
    company.teams({**team("10"), "admin_ids": admin_ids}, team("20", 3))
    assert company.of("team.members", "10", "2")["present"]
    assert not company.of("team.members", "20", "1")["present"], "here it is said"


def test_a_bot_that_only_a_later_list_shows_as_one_is_in_no_team_any_more():
    company = Directory()
    company.teams(team("10", 1, 99))
    assert company.of("agents", "99")["teams"] == ["10"]
    company.agents(agent("1"), agent("99"), at=500)  # older than the one of teams
    company.agents(agent("1"), BOT, {"type": "admin", "id": None}, at=900)
    value = company.of("agents", "99")
    assert (value["present"], value["teams"]) == (False, [])
    assert company.of("team.members", "10", "99")["intervals"] == [{"start": 1_000, "end": 1_000}]


def test_the_bot_is_no_agent_and_nobody_can_select_it(company: Directory):
    assert f"agents {APP}|99" not in company.latest
    assert company.of("agents", "1")["teams"] == ["10", "20"]
    company.select(agent="99")
    company.select(team="10", agent="99")
    assert [(each["kind"], each["reason"]) for each in company.imports] == [("ignored", "bot")] * 2
    assert company.imported() == {}


def test_a_decision_on_a_team_or_agent_that_is_not_there_yet_holds_once_they_are(company: Directory):
    company.select(team="30")
    company.select(team="30", agent="5")
    assert company.imported() == {}
    assert company.of("teams", "30")["present"] is False
    company.teams(team("10", 1, 2), team("20", 1, 3), team("30", 5))
    assert company.imported() == {"team.members": ["30|5"], "teams": ["30"]}, "the list of teammates does not have them yet"
    company.agents(*map(agent, "12345"))
    assert company.imported() == {"agents": ["5"], "team.members": ["30|5"], "teams": ["30"]}


def test_a_stale_decision_is_recorded_and_ignored(company: Directory):
    first = company.select(team="10")
    company.decide(DirectoryMatter.TEAM, team="10", selected=False, replaces=None)
    assert [(each["kind"], each["reason"], each["actor"]) for each in company.imports] == [("ignored", "stale", "jo")]
    assert company.imported() == {"teams": ["10"]}
    assert company.of("teams", "10")["decision"] == first.id


def test_a_decision_delivered_twice_counts_once_and_no_id_is_published_twice(company: Directory):
    first = company.select(agent="4")
    second = company.select(agent="4", selected=False)
    company.record(first, second, first, second)
    assert company.kinds() == [("4", "requested"), ("4", "deleted"), ("4", "ignored"), ("4", "ignored")]
    assert company.imported() == {}
    assert len(company.ids) == len(set(company.ids))


def test_a_request_is_sent_again_and_withdrawn_and_only_where_there_is_one(company: Directory):
    company.decide(DirectoryMatter.RESEND, agent="4")
    company.select(agent="4")
    company.decide(DirectoryMatter.RESEND, agent="4")
    company.decide(DirectoryMatter.CANCEL, agent="4")
    assert company.of("agents", "4")["request"] == "cancelled"
    company.decide(DirectoryMatter.CANCEL, agent="4")
    company.decide(DirectoryMatter.RESEND, agent="4")
    assert company.of("agents", "4")["request"] == "requested"
    assert [kind for _, kind in company.kinds()] == ["ignored", "requested", "resent", "cancelled", "ignored", "resent"]
    assert company.of("agents", "4")["imported"], "a request is one thing, the selection another"


def test_an_agent_in_forty_teams_stays_imported_until_the_last_one_deselects_them():
    company = Directory()
    company.agents(agent("1"))
    company.teams(*(team(str(number), "1") for number in range(40)))
    for number in range(40):
        company.select(team=str(number), agent="1")
    for number in range(39):
        company.select(team=str(number), agent="1", selected=False)
    assert company.imported() == {"agents": ["1"]}
    company.select(team="39", agent="1", selected=False)
    assert company.imported() == {}
    assert company.kinds() == [("1", "requested"), ("1", "deleted")]


def test_an_import_has_what_an_invitation_needs(company: Directory):
    company.decide(DirectoryMatter.ROLE, agent="2", role="Lead")
    made = company.select(team="20", agent="2")
    assert company.imports == [
        {
            "tenant": "acme", "app_id": APP, "agent": "2", "kind": "requested", "time": made.time, "name": "Agent 2",
            "email": "a2@acme.example", "role": "Lead", "decision": made.id, "actor": "jo", "reason": None,
        }
    ]  # fmt: skip


def wrong() -> Iterator[tuple[str, DirectoryDecision]]:
    right = DirectoryDecision(id="d", tenant="acme", app_id=APP, matter=DirectoryMatter.TEAM, time=1, team="10", selected=True)
    yield "names team, and nothing else", msgspec.structs.replace(right, agent="1")
    yield "names team and agent", msgspec.structs.replace(right, matter=DirectoryMatter.MEMBER)
    yield "names agent, and nothing else", msgspec.structs.replace(right, matter=DirectoryMatter.ROLE)
    yield "none of them is", msgspec.structs.replace(right, team="1|2")
    yield "another tenant", msgspec.structs.replace(right, tenant="globex")
    yield "no tenant's", msgspec.structs.replace(right, app_id="unknown")


@pytest.mark.parametrize(("message", "decision"), list(wrong()), ids=[message for message, _ in wrong()])
def test_a_decision_that_cannot_be_meant_is_a_dead_letter(company: Directory, message: str, decision: DirectoryDecision):
    with pytest.raises(InvalidRecord, match=message):
        company.record(decision)


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (b"no json", {}),
        (b'{"type":"team.list"}', {}),
        (b'{"teams":3}', {}),
        (b'{"teams":[]}', {"ce_part": b"2/1"}),
        (b'{"teams":[]}', {"ce_part": b"1/9999"}),
        (b'{"teams":[]}', {"ce_type": b"intercom.rest.contact"}),
        (b'{"teams":[]}', {"ce_requestedat": b"yesterday"}),
    ],
)
def test_a_record_that_is_no_part_of_a_list_is_a_dead_letter(company: Directory, value: bytes, changes: dict[str, bytes]):
    (part,) = parts(ListKind.TEAMS, [], 90_000)
    headers = list((dict(part.headers) | changes).items())
    with pytest.raises(InvalidRecord):
        company.feed(LISTS, RecordValue(APP.encode(), value, headers))


def test_a_decision_written_with_another_partitioner_is_sent_on(company: Directory):
    decision = DirectoryDecision(id="d", tenant="acme", app_id=APP, matter=DirectoryMatter.TEAM, time=1, team="10", selected=True)
    record = RecordValue(APP.encode(), decisions.encode(AVRO, decision), [])
    out = ListOutbox()
    for number in range(4):
        company.agent.step(Batch(decisions.TOPIC, number, [record], 4), company.table, out)
    again = [sent for sent in out.sent if sent.topic == decisions.TOPIC]
    assert len(again) == 3
    assert {(sent.key, sent.value) for sent in again} == {(record.key, record.value)}
