"""The fields that a condition names are found as CEL reads it: not in its texts, not in its comments, not among the names of others."""

import pytest

from streams.core.profiles.condition_fields import fields_of


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
