"""The role that is chosen for an agent becomes a fact of access, once for each decision that took effect."""

import msgspec

from schemas.directory.decisions import DirectoryMatter
from streams.core.directory.rows import AgentRow
from tests.streams.agents.directory.in_memory_directory import APP, Directory, agent


def written(company: Directory) -> list[tuple[str, str | None]]:
    return [(fact["account"], fact["role"]["name"]) for fact in company.facts]


def test_each_choice_of_a_role_is_a_fact_that_replaces_the_one_before():
    company = Directory()
    company.agents(agent("1"), agent("2"))
    company.decide(DirectoryMatter.ROLE, agent="1", role="Support")
    company.decide(DirectoryMatter.ROLE, agent="2", role="Lead")
    company.decide(DirectoryMatter.ROLE, agent="1", role=None)
    assert written(company) == [("1", "Support"), ("2", "Lead"), ("1", None)]
    first, other, taken_back = company.facts
    assert [each["replaces"] for each in (first, other, taken_back)] == [None, None, first["id"]]
    assert {(each["tenant"], each["kind"], each["basis"], each["app_id"]) for each in company.facts} == {
        ("acme", "role.desired", "decided", APP)
    }
    assert first["person"]["actor"] == "jo"
    assert len({each["id"] for each in company.facts}) == 3


def test_a_decision_without_effect_is_no_fact_and_a_selection_neither():
    company = Directory()
    company.agents(agent("1"))
    made = company.decide(DirectoryMatter.ROLE, agent="1", role="Support")
    company.record(made)
    company.decide(DirectoryMatter.ROLE, agent="1", role="Lead", replaces="another")
    company.select(agent="1")
    company.agents(agent("1", name="New"))
    assert written(company) == [("1", "Support")]


def test_a_choice_that_is_older_than_such_facts_has_one_with_the_next_change_of_its_agent():
    company = Directory()
    company.agents(agent("1"))
    company.decide(DirectoryMatter.ROLE, agent="1", role="Support")
    row = company.table.get(APP, "agent|1")
    assert isinstance(row, AgentRow)
    company.table.put(APP, "agent|1", msgspec.structs.replace(row, role_fact=None))
    company.table.commit()
    company.agents(agent("1", name="New"))
    assert written(company) == [("1", "Support")] * 2
    assert company.facts[0]["id"] == company.facts[1]["id"], "which access passes over, as it has it"
