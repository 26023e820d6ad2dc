"""Previews of merges and of rules of identity, against what the agents make of the same records once that is true."""

import random

import pytest

from schemas.activities.messages import VALUE_KIND
from schemas.ids import derived
from schemas.profiles.identity import CLAIM, RULES, Claim, ClaimMessage, IdentityRules, Key, Scope
from schemas.profiles.policies import APPEND_ONLY, OVERWRITE, ProfilePolicy
from schemas.profiles.registers import PatchCause
from streams.agents.open_record import OpenRecord
from streams.agents.profiles import ROW
from streams.ops.policies.preview import profiles_of
from streams.ops.profiles.identity_preview import regrouped
from streams.ops.profiles.merge_preview import merged
from streams.ops.profiles.reasons import field_reasons
from tests.streams.agents.foreign.test_withdrawal import withdrawn
from tests.support.identity.foreign_records import foreign
from tests.support.identity.lagging_pipeline import PROFILE_AGENTS, LaggingPipeline
from tests.support.intercom_bodies import APP, AT, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY, WITH_SOURCES

SCOPE = Scope("acme", "person")
APART, TOGETHER = IdentityRules(keys=("external_id",), blocked=()), IdentityRules(keys=("external_id", "email"), blocked=())


def saved(identifier, number, **fields):
    fields = {"created_at": AT - number, "email": "ada@example.com", "role": "user", **fields}
    return posted(
        "contact.user.updated", contact(identifier, updated=(AT + number) * 1000, **fields), number=number, at=AT + number
    )


def people(rules, policy=None):
    """The agents after three contacts of one address, two of one id, and a stranger."""
    agents = LaggingPipeline(TENANCY, random.Random(1), only=PROFILE_AGENTS)
    apply(agents, rules)
    if policy is not None:
        agents.apply(policy)
    agents.post(
        saved("a", 1, external_id="x", name="Ada", custom_attributes={"plan": "pro"}, companies=listed("c1")),
        saved("b", 2, external_id="x", name="Ada B", phone="+353861234567", unsubscribed_from_emails=True),
        saved("c", 3, external_id="y", name="Ada C", custom_attributes={"plan": "free"}, companies=listed("c1", "c2")),
        saved("d", 4, external_id="z", email="bob@example.com", name="Bob"),
    )
    agents.run()
    return agents


def test_a_preview_of_a_policy_counts_the_tenants_profiles_those_that_are_not_published_too_and_no_former_ids():
    pipeline = Pipeline(WITH_SOURCES)
    pipeline.post(
        saved("a", 1, external_id="x", role="lead", email="lead@example.com"),
        saved("b", 2, external_id="x"),
        saved("c", 3, external_id="x"),
    )
    pipeline.post(posted("contact.user.updated", contact("g", role="user"), app_id="gx", number=9))
    assert profiles_of(pipeline.tables["people"], "acme") == 2  # a lead; two contacts, one of whose ids is an alias
    pipeline.apply(ProfilePolicy(select='person.role == "lead"'))
    assert len(pipeline.latest("people")) == 2
    assert [profiles_of(pipeline.tables["people"], tenant) for tenant in ("acme", "globex", "nobody")] == [2, 1, 0]


def test_previews_count_neither_records_of_which_nothing_is_stored_nor_those_of_a_withdrawn_source():
    pipeline = Pipeline(WITH_SOURCES)
    pipeline.post(saved("a", 1, external_id="x"), saved("b", 2, external_id="x"))
    for record in (foreign(fields={"external_id": "x"}), foreign("2", fields={"name": "Bo"}), withdrawn()):
        pipeline.feed("person.records", record)
    assert profiles_of(pipeline.tables["people"], "acme") == 1
    assert regrouped(pipeline.tables["identity"], SCOPE, TOGETHER, most=10).records == 2
    pipeline.apply(ProfilePolicy(deny=("*",)))
    assert profiles_of(pipeline.tables["people"], "acme") == 0
    assert regrouped(pipeline.tables["identity"], SCOPE, TOGETHER, most=10).before == 0


