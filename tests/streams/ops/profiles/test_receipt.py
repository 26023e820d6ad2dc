"""What a receipt names, and the dates it gives."""

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_settings import settings
from schemas.codec import Avro
from schemas.operations import PROFILE_ERASED, Operation
from schemas.tenancy import Tenancy
from schemas.topics import DAY_MS, TOPICS
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.ops.profiles.receipt import Receipt, cleared_stores, details_of, receipt_of
from streams.ops.profiles.stores import HOLDINGS, TABLES, FoundBy

NAMES = Naming()
AGENTS = agents_of(Tenancy.of((), ()), Avro.local())
ALL = [*TOPICS.values(), *NAMES.changelogs(AGENTS)]
AS_APPLIED = {topic.name: settings(topic, KafkaSettings()) for topic in ALL}
T = 1_768_018_360_000


def stores(**changed):
    return {store.store: store for store in cleared_stores(T, {**AS_APPLIED, **changed})}


def test_each_topic_is_in_the_table_of_stores_with_what_it_holds_about_a_person():
    """A topic without a row is searched for mentions, and its receipt says that this release does not know it: give it a row."""
    assert TOPICS.keys() - HOLDINGS.keys() == set(), "add a row to streams/ops/profiles/stores.py"


def test_a_receipt_names_every_topic_and_table_that_holds_something_and_what_is_not_in_our_hands():
    found = stores()
    holding = {
        f"topic {name}" for name, holding in HOLDINGS.items() if holding.found_by is not FoundBy.NOWHERE and name in TOPICS
    }
    changelogs = {f"topic {NAMES.changelog(agent)}" for agent in TABLES}
    tables = {f"table {agent} on disk" for agent in TABLES}
    assert found.keys() >= holding | changelogs | tables | {"spool of each ingress", "Intercom"}
    assert TABLES.keys() <= {agent.name for agent in AGENTS}


def test_dates_follow_from_the_settings_that_the_brokers_have():
    found = stores()
    day, margin = T + DAY_MS, 10 * 60_000
    assert found["topic people"].clear_by == day + DAY_MS + margin
    assert found["topic intercom.contacts"].clear_by == day + 90 * DAY_MS + margin
    assert found["topic person.patches"].clear_by == day + 7 * DAY_MS + margin
    short = {**AS_APPLIED["intercom.contacts"], "retention.ms": "1000", "segment.ms": "1000"}
    assert stores(**{"intercom.contacts": short})["topic intercom.contacts"].clear_by == T + 2000 + margin
    without_limit = {**short, "retention.ms": "-1"}
    found = stores(**{"intercom.contacts": without_limit})["topic intercom.contacts"]
    assert (found.clear_by, "without limit" in found.how) == (None, True)


def test_a_rebuilt_tables_topics_are_named_too():
    """The changelogs and internal topics of every build that is there, of one that was replaced too."""
    compact, patches = AS_APPLIED["people"], AS_APPLIED["person.patches"]
    found = stores(**{
        "intercom-streams.g2.contacts.changelog": compact, "intercom-streams.g2.person.patches": patches,
        "intercom-streams.g2.access.changelog": compact, "intercom-streams.g2.org.patches": patches,
    })  # fmt: skip
    assert found["topic intercom-streams.g2.contacts.changelog"].clear_by == found["topic people"].clear_by
    assert found["topic intercom-streams.g2.person.patches"].clear_by == found["topic person.patches"].clear_by
    assert {"topic intercom-streams.g2.access.changelog", "topic intercom-streams.g2.org.patches"}.isdisjoint(found)


def test_a_receipt_is_read_back_from_its_operation():
    receipt = Receipt(id="e-1", tenant="acme", time=T, actor="jo", marks=("m",), stores=tuple(stores().values()))
    operation = Operation(id="x", kind=PROFILE_ERASED, time=T, actor="jo", process="e-1", details=details_of(receipt))
    assert receipt_of(operation) == receipt
    assert msgspec.json.encode(receipt)
