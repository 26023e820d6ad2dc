"""Policies that change at any moment end in what follows from the last one alone, whatever lags behind whatever."""

import itertools
import random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.cloudevents import Origin
from schemas.ids import derived
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.profiles.policies import STRATEGIES, FieldPolicy, ProfilePolicy, SourceStrategy
from streams.agents.policies import walk
from tests.support.identity.histories import APPS, shared_history
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.identity.mixed_history import Sent
from tests.support.intercom_bodies import AT, contact, posted
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
DENIALS = st.sampled_from([(), ("name",), ("email",), ("role", "external_id"), ("*",)])


HISTORIES = st.lists(POLICIES, min_size=1, max_size=3).flatmap(
    lambda some: st.lists(st.sampled_from(some), min_size=1, max_size=4)
)  # so that policies come back, and are followed by what says the same, while their work is not done


@example(  # of the first version no work was done when the second came
    seed=8131,
    policies=[ProfilePolicy(priority=APPS, sources=(SourceStrategy(APPS[1], "ignore"),))] * 2,
    deny=(),
    always=False,
)
@example(
    seed=6247,
    policies=[ProfilePolicy(sources=(SourceStrategy(APPS[0], "append_existing"),)), ProfilePolicy()],
    deny=("email",),
    always=False,
)
@example(  # one event publishes a person, and again when a late assignment has taken its record away in between
    seed=2770, policies=[ProfilePolicy(priority=APPS[:1])] * 2, deny=("*",), always=False
)
@given(seed=st.integers(0, 1 << 30), policies=HISTORIES, deny=DENIALS, always=st.booleans())
@settings(max_examples=15, deadline=None)
def test_the_last_policy_alone_decides_and_no_change_is_published_twice(seed, policies, deny, always):
    bodies = shared_history(seed, LENGTH, 3, APPS)
    denied = [deny if always or at == len(policies) else () for at in range(1, len(policies) + 1)]
    policies = [msgspec.structs.replace(policy, deny=each) for policy, each in zip(policies, denied, strict=True)]
    expected = LaggingPipeline(TWO_WORKSPACES, random.Random(seed))
    expected.apply(policies[-1])
    expected.run()
    expected.post(*bodies)
    expected.run()
    pipeline = LaggingPipeline(TWO_WORKSPACES, random.Random(seed + 1))
    chance = random.Random(seed + 2)
    chance.shuffle(bodies)
    cuts = sorted(chance.sample(range(LENGTH + 1), len(policies)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(walk, "_PART", 2)
        for version, (policy, start, end) in enumerate(zip(policies, [0, *cuts], cuts, strict=False), 1):
            pipeline.post(*bodies[start:end])
            pipeline.run(chance.randint(0, 60))
            pipeline.apply(policy, version=version)
        pipeline.post(*bodies[cuts[-1] :])
        pipeline.run()
    assert {topic: pipeline.latest(topic) for topic in LATEST} == {topic: expected.latest(topic) for topic in LATEST}
    ids = pipeline.ids()
    assert len(ids) == len(set(ids))


def _merge_read(denied):
    """Return what happens to two contacts of whom one was merged away, and the policy that denies a field or everything."""
    app, merged, survivor = APPS[0], "b", "a"
    bodies = [
        posted("contact.user.updated", contact(id_, email=f"{id_}@a.org", created_at=AT - 9), number=number, app_id=app)
        for number, id_ in enumerate((merged, survivor))
    ]
    reading = Reading(
        app_id=app,
        type="contact",
        entity=merged,
        value=b"{}",
        read_as=ReadAs.MERGED,
        requested_at=(AT + 60) * 1000,
        successor=survivor,
    )
    return [*bodies, reading, ProfilePolicy(deny=(denied,))]


@pytest.mark.parametrize("denied", ["*", "email"])
def test_a_merge_that_was_read_over_rest_gives_the_same_person_whenever_a_policy_denies_all_that_is_known_of_its_contacts(denied):
    found = set()
    for seed, order in enumerate(itertools.permutations(_merge_read(denied))):
        pipeline = LaggingPipeline(TWO_WORKSPACES, random.Random(seed))
        for each in order:
            if isinstance(each, Reading):
                pipeline.receive(Sent(each.topic, each.key.encode(), each.value, tuple(each.headers(Origin.BACKFILL, AT))))
            elif isinstance(each, ProfilePolicy):
                pipeline.apply(each)
            else:
                pipeline.post(each)
            if seed % 2:
                pipeline.run()
        pipeline.run()
        found.add(tuple(tuple(pipeline.latest(topic).items()) for topic in LATEST))
    (only,) = found
    (person,) = (pipeline.avro.decode(value)[1] for _, value in only[0])
    survivor, merged = f"{APPS[0]}:a", f"{APPS[0]}:b"
    assert [record["key"] for record in person["records"]] == ([merged] if denied == "*" else [survivor, merged])
    assert person["id"] == derived("acme", "person", person["records"][0]["key"])
