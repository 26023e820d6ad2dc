"""Where answers begin by the rules of version 4: "An answer begins where the one before it ended" (docs/access.md).

Each function is one sentence of that page. All are read from the observations by their source times, so no order of arrival changes a date.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from tests.support.access_oracle.accounts import Account
from tests.support.access_oracle.decided.choices import right_since, rights
from tests.support.access_oracle.decided.decisions import decided_value
from tests.support.access_oracle.decided.versions import BEGINNINGS, DOUBT
from tests.support.access_oracle.log import FactDict, Key, LoggedFact, date_of
from tests.support.access_oracle.matching import Match, forms_of
from tests.support.access_oracle.matching import match as match_of
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.records import WITHDRAWN, Observation, Record, asserted_values, observations
from tests.support.access_oracle.snapshots import AppliedSnapshot
from tests.support.access_oracle.state import State, absence_of, state_until

ALWAYS: Final = float("inf")


def employed_since(state: State, person: Person) -> int | None:
    """Return since when somebody is employed again who had left: "passes C2 since then". None if nobody had left.

    Where sources contradict each other, a decision which is right says who had left while it is in force; what absence means is a decision too.
    "An end that was corrected to a later day never came": then the person has another one.
    """
    if state.version < BEGINNINGS:
        return None
    observed = observations(state.facts, state.staff_listings)
    away = [period for record in person.records for period in _periods(record, observed[record.key], state.staff_listings)]
    decided = rights(state, person)
    sources = {record.key[0] for record in person.records}
    meant = {source: _meanings(state, source) for source in sources}  # of its absence

    def absence_at(source: str, time: float) -> str | None:
        return _in_force(meant[source], time, partial(_absence, state, source), "withdrawn")

    def has_left(time: int) -> bool:
        right = _in_force(decided, time, lambda fact: fact["choice"].get("source"), None)
        return any(
            right in (None, each.source)
            and each.begun <= time < each.over
            and not (each.absent and "ended" not in (absence_at(each.source, time), absence_at(each.source, ALWAYS)))
            for each in away
        )

    def is_corrected(time: int) -> bool:
        right = _in_force(decided, time, lambda fact: fact["choice"].get("source"), None)
        return any(record.end is not None for record in state.records_of(person, time) if right in (None, record.key[0]))

    dates = {date_of(logged) for made in (decided, *meant.values()) for logged in made}
    moments = dates | {int(each.over) for each in away if each.over < ALWAYS}
    again = [time for time in moments if not has_left(time) and has_left(time - 1) and (time in dates or not is_corrected(time))]
    return max(again, default=None)


def nobody_left_since(state: State, account: Account, owner: Person) -> int | None:
    """Return since when everybody whom the account's address names or named, its owner among them, is employed again."""
    forms = forms_of(state, account.past_and_present)
    named = [
        p
        for p in state.people
        if p.id != owner.id and forms & forms_of(state, {a for r in p.records for a in r.past_and_present})
    ]
    dates = [date for person in (owner, *named) if (date := employed_since(state, person)) is not None]
    return max(dates, default=None)


def _in_force(
    made: Sequence[LoggedFact], time: float, value: Callable[[FactDict], str | None], initial: str | None
) -> str | None:
    by_then = [logged for logged in made if date_of(logged) <= time]
    return value(by_then[-1].fact) if by_then else initial


def _meanings(state: State, source: str) -> list[LoggedFact]:
    """Return the settings by which absence from a source came to mean another thing; repeated alike they date nothing [N18]."""
    found: list[LoggedFact] = []
    for logged in state.decisions_about("settings.applied"):
        before = _absence(state, source, found[-1].fact) if found else "withdrawn"
        if _absence(state, source, logged.fact) != before:
            found.append(logged)
    return found


def _absence(state: State, source: str, fact: FactDict) -> str:
    return absence_of(fact["settings"], source, state.interpretation)


def chosen_since(state: State, person: Person) -> int | None:
    """ "A decision which source is right, and one that takes it back, date what rests on them": who left has left by them.

    By the later rules nothing rests on one that leaves it at the source that was right already, also where it is about another reference.
    """
    if state.version < BEGINNINGS:
        return None
    if state.version >= DOUBT:
        return right_since(state.decisions, person.ids)
    about = [state.decisions_about("decided", id_) for id_ in person.ids]
    dates = [decided_value(made, lambda fact: fact["choice"].get("source")).date for made in about]
    return max((date for date in dates if date is not None), default=None)


