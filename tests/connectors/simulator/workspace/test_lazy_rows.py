"""Rows made when they are read are the same as a table that has them all, whatever changed; ids come back as their numbers."""

from itertools import islice

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.simulator.workspace.identifiers import IdScheme
from connectors.simulator.workspace.lazy_rows import LazyRows, PastTimes


class Line(msgspec.Struct, frozen=True):
    number: int
    updated_ms: int
    listed: bool = True


END, SPAN, COUNT, RESERVED = 1000, 90, 12, 15
TIMES = PastTimes(END, SPAN, COUNT)
changes = st.lists(st.tuples(st.integers(0, 19), st.integers(900, 1100), st.booleans()), max_size=30)


def past(number: int) -> Line:
    return Line(number, TIMES(number), number < COUNT)


def after_changes(changed: list[tuple[int, int, bool]]) -> tuple[LazyRows[Line], dict[int, Line]]:
    """The rows, and a table that has all of them."""
    rows: LazyRows[Line] = LazyRows(past, TIMES, COUNT, RESERVED)
    table = {number: past(number) for number in range(RESERVED)}
    for number, updated, listed in changed:
        row = Line(min(number, rows.next_number), updated, listed)
        rows.put(row, updated)
        table[row.number] = row
    return rows, table


@given(changes, st.integers(880, 1110), st.integers(880, 1110), st.booleans(), st.integers(1, 5))
def test_rows_made_when_read_are_those_of_a_table_that_has_them_all(changed, start, end, descending, size) -> None:
    rows, table = after_changes(changed)
    listed = sorted(number for number, row in table.items() if row.listed)
    assert list(rows.numbers()) == listed
    assert rows.listed == len(listed)
    assert {number: rows.get(number) for number in range(-1, 40)} == {number: table.get(number) for number in range(-1, 40)}
    inside = [(row.updated_ms, row.number) for row in table.values() if row.listed and start <= row.updated_ms < end]
    assert list(rows.between(start, end, descending=descending)) == sorted(inside, reverse=descending)
    assert rows.count_between(start, end) == len(inside)
    paged, after = [], None
    while page := list(islice(rows.between(start, end, after, descending=descending), size)):
        paged += page
        after = page[-1]
    assert paged == sorted(inside, reverse=descending)


@given(changes, st.integers(-1, 25))
def test_a_list_continues_after_any_number(changed, after) -> None:
    rows, table = after_changes(changed)
    assert list(rows.numbers(after)) == sorted(number for number, row in table.items() if row.listed and number > after)


@given(changes)
def test_memory_has_what_changed_and_nothing_else(changed) -> None:
    rows, _ = after_changes(changed)
    list(rows.numbers())
    list(rows.between(0, 2000))
    assert rows.held == len(list(rows.changed()))
    assert rows.held <= len(changed)
    assert rows.made == 0


@given(st.text(max_size=5), st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_an_id_gives_its_number_back_and_belongs_to_no_other(app_id, number, other) -> None:
    ids = IdScheme(app_id, 1, "contact")
    assert ids.number(ids.of(number)) == number
    assert (ids.of(number) == ids.of(other)) == (number == other)
    assert len(ids.of(number)) == 24
    for text in ("", "x" * 24, ids.of(number).upper() + "0", ids.of(number)[:-1]):
        assert ids.number(text) == -1
