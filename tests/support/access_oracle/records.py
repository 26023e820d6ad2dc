"""Staff records: what one source asserts about one member of staff, as registers by source time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from tests.support.access_oracle.decided.decisions import DecidedValue
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import FactDict, Key, LoggedFact, record_key
from tests.support.access_oracle.registers import latest, normal, staff_id, start_of_run
from tests.support.access_oracle.snapshots import AppliedSnapshot

Observation = tuple[int, FactDict]  # (source time, fact)
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True)
class End:
    """When an employment ended or will end, and what asserts it: ends, status or absence."""

    instant: int
    by: str
    decided: int | None = None  # the date of the settings that make absence an end

    @property
    def date(self) -> int:
        return latest(self.instant, self.decided)


Value = TypeVar("Value")


@dataclass(frozen=True)
class Asserted(Generic[Value]):
    """The present value of a descriptive field: asserted last `at`, and in an unbroken run `since`."""

    value: Value
    since: int
    at: int


@dataclass(frozen=True)
class Record:
    """One source's record: registers by source time, whatever the order of arrival."""

    key: Key
    id: str
    first: int  # the earliest observation, by source time
    present_since: int  # present without a break since then, as far as listings show
    withdrawn: int | None  # when the first listing after its last observation was requested, if one lacks it
    addresses: frozenset[str]
    past_and_present: frozenset[str]  # every address it has had
    address_since: dict[str, int]
    address_first: dict[str, int]  # when it first had each address
    lost: dict[str, int]  # addresses it had and does not give now: since when
    number: str | None
    number_since: int | None
    roles: Asserted[tuple[str, ...]] | None
    zone: Asserted[str | None] | None
    calendar: Asserted[str | None] | None
    end: End | None
    absence_is_end: bool  # its source's absence is an end of employment

    def identifies(self, now: int) -> bool:
        """Whether it identifies somebody: it is present, or absent from a source whose absence is an end that has come."""
        return self.withdrawn is None or (self.absence_is_end and self.withdrawn <= now)


def observations(facts: Sequence[LoggedFact], snapshots: Sequence[AppliedSnapshot]) -> dict[Key, list[Observation]]:
    """Return every observation of every record: single records, and rows of applied listings, dated by the listing's version."""
    by_key: dict[Key, list[Observation]] = {}
    for logged in facts:
        if logged.kind == "staff.record":
            by_key.setdefault(record_key(logged.fact), []).append((logged.fact["time"], logged.fact))
    for snapshot in snapshots:
        for row in snapshot.rows:
            by_key.setdefault(record_key(row.fact), []).append((snapshot.requested, row.fact))
    return by_key


def record_at(
    tenant: str,
    key: Key,
    observed: Sequence[Observation],
    snapshots: Sequence[AppliedSnapshot],
    *,
    absence: DecidedValue,
    interpretation: Interpretation,
) -> Record:
    """Compute one record from its observations and its source's listings.

    Fault E: "a record observed before a complete listing that lacks it is withdrawn by that listing", whichever arrives first.
    """
    times = sorted(time for time, _ in observed)
    requested = [snapshot.requested for snapshot in snapshots if snapshot.source == key[0]]
    lacking = [s.requested for s in snapshots if s.source == key[0] and key not in s.records]
    gone, back = _withdrawals(observed)
    withdrawn = min(
        (time for time in (*requested, gone) if time is not None and (time > times[-1] or time == gone)), default=None
    )
    gap = max((time for time in lacking if times[0] < time <= times[-1]), default=None)
    present_since = latest(times[0] if gap is None else min(time for time in times if time >= gap), back)
    asserted = asserted_values(observed, "addresses", _addresses)
    addresses = {time: frozenset(a for value in values for a in value) for time, values in asserted.items()}  # [N11]
    present = addresses[max(addresses)] if addresses else frozenset()
    past_and_present = frozenset(address for values in addresses.values() for address in values)
    return Record(
        key=key,
        id=staff_id(tenant, key),
        first=times[0],
        present_since=present_since,
        withdrawn=withdrawn,
        addresses=present,
        past_and_present=past_and_present,
        address_since={address: latest(present_since, _start_of_address(addresses, address)) for address in present},
        address_first={a: min(t for t, values in addresses.items() if a in values) for a in past_and_present},
        lost={address: _lost(addresses, address) for address in past_and_present - present},
        number=_number(observed),
        number_since=_number_since(observed),
        roles=_last(_roles(observed)),
        zone=_last(_named(observed, "zone")),
        calendar=_last(_named(observed, "calendar")),
        end=end_of(observed, withdrawn, absence, interpretation),
        absence_is_end=absence.value == "ended",
    )


