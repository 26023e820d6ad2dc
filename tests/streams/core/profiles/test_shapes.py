"""A profile of a known shape has the value that the general function resolves for it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from schemas.profiles.policies import FieldPolicy, ProfilePolicy, SourceStrategy
from schemas.profiles.version import Version
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.core.profiles.public_schema import Permissions
from streams.core.profiles.public_value import general_value, public_value
from streams.core.profiles.rules import NO_RULES, rules_of
from streams.core.profiles.shapes import Shapes
from streams.core.records.intercom.translate import translate
from streams.core.records.intercom.webhook_topics import CONTACTS, MERGED_AWAY
from streams.core.records.registers import NOTHING, edge_registers, field_registers, join, list_registers
from tests.support.histories import contact_events

CONSENT = ("unsubscribed_from_emails", "unsubscribed_from_sms", "sms_consent")
NAMES = (
    "name",
    "email",
    "created_at",
    "attributes.plan",
    "attributes.name",
    "traits.a.b",
    "traits.phone",
    "company_id",
    "plan_name",
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from((None, "", "Ada", "name", 0, 7, True, 1.5))) | st.just({})
STATEMENTS = st.dictionaries(st.sampled_from(CONSENT), st.sampled_from((None, True, False)))
VERSIONS = st.builds(Version, st.integers(1, 3), st.just(0), st.sampled_from((0, 5)), st.just(9), st.sampled_from("ab"))
LISTS = st.dictionaries(st.sampled_from(("tag", "company")), st.lists(st.sampled_from(("1", "@app:1", "@crm:3")), max_size=2))
COUNTS = st.just({}) | st.just({}) | st.just({"tag": 3})
RULES = st.sampled_from([
    NO_RULES,
    NO_RULES._replace(permissions=Permissions(email=False, sms=True)),
    NO_RULES._replace(archive_deleted=True),
    *(
        rules_of(policy, PERSON, b"key")
        for policy in (
            ProfilePolicy(strategy="append_only"),
            ProfilePolicy(fields=(FieldPolicy("name", locked=("*",)),)),
            ProfilePolicy(fields=(FieldPolicy("attributes.*", only_empty=("*",)), FieldPolicy("*", priority=("record", "app")))),
            ProfilePolicy(fields=(FieldPolicy("*", strategy="append_only"), FieldPolicy("name", strategy="overwrite"))),
            ProfilePolicy(strategy="ignore", fields=(FieldPolicy("created_at", strategy="append_only"),)),
            ProfilePolicy(sources=(SourceStrategy("app", "append_existing"),), fields=(FieldPolicy("email", locked=("record",)),)),
            ProfilePolicy(fields=(FieldPolicy("tags", strategy="append_only"),)),
            ProfilePolicy(enabled=False),
        )
    ),
])  # fmt: skip


@st.composite
def registers(draw):
    """Return what some snapshots assert, mostly of the same fields and without an edge, and sometimes an edge or a mark."""
    joined = NOTHING
    fields = draw(FIELDS) | draw(STATEMENTS)
    for _ in range(draw(st.integers(1, 3))):
        version = draw(VERSIONS)
        fields = fields | draw(st.dictionaries(st.sampled_from(sorted(fields)), st.none())) if fields else fields
        joined = join(joined, field_registers(version, fields | draw(st.just({}) | STATEMENTS)))
        lists = draw(LISTS)
        joined = join(joined, list_registers(version, lists, draw(COUNTS)))
        edges = [f"{kind}:{id_}" for kind, ids in lists.items() for id_ in ids] + draw(
            st.just([]) | st.sampled_from((["tag:9"], ["archived"]))
        )
        joined = join(joined, edge_registers(version, edges, on=True))
    if draw(st.integers(0, 4)) == 0:
        mark = draw(st.sampled_from(("tag:1", "company:2", "archived", "deleted", "subscription:3", "merged:x")))
        joined = join(joined, edge_registers(draw(VERSIONS), [mark], on=draw(st.booleans())))
    return joined


def both(schema, records, rules):
    """Return the value by its shape or not, and the one that is resolved generally."""
    given_ = {"profile": "p", "tenant": "acme", "records": records, "rules": rules}
    return public_value(schema, **given_), general_value(schema, **given_)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from((PERSON, ORG)),
    st.dictionaries(st.sampled_from(("app:1", "app:2", "record")), registers(), min_size=1, max_size=2),
    RULES,
)
def test_the_value_is_the_general_one(schema, records, rules):
    by_shape, general = both(schema, records, rules)
    assert repr(_in_order(by_shape)) == repr(_in_order(general))  # True equals 1, and has other bytes


NAMES_OF_PERSON = ("name", "email", "created_at", "attributes.plan", "attributes.seats", "company_id")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(("Ada", "Lee", 0, True)), min_size=len(NAMES_OF_PERSON), max_size=len(NAMES_OF_PERSON)),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, len(NAMES_OF_PERSON)),
    st.permutations("abcd"),
    RULES,
)
def test_a_policy_gives_a_record_of_snapshots_its_general_value(snapshots, fields, events, rules):
    joined = NOTHING
    for second, values in enumerate(snapshots):
        known = dict(list(zip(NAMES_OF_PERSON, values, strict=True))[:fields])
        joined = join(joined, field_registers(Version(second // 2, 0, 0, second, events[second]), known))
    for record in ("app:1", "record"):
        by_shape, general = both(PERSON, {record: joined}, rules)
        assert repr(_in_order(by_shape)) == repr(_in_order(general))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 30))
def test_the_value_is_the_general_one_behind_each_event_of_a_history(seed, contacts, length):
    known = {}
    for body in contact_events(length, contacts, seed):
        notification = envelope(body)
        for destination in destinations(notification):
            if destination.topic != "intercom.contacts":
                continue
            rule = MERGED_AWAY if destination.causation else CONTACTS[notification.topic]
            asserted = translate(rule, notification, destination.id)
            known[destination.key] = join(known.get(destination.key, NOTHING), asserted)
            by_shape, general = both(PERSON, {destination.key: known[destination.key]}, NO_RULES)
            assert repr(_in_order(by_shape)) == repr(_in_order(general))


def test_a_record_of_one_snapshot_has_a_shape_and_others_have_none():
    resolved = []

    def resolve(schema, records, rules):
        resolved.append(records)
        return general_value(schema, profile="", tenant="", records=records, rules=rules)

    shapes = Shapes(resolve)

    def value(registers):
        return shapes.value(PERSON, profile="p", tenant="acme", records={"app:1": registers}, rules=NO_RULES)

    first, second = (field_registers(Version(second, 0, 0, 0, "e"), {"name": f"name {second}"}) for second in (1, 2))
    assert value(first)["name"] == "name 1"
    assert value(join(first, second))["name"] == "name 2"
    assert len(resolved) == 1
    assert value(join(first, edge_registers(Version(3, 0, 0, 0, "e"), ["tag:1"], on=True))) is None
    assert value(join(first, list_registers(Version(3, 0, 0, 0, "e"), {}, {"tag": 3}))) is None
    assert value(NOTHING) is None
    at_once = join(first, edge_registers(Version(1, 0, 0, 0, "e"), ["tag:1", "tag:@app:1", "company:@crm:2"], on=True))
    assert value(at_once)["tags"] == ["app:1"]
    assert value(at_once)["companies"] == ["crm:2"]
    consents = [
        field_registers(Version(second, 0, 0, 0, "e"), {"name": "Ada", "sms_consent": stated})
        for second, stated in ((1, False), (2, None))
    ]
    assert value(join(*consents)) is None  # what was stated last still counts


def _in_order(value):
    """Return a value with its maps in order of name, as it is encoded."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(each) for each in value] if isinstance(value, list) else value
