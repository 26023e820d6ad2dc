"""Law 2: the same set of events, in any order, repeated, in batches of any size, leaves the same rows and the same latest values."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cloudevents import context
from schemas.profiles.policies import FieldPolicy, ProfilePolicy
from tests.support.histories import contact_events
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY

PUBLIC = ("people", "orgs", "memberships")


def rows(pipeline):
    """Return the source-record rows of all tables; a profile's own row counts what was sent, which depends on the order."""
    found = {}
    for name, table in pipeline.tables.items():
        own = name in {"people", "orgs"}
        found |= {(name, key): value for key, value in table.rows().items() if "|" in key or not own}
    return found


POLICIES = st.sampled_from([
    None,
    ProfilePolicy(strategy="append_only", deny=("phone", "companies"), archive_deleted=True),
    ProfilePolicy(select="person.name != null", fields=(FieldPolicy("name", locked=("*",)),)),
])  # fmt: skip


def governed(policy):
    """Return a pipeline with that policy in force from the start."""
    pipeline = Pipeline(TENANCY)
    if policy is not None:
        pipeline.apply(policy)
    return pipeline


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 30), st.randoms(use_true_random=False), POLICIES)
def test_any_order_and_repetition_gives_the_same_rows_and_values(seed, contacts, length, chance, policy):
    history = contact_events(length, contacts, seed)
    expected = governed(policy)
    for body in sorted(set(history)):
        expected.post(body)
    shuffled = history + chance.choices(history, k=length // 2)
    chance.shuffle(shuffled)
    pipeline = governed(policy)
    for body in shuffled:
        pipeline.post(body)
    assert rows(pipeline) == rows(expected)
    for topic in PUBLIC:
        assert pipeline.latest(topic) == expected.latest(topic)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 9), min_size=1, max_size=10), st.randoms(use_true_random=False), POLICIES)
def test_any_batches_give_the_same_rows_values_and_sequences(seed, sizes, chance, policy):
    history = contact_events(sum(sizes), 3, seed)
    chance.shuffle(history)
    one, many = governed(policy), governed(policy)
    for body in history:
        one.post(body)
    for size in sizes:
        many.post(*history[:size])
        del history[:size]
    assert [table.rows() for table in many.tables.values()] == [table.rows() for table in one.tables.values()]
    for topic in PUBLIC:
        assert many.latest(topic) == one.latest(topic)
    assert _changes(many) == _changes(one)


def _changes(pipeline):
    """Return what changed in each profile, in order: one for each event, however many were processed together."""
    changes = {}
    for sent in pipeline.sent:
        if sent.topic.endswith(".changes"):
            changes.setdefault((sent.topic, sent.key), []).append((sent.value, sent.headers))
    return changes


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_no_event_id_is_sent_twice_and_a_repeated_history_sends_nothing(seed, chance):
    history = contact_events(25, 3, seed)
    chance.shuffle(history)
    pipeline = Pipeline(TENANCY)
    for body in history:
        pipeline.post(body)
    ids = [(sent.topic, context(sent.headers)["id"]) for sent in pipeline.sent]
    assert len(ids) == len(set(ids))
    for body in history:
        pipeline.post(body)
    assert len(pipeline.sent) == len(ids)