class Period(NamedTuple):
    """An end of a record, from when until when it held; `absent` if the source's listings lacked the record."""

    source: str
    begun: int
    over: float
    absent: bool = False


def _periods(record: Record, observed: Sequence[Observation], snapshots: Sequence[AppliedSnapshot]) -> Iterator[Period]:
    """Yield the ends of a record: its status, its absence, and the `ends` it gave."""
    source = record.key[0]
    asserted = asserted_values(observed, "status", lambda fact: fact["record"].get("status"))
    status = {time: given for time, values in asserted.items() if (given := {s for s in values if s and s != WITHDRAWN})}
    begun: int | None = None
    for time in sorted(status):
        if begun is not None and "ended" not in status[time]:
            yield Period(source, begun, time)
        begun = None if "ended" not in status[time] else begun if begun is not None else time
    if begun is not None:
        yield Period(source, begun, ALWAYS)
    dates = asserted_values(observed, "ends", _end)
    yield from (Period(source, *dated) for dated in _dated_periods(dates, status))
    yield from (Period(source, *absent, absent=True) for absent in _absent_periods(record.key, observed, snapshots))


def _absent_periods(
    key: Key, observed: Sequence[Observation], snapshots: Sequence[AppliedSnapshot]
) -> Iterator[tuple[int, float]]:
    """Yield since when a listing lacked the record until it was observed again, and since when its own status was that [N59]."""
    times = sorted(time for time, _ in observed)
    for snapshot in snapshots:
        if snapshot.source == key[0] and key not in snapshot.records and snapshot.requested > times[0]:
            yield snapshot.requested, min((time for time in times if time >= snapshot.requested), default=ALWAYS)
    asserted = asserted_values(observed, "status", lambda fact: fact["record"].get("status"))
    status = {time: values for time, values in asserted.items() if any(values)}
    for gone in sorted(time for time in status if WITHDRAWN in status[time]):
        yield gone, min((time for time in status if time > gone and WITHDRAWN not in status[time]), default=ALWAYS)


def _end(fact: FactDict) -> int | None:
    instant: int | None = (fact["record"].get("ends") or {}).get("instant")
    return instant


def _dated_periods(dates: dict[int, list[int | None]], status: dict[int, set[str]]) -> Iterator[tuple[int, float]]:
    """Yield the periods of the ends that were given. "An end that was corrected to a later day never came." """
    times = sorted(dates)
    for place, time in enumerate(times):
        given = min((instant for instant in dates[time] if instant is not None), default=None)
        if given is None:
            continue
        until = times[place + 1] if place + 1 < len(times) else None
        again = [at for at in status if at > time and at >= given and (until is None or at < until) and "ended" not in status[at]]
        following = None if until is None else min((instant for instant in dates[until] if instant is not None), default=None)
        if again or until is None or following is None:
            over = min(again, default=ALWAYS if until is None else until)
            if given < over:
                yield given, over
        elif following <= given:
            yield given, until


def alone_since(state: State, account: Account, match: Match, since: int) -> int | None:
    """Return since when the account's address names its owner alone: "since the others lost it, or since a number showed that they are one".

    That is the last time just before which it named another one, several or nobody; `since` is the date without regard to others.
    """
    if state.version < BEGINNINGS:
        return None
    owner = match.people[0][0]
    records = [record for person in state.people for record in person.records]
    changes = [
        (*record.address_first.values(), *record.lost.values(), record.withdrawn, record.number_since) for record in records
    ]
    times = {time for of_record in changes for time in of_record if time is not None}
    for time in sorted(times, reverse=True):
        if time <= since:
            return None
        if not _is_alone(state_until(state, time - 1), account, owner):
            return time
    return None


def _is_alone(before: State, account: Account, owner: Person) -> bool:
    named = match_of(before, account, lambda record: record.identifies(before.now)).people
    return len(named) == 1 and bool(set(named[0][0].ids) & set(owner.ids))
