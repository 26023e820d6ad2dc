"""Registers of records for tests of policies: short forms, and histories of events in any order."""

from hypothesis import strategies as st

from schemas.canonical import digest
from schemas.profiles.policies import STRATEGIES, FieldPolicy, ProfilePolicy, SourceStrategy
from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.core.profiles.public_value import public_value
from streams.core.profiles.rules import rules_of
from streams.core.records.registers import edge_registers, field_registers, join, list_registers

KEY = b"0123456789abcdef0123456789abcdef"
FIELDS = (
    "name",
    "email",
    "role",
    "created_at",
    "attributes.plan",
    "attributes.a.b",
    "traits.email",
    "unsubscribed_from_emails",
    "sms_consent",
)
EDGES = ("company:x", "company:y", "tag:7", "segment:s", "subscription:in", "archived", "deleted", "merged:z")


def at(second, rank=Rank.SNAPSHOT, event=None):
    return Version(second, rank, 0, 0, event or f"e{second}")


def joined(*parts):
    registers = Registers()
    for part in parts:
        registers = join(registers, part)
    return registers


def fields(second, **values):
    """Return a snapshot; double underscores in names are dots."""
    return field_registers(at(second), {name.replace("__", "."): value for name, value in values.items()})


def edges(second, *names, on=True, rank=Rank.ADD):
    return edge_registers(at(second, rank), names, on=on)


def person(policy=ProfilePolicy(), **records):  # noqa: B008 - it is frozen
    """Return the public person of records, by key: `crm_1` is the record `crm:1`."""
    return public_value(PERSON, profile="p", tenant="acme", records=keyed(records), rules=rules_of(policy, PERSON, KEY))


def org(policy=ProfilePolicy(), **records):  # noqa: B008
    return public_value(ORG, profile="o", tenant="acme", records=keyed(records), rules=rules_of(policy, ORG, KEY))


def keyed(records):
    return {name.replace("_", ":", 1): registers for name, registers in records.items()}


def of_sources(**strategies):
    """Return the strategies of sources, as a policy has them."""
    return tuple(SourceStrategy(*each) for each in sorted(strategies.items()))


def _value(name):
    if name.startswith(("attributes.", "traits.")):
        return st.sampled_from(['"pro"', '"free"', "7", None])
    if name in ("unsubscribed_from_emails", "sms_consent"):
        return st.sampled_from([True, False, None])
    return (
        st.sampled_from([5000, 6000, None])
        if name == "created_at"
        else st.sampled_from(["A", "B", "", None]).map(lambda text: text or None)
    )


@st.composite
def events(draw):
    """Draw what one event asserts. Its id follows from that, so no version has two values, though equal numbers can be drawn."""
    second, rank = draw(st.integers(1, 6)), draw(st.sampled_from([Rank.SNAPSHOT, Rank.ADD]))
    values = {name: draw(_value(name)) for name in draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=4))}
    kinds, on = draw(st.lists(st.sampled_from(EDGES), unique=True, max_size=3)), draw(st.booleans())
    tags = draw(st.none() | st.sampled_from([[], ["7"]]))
    asserted = digest(repr((sorted(values.items()), kinds, on, tags)).encode())
    version = at(second, rank, f"e{draw(st.integers(0, 1 << 32))}-{asserted}")
    parts = [field_registers(version, values), edge_registers(version, kinds, on=on)]
    if tags is not None:
        parts.append(list_registers(version, {"tag": tags}))
    return joined(*parts)


HISTORIES = st.lists(events(), min_size=1, max_size=5)
RECORDS = st.dictionaries(st.sampled_from(["crm:1", "crm:2", "abc:1", "billing:9"]), HISTORIES, min_size=1, max_size=4)

SOURCES = st.sampled_from(["crm", "abc", "billing"])
NAMES = st.sampled_from(["name", "email", "attributes.*", "*", "tags", "attributes.plan"])
LISTED = st.lists(SOURCES | st.just("*"), max_size=2).map(tuple)
POLICIES = st.builds(
    ProfilePolicy,
    strategy=st.sampled_from(STRATEGIES),
    priority=st.lists(SOURCES, unique=True, max_size=3).map(tuple),
    sources=st.dictionaries(SOURCES, st.sampled_from(STRATEGIES)).map(lambda each: of_sources(**each)),
    fields=st.lists(
        st.builds(FieldPolicy, NAMES, st.none() | st.sampled_from(STRATEGIES[:3]), LISTED, LISTED, st.lists(SOURCES, unique=True, max_size=2).map(tuple)),
        unique_by=lambda each: each.pattern,
        max_size=3,
    ).map(tuple),
    archive_deleted=st.booleans(),
)  # fmt: skip
