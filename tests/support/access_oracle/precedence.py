"""Which of a person's records gives a descriptive field. The design: "Precedence orders descriptive fields only"."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.support.access_oracle.log import Key
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.records import Asserted, Record
from tests.support.access_oracle.state import State

Value = TypeVar("Value")
Read = Callable[[Record], Asserted[Value] | None]


def giving(state: State, records: Sequence[Record], read: Read[Value], now: int) -> list[tuple[Record, Asserted[Value]]]:
    """Return the records that give a field, and what each asserts, the one that counts first.

    Among sources that the precedence does not name the later assertion counts [N20]. Withdrawn records give the last value
    known, where no other gives any: enough to keep a finding open, not to answer [N9].
    """
    precedence: tuple[str, ...] = tuple(state.setting(lambda settings: settings.get("precedence") or (), ()).value)
    given = [(record, value) for record in records if (value := read(record)) is not None]

    def rank(pair: tuple[Record, Asserted[Value]]) -> tuple[int, int, Key]:
        source = pair[0].key[0]
        place = precedence.index(source) if source in precedence else len(precedence)
        return place, -pair[1].at, pair[0].key

    return sorted([pair for pair in given if pair[0].identifies(now)] or given, key=rank)


def first_by_precedence(state: State, person: Person, read: Read[Value]) -> Value | None:
    """Return the value of a descriptive field of a person, None if no record gives it."""
    given = giving(state, person.records, read, state.now)
    return given[0][1].value if given else None
