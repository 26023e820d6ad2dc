"""Policies that change at any moment end in what follows from the last one alone, whatever lags behind whatever."""

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.profiles.policies import STRATEGIES, FieldPolicy, ProfilePolicy, SourceStrategy
from tests.support.identity.histories import APPS, shared_history
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.tenancy import TWO_WORKSPACES

LATEST = ("people", "people.aliases", "memberships", "orgs")
LENGTH = 25
SOURCES = st.sampled_from(APPS)
POLICIES = st.builds(
    ProfilePolicy,
    strategy=st.sampled_from(STRATEGIES[:3]),
    priority=st.lists(SOURCES, unique=True).map(tuple),
    sources=st.dictionaries(SOURCES, st.sampled_from(STRATEGIES), max_size=1).map(
        lambda each: tuple(SourceStrategy(*pair) for pair in each.items())
    ),
    fields=st.lists(
        st.builds(FieldPolicy, st.sampled_from(["name", "*", "companies"]), locked=st.sampled_from([(), ("*",)])), max_size=1
    ).map(tuple),
    select=st.none() | st.sampled_from(['person.name == "A"', "person.email != null", 'person.attributes.x == "1"', "person.status == 'active'"]),
    archive_deleted=st.booleans(),
)  # fmt: skip
DENIALS = st.sampled_from([(), ("name",), ("email",), ("role", "external_id")])


@example(
    seed=6247, policies=[ProfilePolicy(sources=(SourceStrategy(APPS[0], "append_existing"),)), ProfilePolicy()], deny=("email",)
)
@given(seed=st.integers(0, 1 << 30), policies=st.lists(POLICIES, min_size=1, max_size=3), deny=DENIALS)
@settings(max_examples=15, deadline=None)
def test_the_last_policy_alone_decides_and_no_change_is_published_twice(seed, policies, deny):
    bodies = shared_history(seed, LENGTH, 3, APPS)
    policies = [*policies[:-1], ProfilePolicy(**{**_fields(policies[-1]), "deny": deny})]
    expected = LaggingPipeline(TWO_WORKSPACES, random.Random(seed))
    expected.apply(policies[-1])
    expected.run()
    expected.post(*bodies)
    expected.run()
    pipeline = LaggingPipeline(TWO_WORKSPACES, random.Random(seed + 1))
    chance = random.Random(seed + 2)
    chance.shuffle(bodies)
    cuts = sorted(chance.sample(range(LENGTH + 1), len(policies)))
    for version, (policy, start, end) in enumerate(zip(policies, [0, *cuts], cuts, strict=False), 1):
        pipeline.post(*bodies[start:end])
        pipeline.run(chance.randint(0, 60))
        pipeline.apply(policy, version=version)
    pipeline.post(*bodies[cuts[-1] :])
    pipeline.run()
    assert {topic: pipeline.latest(topic) for topic in LATEST} == {topic: expected.latest(topic) for topic in LATEST}
    ids = pipeline.ids()
    assert len(ids) == len(set(ids))


def _fields(policy):
    return {name: getattr(policy, name) for name in policy.__struct_fields__}
