"""Several events of one record in one batch are one patch, and lead to what a patch for each of them does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.message import RecordValue, header
from schemas.profiles.registers import PATCH
from streams.agents import source_records
from tests.support.intercom_bodies import AT, company, contact, posted
from tests.support.oracle import Pipeline, routed
from tests.support.tenancy import TENANCY

CONTACTS = ("65f0c0ffee00000000000001", "65f0c0ffee00000000000002", "65f0c0ffee00000000000003")


def event(number, who, kind, value, at):
    about = contact(CONTACTS[who], updated=AT * 1000 + at, name=value, email=None if value == "b" else f"{value}@example.com")
    if kind == "saved":
        return posted("contact.user.updated", about, number=number, at=AT + at)
    if kind in ("attached", "detached"):
        return posted(f"company.contact.{kind}", {"company": company(), "contact": about}, number=number, at=AT + at)
    return posted(f"contact.{kind}", about, number=number, at=AT + at)


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["saved", "saved", "saved", "attached", "detached", "archived", "deleted"]),
        st.sampled_from("abc"),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=12,
)


def published(events, batches):
    """Return the changes, the patches, and the last value of every other public key, with so many events in a batch."""
    pipeline, records = Pipeline(TENANCY), []
    for number, each in enumerate(events):
        for topic, record in routed(event(number, *each)):
            if topic == "intercom.contacts":
                traced = RecordValue(record.key, record.value, [*record.headers, ("traceparent", b"00-%d" % number)])
                records.append((topic, traced))
    for start in range(0, len(records), batches):
        pipeline.feed("intercom.contacts", *(record for _, record in records[start : start + batches]))
    changes = sorted(
        (record.key, record.value, tuple(record.headers)) for record in pipeline.sent if record.topic == "people.changes"
    )
    return pipeline, changes


@given(EVENTS)
@settings(max_examples=50)
def test_the_changes_are_those_of_a_patch_for_each_event(events):
    """In one batch the identity agent answers later, so contacts that share an address are left out here."""
    events = [each for each in events if each[0] == events[0][0]]
    alone, together = published(events, 1), published(events, len(events))
    assert alone[1] == together[1]
    assert alone[0].tables["people"].rows() == together[0].tables["people"].rows()
    assert alone[0].tables["contacts"].rows() == together[0].tables["contacts"].rows()


def one_contact(number):
    return [routed(event(each, 0, "saved", "ac"[each % 2], each))[0][1] for each in range(number)]


def patches_of(*records):
    pipeline = Pipeline(TENANCY)
    pipeline.feed("intercom.contacts", *records)
    return [PATCH.decode(record.value) for record in pipeline.sent if record.topic == "person.patches"]


def test_a_patch_has_each_event_of_its_record_in_order():
    (patch,) = patches_of(*one_contact(4))
    assert [state.cause.event for state in patch.earlier] == ["notif_0", "notif_1", "notif_2"]
    assert patch.cause.event == "notif_3"


def test_each_change_has_the_trace_of_its_own_event():
    _, changes = published([(0, "saved", "ac"[each % 2], each) for each in range(4)], 4)
    assert sorted((header(headers, "ce_causationid"), header(headers, "traceparent")) for _, _, headers in changes) == [
        (f"notif_{each}", f"00-{each}") for each in range(4)
    ]


def test_a_patch_that_comes_late_is_joined_state_by_state():
    records = one_contact(3)
    pipeline, later = Pipeline(TENANCY), Pipeline(TENANCY)
    pipeline.feed("intercom.contacts", *records)
    later.feed("intercom.contacts", records[2])
    late = Pipeline(TENANCY)
    late.feed("intercom.contacts", *records[:2])
    (patch,) = [RecordValue(each.key, each.value, each.headers) for each in late.sent if each.topic == "person.patches"]
    later.feed("person.patches", patch)
    assert later.values("people") == pipeline.values("people")


def test_a_history_that_would_make_a_patch_large_is_divided(monkeypatch):
    monkeypatch.setattr(source_records, "_LARGEST_HISTORY", 300)
    patches = patches_of(*one_contact(8))
    assert 1 < len(patches) < 8
    assert [cause.event for patch in patches for cause in [*(state.cause for state in patch.earlier), patch.cause]] == [
        f"notif_{each}" for each in range(8)
    ]
