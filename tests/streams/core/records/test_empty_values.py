"""Values that mean none in one field and are data in another, for every field of every object: the table in docs/profiles.md."""

import pytest

from schemas.profiles.identity import ORG, PERSON
from streams.core.records.foreign import PARSERS
from streams.core.records.intercom import parsers
from streams.core.records.intercom.objects import COMPANY, CONTACT, embedded_list
from streams.core.records.intercom.parsers import WrongType, anything

WRONG = object()  # no value of the field's type: kept as a trait
TIME = -1000  # -1 is the last second before 1970

TABLE = {
    "text": {"": None, "0": "0", 0: "0", "false": "false", "null": "null", "-1": "-1", -1: "-1", "  ": "  "},
    "own_id": {"": None, "0": "0", 0: "0", "false": "false", "null": "null", "-1": "-1", -1: "-1", "  ": "  "},
    "reference": {"": None, "0": None, 0: None, "false": "false", "null": "null", "-1": "-1", -1: "-1", "  ": "  "},
    "flag": {"": WRONG, "0": WRONG, 0: WRONG, "false": WRONG, "null": WRONG, "-1": WRONG, -1: WRONG, "  ": WRONG},
    "_truth": {"": None, "0": False, 0: False, "false": False, "null": WRONG, "-1": WRONG, -1: WRONG, "  ": WRONG},
    "count": {"": WRONG, "0": WRONG, 0: 0, "false": WRONG, "null": WRONG, "-1": WRONG, -1: -1, "  ": WRONG},
    "number": {"": WRONG, "0": WRONG, 0: 0.0, "false": WRONG, "null": WRONG, "-1": WRONG, -1: -1.0, "  ": WRONG},
    "moment": {"": None, "0": None, 0: None, "false": WRONG, "null": WRONG, "-1": TIME, -1: TIME, "  ": WRONG},
    "_milliseconds": {"": None, "0": None, 0: None, "false": WRONG, "null": WRONG, "-1": TIME, -1: TIME, "  ": WRONG},
    "entries": {"": None, "0": '"0"', 0: "0", "false": '"false"', "null": '"null"', "-1": '"-1"', -1: "-1", "  ": '"  "'},
}
LISTS = {"text": WRONG, "own_id": WRONG, "reference": WRONG, "flag": WRONG, "_truth": WRONG, "count": WRONG, "number": WRONG}
FALSE_IS_DATA = {"flag", "_truth"}

FIELDS = [
    *((f"contact.{name}", rule.parse) for name, rule in CONTACT.fields.items() if rule.parse.__name__ != "<lambda>"),
    *((f"company.{name}", rule.parse) for name, rule in COMPANY.fields.items()),
    *((f"person record.{name}", parse) for name, parse in PARSERS[PERSON].items()),
    *((f"org record.{name}", parse) for name, parse in PARSERS[ORG].items()),
]


def parsed(parse, value):
    try:
        return parse(value)
    except WrongType:
        return WRONG


@pytest.mark.parametrize(("name", "parse"), FIELDS, ids=[name for name, _ in FIELDS])
def test_each_field_says_which_values_mean_none(name, parse):
    expected = TABLE[parse.__name__]
    assert {value: parsed(parse, value) for value in expected} == expected
    assert parsed(parse, None) is None
    assert parsed(parse, False) == (
        False if parse.__name__ in FALSE_IS_DATA else "false" if parse.__name__ == "entries" else WRONG
    )


@pytest.mark.parametrize(("name", "parse"), FIELDS, ids=[name for name, _ in FIELDS])
@pytest.mark.parametrize("value", [[], {}, [None], [""]], ids=str)
def test_a_list_is_a_value_of_no_typed_field(name, parse, value):
    assert parsed(parse, value) == LISTS.get(parse.__name__, WRONG if parse.__name__ != "entries" else anything(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), ("", None), ([], None), ({}, None), (0, "0"), (False, "false"), ("0", '"0"'), ("null", '"null"'),
        ("-1", '"-1"'), ("  ", '"  "'), ([None], "[null]"), ([""], '[""]'), ({"a": None}, '{"a":null}'),
    ],
)  # fmt: skip
def test_an_attribute_is_empty_only_where_nothing_is_in_it(value, expected):
    assert anything(value) == expected


@pytest.mark.parametrize(
    "entry", [None, {}, {"id": None}, {"id": ""}, {"id": 0}, {"id": "0"}, {"id": False}, {"id": []}, {"id": "b|c"}]
)
def test_an_entry_of_a_list_without_an_id_makes_it_assert_no_absence(entry):
    found = embedded_list({"data": [entry, {"id": "a"}], "has_more": False, "total_count": 2})
    assert (found.ids, found.readable, found.complete) == (["a"], False, False)


@pytest.mark.parametrize(("name", "parse"), FIELDS, ids=[name for name, _ in FIELDS])
@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, -1e308], ids=["10^400", "-10^400", "1e308", "-1e308"])
def test_a_number_too_large_for_any_type_is_a_value_or_of_the_wrong_type(name, parse, value):
    assert parsed(parse, value) in (WRONG, str(value), anything(value))


TIMES = [(name, parse) for name, parse in FIELDS if parse.__name__ == "_milliseconds"]


@pytest.mark.parametrize(("name", "parse"), TIMES, ids=[name for name, _ in TIMES])
def test_a_time_of_these_days_in_seconds_is_none_where_times_are_milliseconds(name, parse):
    assert [parsed(parse, value) for value in (946_684_800, 1_768_018_294, 4_102_444_799)] == [WRONG] * 3
    assert [parsed(parse, value) for value in (946_684_799, 4_102_444_800, 1_768_018_294_000)] == [
        946_684_000, 4_102_444_000, 1_768_018_294_000,
    ]  # fmt: skip


def test_every_parser_is_in_the_table():
    used = {parse.__name__ for _, parse in FIELDS}
    assert used == {*TABLE}
    assert all(hasattr(parsers, name) for name in used if not name.startswith("_"))
