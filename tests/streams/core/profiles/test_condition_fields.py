"""The fields that a condition names are found as CEL reads it: not in its texts, not in its comments, not among the names of others."""

import pytest

from streams.core.profiles.condition_fields import constants_of, fields_of
from streams.core.profiles.selection import failing_constants


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ('person.emial == "x"', {"emial"}),
        ("person . emial == null", {"emial"}),
        ('person["emial"] == null', {"emial"}),
        ("has(person.x) && person [ 'y' ] == 1", {"x", "y"}),
        ("person.attributes.person.foo == 1", {"attributes"}),
        ('person.attributes["a.b"] == "person.emial"', {"attributes"}),
        ("person.name == 'it\\'s person.emial'", {"name"}),
        (r"r'person.\' == person.name", {"name"}),
        ('person.name == """a "person.emial" b"""', {"name"}),
        ("// person.emial\nperson.name == null", {"name"}),
        ("person.size() > 1 && person[person.role] == 1", {"role"}),
        ("person.tags.exists(tag, tag == person.city)", {"tags", "city"}),
        ("myperson.foo || personal.x || person == null", set()),
    ],
)
def test_fields_are_found_where_a_condition_names_them(condition: str, named: set[str]) -> None:
    assert fields_of(condition, "person") == named


@pytest.mark.parametrize(
    ("condition", "constants"),
    [
        (r'person.email.matches(r"\d+") && matches(person.name, "x")', [("matches", r'r"\d+"')]),
        (
            "timestamp('2026-01-01T00:00:00Z') < duration ( \"1h\" )",
            [("timestamp", "'2026-01-01T00:00:00Z'"), ("duration", '"1h"')],
        ),
        ("""person.name == 'matches("(")' // matches("(")""", []),
        ("timestamp(person.created_at / 1000)", []),
    ],
)
def test_constants_are_found_where_a_function_takes_one(condition: str, constants: list[tuple[str, str]]) -> None:
    assert list(constants_of(condition)) == constants


@pytest.mark.parametrize(
    ("condition", "failing"),
    [
        (r'person.email.matches(r"^a\d+$") && timestamp("2026-01-01T00:00:00Z") < timestamp("2027-01-01T00:00:00Z")', 0),
        ('person.email.matches("(") || duration("5 days") > duration("1h")', 2),
    ],
)
def test_a_constant_that_is_none_is_named(condition: str, failing: int) -> None:
    assert len(list(failing_constants(condition))) == failing
