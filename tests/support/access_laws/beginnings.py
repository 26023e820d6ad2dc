"""The agent's answers to a history, and to others that begin like it: these continue from the rows that the facts they share gave.

A law asks about many histories, most of which differ from the first in one fact. The agent keeps nothing but its table, so what it makes
of a beginning is made once. The facts behind it are one batch, as in a log that is read again; the law of replay says that batches
change nothing.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.support.access_laws.product import Reader, answers_of, records_of
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import NOTHING, Answers
from tests.support.company import Company


class Place(NamedTuple):
    """What there is after some facts: the rows, and how many records were sent."""

    rows: dict[str, bytes]
    sent: int


class Beginnings:
    """The company of a history, as it was after each fact."""

    def __init__(self, history: Sequence[Entry]) -> None:
        self._history = history
        self._company = Company()
        self._places = [Place({}, 0)]

    def walk(self) -> Iterator[Answers]:
        """Yield the answers after each fact of the history itself, processed one by one."""
        reader = Reader()
        for position, record in enumerate(records_of(self._history)):
            self._company.process([record])
            self._places.append(Place(self._company.table.rows(), len(self._company.sent)))
            yield answers_of(self._company, position, reader)

    def answer(self, history: Sequence[Entry]) -> Answers:
        """Return the answers after the whole of another history."""
        if not history:
            return NOTHING
        shared = self._shared(history)
        place, company = self._places[shared], Company()
        company.table.store.apply(place.rows)
        company.sent = self._company.sent[: place.sent]
        if rest := list(records_of(history, shared)):
            company.process(rest)
        return answers_of(company, len(history) - 1, Reader())

    def _shared(self, history: Sequence[Entry]) -> int:
        """Return how many facts the history begins with that were walked over here."""
        walked = len(self._places) - 1
        pairs = zip(self._history[:walked], history, strict=False)
        return next((place for place, (one, other) in enumerate(pairs) if one != other), min(walked, len(history)))