def _withdrawals(observed: Sequence[Observation]) -> tuple[int | None, int | None]:
    """Return since when its source says of the record alone that it no longer has it, and when the source last had it again.

    The status `withdrawn` reads as a listing that lacks the record, until a later status of another value [N59].
    """
    asserted = asserted_values(observed, "status", lambda fact: fact["record"].get("status"))
    status = {time: values for time, values in asserted.items() if any(values)}
    times = sorted(status)
    back = [now for before, now in pairwise(times) if WITHDRAWN in status[before] and WITHDRAWN not in status[now]]
    is_gone = bool(times) and WITHDRAWN in status[times[-1]]
    return start_of_run(status, lambda values: WITHDRAWN in values) if is_gone else None, max(back, default=None)


def asserted_values(observed: Sequence[Observation], name: str, value: Callable[[FactDict], Any]) -> dict[int, list[Any]]:
    """Return the values of a field by time: `asserts` names the fields the source carries, empty ones included."""
    values: dict[int, list[Any]] = {}
    for time, fact in observed:
        if name in (fact["record"].get("asserts") or ()):
            values.setdefault(time, []).append(value(fact))
    return values


def _addresses(fact: FactDict) -> list[str]:
    return [normal(address) for address in (fact.get("person") or {}).get("addresses") or ()]


def _start_of_address(addresses: dict[int, frozenset[str]], address: str) -> int:
    return start_of_run(addresses, lambda values: address in values)


def _lost(addresses: dict[int, frozenset[str]], address: str) -> int:
    last = max(time for time, values in addresses.items() if address in values)
    return min(time for time in addresses if time > last)


def _numbers(observed: Sequence[Observation]) -> dict[int, str]:
    asserted = asserted_values(observed, "employee", lambda fact: fact["record"].get("employee"))
    return {time: min(value for value in values if value) for time, values in asserted.items() if any(values)}


def _number(observed: Sequence[Observation]) -> str | None:
    """Return the last employee number; an emptied number is no new number."""
    numbers = _numbers(observed)
    return numbers[max(numbers)] if numbers else None


def _number_since(observed: Sequence[Observation]) -> int | None:
    numbers = _numbers(observed)
    return start_of_run(numbers, lambda number: number == numbers[max(numbers)]) if numbers else None


def _roles(observed: Sequence[Observation]) -> dict[int, tuple[str, ...]]:
    asserted = asserted_values(observed, "roles", lambda fact: fact["record"].get("roles") or ())
    return {time: tuple(sorted({role for value in values for role in value})) for time, values in asserted.items()}


def _named(observed: Sequence[Observation], name: str) -> dict[int, str | None]:
    """Return the values of a field that is one name; of several at one time that of the greatest fact id [N49]."""
    asserted = asserted_values(observed, name, lambda fact: (fact["id"], fact["record"].get(name)))
    return {time: max(values, key=lambda value: value[0])[1] for time, values in asserted.items()}


def _last(values: dict[int, Value]) -> Asserted[Value] | None:
    if not values:
        return None
    at = max(values)
    return Asserted(values[at], start_of_run(values, lambda value: value == values[at]), at)


def end_of(
    observed: Sequence[Observation], withdrawn: int | None, absence: DecidedValue, interpretation: Interpretation
) -> End | None:
    """Return the record's end. The design: "the earliest end that any source has asserted and not itself taken back by a later
    record"."""
    ends: list[End] = []
    asserted = asserted_values(observed, "status", lambda fact: fact["record"].get("status"))
    given = {time: {s for s in values if s and s != WITHDRAWN} for time, values in asserted.items()}
    status = {time: values for time, values in given.items() if values}  # an empty one is no status, nor is `withdrawn`
    dates = asserted_values(observed, "ends", lambda fact: (fact["record"].get("ends") or {}).get("instant"))
    instants = [instant for instant in dates[max(dates)] if instant is not None] if dates else []
    if instants:
        instant = min(instants)  # "taken back by a *later* record": of two at one time the earliest end counts [N11]
        # A later "active" at or after that instant is a new employment; one before it contradicts nothing [N8].
        again = any(time > max(dates) and time >= instant and "ended" not in values for time, values in status.items())
        if not (again and interpretation.active_again):
            ends.append(End(instant, "ends"))
    if status and "ended" in status[max(status)]:
        # Faults H, H': the time of the first of an unbroken run of "ended", whatever the order of arrival.
        ends.append(End(start_of_run(status, lambda values: "ended" in values), "status"))
    if withdrawn is not None and absence.value == "ended":
        # Fault O: a source declares what absence means; `ended` gives C2 FAIL, evidence=absence, confidence 2.
        ends.append(End(withdrawn, "absence", absence.date))
    return min(ends, key=lambda end: (end.instant, end.by == "absence"), default=None)
