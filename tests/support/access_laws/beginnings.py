"""The agent's answers to a history, and to others that begin like it: these continue from the rows that the facts they share gave.

A law asks about many histories, most of which differ from the first in one fact. The agent keeps nothing but its table, so what it makes
of a beginning is made once. The facts behind it are one batch, as in a log that is read again; the law of replay says that batches
change nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import msgspec

from tests.support.access_laws.product import ANSWERS_ONLY, Reader, answers_of, records_of
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import NOTHING, Answers
from tests.support.company import Company

BETWEEN: Final = 100  # offsets between two facts, so that ticks can be put there


class Place(NamedTuple):
    """What there is after some facts: the rows, how many records were sent, and what a reader made of them."""

    rows: dict[str, bytes]
    sent: int
    reader: Reader


class Beginnings:
    """The company of a history, as it was after each fact."""

    def __init__(self, history: Sequence[Entry]) -> None:
        self.history = history
        self._times = list(accumulate((entry["log_time"] for entry in history), max))
        self.company = Company()
        self._places = [Place({}, 0, Reader())]

    def walk(self) -> Iterator[Answers]:
        """Yield the answers after each fact of the history itself, processed one by one."""
        reader = Reader()
        for position, _ in enumerate(self.followed(reader)):
            yield answers_of(self.company, position, reader)

    def followed(self, reader: Reader | None = None) -> Iterator[tuple[Entry, list[dict[str, Any]]]]:
        """Yield each entry, and the findings that its fact led to; the company is as it is then."""
        reader = reader or Reader()
        for entry, record in zip(self.history, records_of(self.history, between=BETWEEN), strict=True):
            found = self.company.process([record])
            reader.follow(self.company.sent)
            self._places.append(
                Place(self.company.table.rows(), len(self.company.sent), reader.continued(msgspec.msgpack.decode))
            )
            yield entry, found

    def answer(self, history: Sequence[Entry]) -> Answers:
        """Return the answers after the whole of another history."""
        if not history:
            return NOTHING
        shared = self._shared(history)
        company = Company(avro=ANSWERS_ONLY)
        place = self._places[shared]
        company.table.store.apply(place.rows)
        if rest := list(records_of(history, shared, BETWEEN)):
            company.process(rest)
        return answers_of(company, len(history) - 1, place.reader.continued(msgspec.msgpack.decode))

    def begun(self, history: Sequence[Entry]) -> tuple[int, Company]:
        """Return how much of another history was walked over here, and a company that can continue; it has what was sent until then."""
        shared = self._shared(history)
        place, company = self._places[shared], Company()
        company.table.store.apply(place.rows)
        company.sent = self.company.sent[: place.sent]
        return shared, company

    def _shared(self, history: Sequence[Entry]) -> int:
        """Return how many facts the history begins with that were walked over here, each at the same log time: the running maximum."""
        walked = len(self._places) - 1
        time = 0
        for place, (one, other) in enumerate(zip(self.history[:walked], history, strict=False)):
            time = max(time, other["log_time"])
            if (
                other.get("offset", place) is None
                or (one["fact"] is not other["fact"] and one["fact"] != other["fact"])
                or time != self._times[place]
            ):
                return place
        return min(walked, len(history))
