"""Laws 2 and 5 for people of several records: whatever order events come in and agents lag in, the same persons, and no id twice."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.ids import derived
from schemas.profiles.identity import IdentityRules
from schemas.profiles.registers import ProfileTableRow, RecordTableRow, SourceRecordRow
from schemas.versioned import Versioned
from streams.agents.open_record import OpenRecord
from streams.core.identity.claims import claim
from tests.support.identity.histories import shared_history
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.identity.oracle import people
from tests.support.tenancy import TWO_WORKSPACES

DEFAULT = IdentityRules()

PUBLIC = ("people", "people.aliases", "memberships", "orgs")


def finished(history, chance):
    pipeline = LaggingPipeline(TWO_WORKSPACES, chance)
    for body in history:
        pipeline.post(body)
        pipeline.run(steps=chance.choice((0, 0, 1, 5)))
    pipeline.run()
    return pipeline


def contact_rows(pipeline):
    """Return registers and profile of each contact; the number of its assignment counts what was sent, which depends on the order."""
    return {key: (bytes(row.registers), row.assignment[1:]) for key, row in rows_of_contacts(pipeline).items()}


def rows_of_contacts(pipeline):
    """Return the rows of contacts without that of the round of checkpoints."""
    rows = {key: Versioned(RecordTableRow).decode(value) for key, value in pipeline.rows("contacts").items()}
    return {key: row for key, row in rows.items() if isinstance(row, SourceRecordRow)}


def person_rows(pipeline):
    """Return the same of the records that people have."""
    rows = {key: Versioned(ProfileTableRow).decode(value).row for key, value in pipeline.rows("people").items() if "|" in key}
    return {
        key.partition("|")[2]: (bytes(row.registers), row.assignment[1:])
        for key, row in rows.items()
        if row and row.assignment.profile == key.partition("|")[0]
    }


def expected_people(pipeline):
    """Return the profile of each contact by the oracle, from what the contacts' rows say."""
    found = people({key: claim(key, OpenRecord(row).registers) for key, row in rows_of_contacts(pipeline).items()}, DEFAULT)
    return {key: (derived("acme", "person", founder), ignored) for key, (founder, ignored) in found.items()}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 25), st.randoms(use_true_random=False))
def test_any_order_and_any_lag_gives_the_same_people(seed, length, chance):
    history = shared_history(seed, length)
    first = finished(history, Random(seed))
    shuffled = history + chance.choices(history, k=length // 3)
    chance.shuffle(shuffled)
    second = finished(shuffled, chance)
    for topic in PUBLIC:
        assert second.latest(topic) == first.latest(topic), topic
    assert contact_rows(second) == contact_rows(first)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 25), st.randoms(use_true_random=False))
def test_each_contact_is_a_record_of_the_person_that_the_oracle_names(seed, length, chance):
    pipeline = finished(shared_history(seed, length), chance)
    expected = expected_people(pipeline)
    assert {key: assignment for key, (_, assignment) in contact_rows(pipeline).items()} == expected
    assert person_rows(pipeline) == contact_rows(pipeline)
    owners = {record["key"]: person for person, value in pipeline.values("people").items() for record in value["records"]}
    assert owners == {key: profile for key, (profile, _) in expected.items()}
    moved = {key: profile for key, (profile, _) in expected.items() if derived("acme", "person", key) != profile}
    assert {value["record"]: value["moved_to"] for value in pipeline.values("people.aliases").values()} == moved
    assert {key: value["person"] for key, value in pipeline.values("memberships").items()}.items() <= {
        key: owners[key.partition("|")[2]] for key in pipeline.latest("memberships")
    }.items()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.randoms(use_true_random=False))
def test_no_event_id_is_sent_twice_and_a_repeated_history_sends_nothing(seed, chance):
    history = shared_history(seed, 20)
    pipeline = finished(history, chance)
    ids = pipeline.ids()
    assert len(ids) == len(set(ids))
    pipeline.post(*history)
    pipeline.run()
    assert pipeline.ids() == ids