def apply(agents, rules):
    agents.append("identity.rules", SCOPE.key(), RULES.encode(rules))
    agents.run()


def records_of(agents):
    """The registers of all contacts, as the people agent has them, without those that have moved away."""
    found = {}
    for key, value in agents.rows("people").items():
        profile, _, record = key.partition("|")
        row = ROW.decode(value).row
        if record and row is not None and row.assignment.profile == profile:
            found[record] = OpenRecord(row).counting
    return found


def changed_by(agents, rules):
    (table,) = [each for (name, _), each in agents.tables.items() if name == "identity" and each.rows()]
    return regrouped(table, SCOPE, rules, most=10)


def founders(agents):
    return {record["key"]: value["id"] for value in agents.values("people").values() for record in value["records"]}


@pytest.mark.parametrize(
    "policy", [None, ProfilePolicy(strategy=APPEND_ONLY), ProfilePolicy(strategy=OVERWRITE, select='person.name != "Ada C"')]
)
def test_b51_a_merge_is_previewed_as_the_agents_make_it(policy):
    agents = people(APART, policy)
    before = records_of(agents)
    ids = [derived(*SCOPE, f"{APP}:b"), derived(*SCOPE, f"{APP}:c")]
    shared = {key: before[key] for key in (f"{APP}:a", f"{APP}:b", f"{APP}:c")}
    found = merged("person", "acme", ids, shared, policy or ProfilePolicy())
    apply(agents, TOGETHER)
    published = agents.values("people").get(derived(*SCOPE, f"{APP}:c"))
    assert found.published is (published is not None)
    assert (found.profile, found.replaced) == (derived(*SCOPE, f"{APP}:c"), (derived(*SCOPE, f"{APP}:b"),))
    if published is not None:
        assert list(found.records) == published["records"]
        plain = [(each.field, each.value, each.record, each.event, each.time) for each in found.fields]
        assert plain == [
            (each.field, each.value, each.record, each.event, each.time) for each in field_reasons(published, shared)
        ]


def test_b51_a_change_of_identity_is_previewed_as_the_agents_make_it():
    agents = people(APART)
    was = founders(agents)
    assert changed_by(agents, APART).listed == ()
    found = changed_by(agents, TOGETHER)
    apply(agents, TOGETHER)
    now = founders(agents)
    assert (found.records, found.before, found.after) == (4, len({*was.values()}), len({*now.values()}))
    assert (found.joined, found.parted) == (1, 0)
    assert found.moved == sum(was[record] != now[record] for record in was) > 0
    (join,) = found.listed
    assert {*join.before} == {was[record] for record in join.records}
    assert {*join.after} == {now[record] for record in join.records}
    assert sorted(record for record in was if now[record] in join.after) == list(join.records)


def test_b51_people_who_would_part_are_previewed():
    agents = people(TOGETHER)
    found = changed_by(agents, APART)
    was = founders(agents)
    apply(agents, APART)
    now = founders(agents)
    assert (found.before, found.after, found.joined, found.parted) == (2, 3, 0, 1)
    (part,) = found.listed
    assert part.before == (was[f"{APP}:a"],)
    assert {*part.after} == {now[f"{APP}:a"], now[f"{APP}:c"]}


def test_b51_what_activities_name_by_a_value_is_no_record_of_a_preview():
    agents = people(TOGETHER)
    without = changed_by(agents, APART)
    for address in ("ada@example.com", "nobody@example.com"):
        named = Claim(keys=(Key("email", address),), answer_to=VALUE_KIND)
        agents.append(
            "identity.claims", SCOPE.key(f"{APP}:@email:{address}"), CLAIM.encode(ClaimMessage(named, PatchCause("e", 1)))
        )
    agents.run()
    assert changed_by(agents, APART) == without


def test_records_that_are_withdrawn_or_empty_make_no_profile():
    found = merged("person", "acme", ["p1", "p2"], {}, ProfilePolicy())
    assert (found.published, found.fields, found.records, found.replaced) == (False, (), (), ("p2",))
