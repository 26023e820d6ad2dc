"""Which agents share a generation, and what happens to the others' generations when some are replaced."""

from schemas.generations import LiveGenerations, TableGeneration
from schemas.topics import TOPICS, Encoding
from streams.agents.topology import agents_of
from streams.ops.generations.state import GenerationsState, replace_live
from streams.ops.generations.units import together, unit_of, units_of
from tests.support.company import AVRO
from tests.support.tenancy import TENANCY

AGENTS = agents_of(TENANCY, AVRO)


def test_agents_that_send_each_other_internal_topics_are_one_unit() -> None:
    unit = unit_of("people", AGENTS)
    assert {"contacts", "identity", "people"} <= set(unit.agents)
    assert {"person.patches", "identity.claims", "contact.assignments"} <= set(unit.internal)
    assert {"intercom.contacts", "identity.rules"} <= set(unit.inputs)
    assert unit_of("contacts", AGENTS) == unit


def test_a_topic_that_gives_its_readers_tables_back_joins_no_units() -> None:
    assert unit_of("conversations", AGENTS).agents == ("conversations",)
    assert unit_of("happenings", AGENTS).agents == ("happenings",)
    assert {"activities", "timelines", "identity", "contacts"} <= set(unit_of("activities", AGENTS).agents)
    assert "activity.records" in unit_of("activities", AGENTS).inputs
    assert "intercom.activities" not in unit_of("contacts", AGENTS).inputs, "its history is limited and has no checkpoints"


def test_agents_that_meet_over_a_public_topic_are_units_of_their_own() -> None:
    assert unit_of("admins", AGENTS).agents == ("admins",)
    assert unit_of("access", AGENTS).inputs == ("access.facts",)


def test_every_agent_is_in_one_unit_and_no_topic_of_a_unit_is_public() -> None:
    everything = together(units_of(AGENTS))
    assert sorted(everything.agents) == sorted(agent.name for agent in AGENTS)
    assert {TOPICS[name].encoding for name in everything.internal} == {Encoding.INTERNAL}
    assert not set(everything.internal) & set(everything.inputs)


def test_a_new_generation_takes_its_agents_from_an_older_one_and_leaves_it_the_others() -> None:
    first = TableGeneration(2, ("contacts", "access"), ("person.patches",))
    live, replaced = replace_live(LiveGenerations((first,)), TableGeneration(3, ("contacts",), ("person.patches",)))
    assert [(each.number, each.agents) for each in live.generations] == [(2, ("access",)), (3, ("contacts",))]
    assert replaced == (first,)
    names = GenerationsState(live=live).names("p.")
    assert names.changelog("contacts") == "intercom-streams.g3.contacts.changelog"
    assert names.changelog("access") == "intercom-streams.g2.access.changelog"
    assert names.changelog("admins") == "intercom-streams.g1.admins.changelog"


def test_numbers_of_generations_are_never_used_twice() -> None:
    assert GenerationsState().next_number == 2
    assert GenerationsState(live=LiveGenerations((TableGeneration(7, ("access",), ()),))).next_number == 8
