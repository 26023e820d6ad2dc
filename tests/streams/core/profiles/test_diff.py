from msgspec.structs import asdict, astuple

from schemas.profiles.changes import FieldChange, ValueOrigin
from streams.core.profiles.diff import diff

CAUSE = ValueOrigin("app:a", "cause", 5000)
EARLIER = ValueOrigin("app:a", "e1", 1000)


def value(provenance=(), **fields):
    return {
        "id": "p", "tenant": "acme", "records": [], "unsettled": [], "updated_at": 1, "attributes": {}, "traits": {}, "companies": [],
        "sources": [asdict(EARLIER)], "provenance": dict.fromkeys(provenance, 0), **fields,
    }  # fmt: skip


def test_only_what_changed_is_told_with_both_values_as_json():
    changes = diff(value(name="Al", phone="1"), value(["name"], name="Bo", phone="1"), CAUSE)
    assert changes == [FieldChange("name", '"Al"', '"Bo"', EARLIER)]


def test_a_new_profile_tells_all_its_values():
    changes = diff(None, value(["name"], name="Al", attributes={"plan": '"pro"'}), CAUSE)
    assert [astuple(change)[:3] for change in changes] == [
        ("attributes.plan", None, '"pro"'),
        ("name", None, '"Al"'),
    ]


def test_what_went_and_what_is_a_list_names_the_cause():
    changes = diff(value(phone="1"), value(companies=["app:x"]), CAUSE)
    assert [(*astuple(change)[:3], change.origin.event) for change in changes] == [
        ("companies", None, '["app:x"]', "cause"),
        ("phone", '"1"', None, "cause"),
    ]


def test_another_event_saying_the_same_is_no_change():
    newer = {**value(["name"], name="Al"), "updated_at": 9, "sources": [{**asdict(EARLIER), "event": "e9"}]}
    assert diff(value(["name"], name="Al"), newer, CAUSE) == []
