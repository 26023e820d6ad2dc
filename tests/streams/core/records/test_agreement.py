"""In what a record is not as an assertion has it."""

from schemas.profiles.version import Version
from streams.core.records.agreement import disagreements, marks
from streams.core.records.registers import NOTHING, edge_registers, field_registers, join, list_registers

EARLY, LATE = Version(10, 1, 0, 0, "e"), Version(20, 1, 0, 0, "l")


def test_a_field_differs_whatever_the_versions_are():
    known, asserted = field_registers(LATE, {"name": "Ada", "phone": None}), field_registers(EARLY, {"name": "Bo", "phone": None})
    assert disagreements(known, asserted) == {"name"}
    assert disagreements(asserted, known) == {"name"}


def test_what_an_assertion_leaves_out_does_not_differ():
    assert (
        disagreements(field_registers(LATE, {"name": "Ada", "email": "a@acme.example"}), field_registers(EARLY, {"name": "Ada"}))
        == set()
    )
    assert disagreements(field_registers(LATE, {"name": "Ada"}), NOTHING) == set()


def test_an_unknown_field_is_as_an_empty_one():
    assert disagreements(NOTHING, field_registers(EARLY, {"name": None})) == set()
    assert disagreements(NOTHING, field_registers(EARLY, {"name": ""})) == {"name"}


def test_edges_differ_that_are_missing_or_too_many():
    known = edge_registers(EARLY, ["tag:1", "tag:2", "company:1"], on=True)
    assert disagreements(known, edge_registers(LATE, ["tag:1", "tag:3"], on=True)) == {"tag:3"}
    assert disagreements(known, edge_registers(LATE, ["company:1"], on=False)) == {"company:1"}
    assert disagreements(known, list_registers(LATE, {"tag": ["1"]})) == {"tag:2"}
    assert disagreements(join(known, list_registers(LATE, {"tag": ["1"]})), list_registers(LATE, {"tag": ["1"]})) == set()


def test_marks_are_those_of_what_no_list_has():
    archived = edge_registers(EARLY, ["archived", "merged:c2", "tag:1", "absorbed"], on=True)
    assert marks(archived) == {"archived", "merged"}
    assert marks(join(archived, edge_registers(LATE, ["archived"], on=False))) == {"merged"}
