"""Staff records, read as of the snapshots of their source."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from schemas.access.facts import AccessSettings
from streams.core.access.state.history import REMEMBERED, Moment, run_start, runs, same_runs
from streams.core.access.state.observation import whole
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, StaffRecord, UnchangedRecord
from streams.core.access.state.values import AppliedSnapshot, RecordKey

ENDED: Final = "ended"  # a status, and what absence from a snapshot can mean
WITHDRAWN: Final = (
    "withdrawn"  # a status that is none of employment: the source no longer has the record, as if a snapshot lacked it
)

STATUSES: Final = (None, "", "active", "leave", ENDED, WITHDRAWN)  # of a record; an empty one asserts nothing


def absence_of(settings: AccessSettings) -> dict[str, str]:
    """Return what absence from a source's complete snapshot means, where it is not `withdrawn`: an entry of `further` by source."""
    try:
        return msgspec.json.decode(settings.further.get("absence", "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return {}


class End(NamedTuple):
    """When employment ended or will end (ms), what asserts it: ends, status or absence; and the settings' date for the last."""

    instant: int
    by: str
    decided: int | None = None

    @property
    def date(self) -> int:
        """The earliest date of an answer that rests on it."""
        return self.instant if self.decided is None else max(self.instant, self.decided)


class Record(NamedTuple):
    """A staff record as of its source's snapshots. Times are milliseconds of the source's clock."""

    row: StaffRecord
    first: int  # first observed
    there_since: int  # observed without a gap since then
    withdrawn: (
        int | None
    )  # since when its source lacks it: the first snapshot after its last observation, or a status that says so
    addresses: frozenset[str]
    address_since: Mapping[str, int]
    address_first: Mapping[str, int]  # when each address, also a former one, was first given
    lost: Mapping[str, int]  # former addresses: when each was given up
    number: str | None
    roles: tuple[str, ...] | None
    roles_at: int | None
    roles_since: int | None
    end: End | None
    asserted: End | None  # the end without regard to what absence means
    absence_ends: bool

    @property
    def key(self) -> RecordKey:
        return self.row.source, self.row.id

    def speaks(self, now: int) -> bool:
        """Say whether it identifies a person: its source has it, or its absence there is an end that has come."""
        return self.withdrawn is None or (self.absence_ends and self.withdrawn <= now)

    @property
    def employment(self) -> "Employment":
        return Employment(self.there_since, self.withdrawn, self.end, self.asserted)

    def __repr__(self) -> str:
        return f"Record({self.key!r}, ***)"


def read_record(row: StaffRecord, snapshots: Sequence[AppliedSnapshot], absence: str, decided: int | None) -> Record:
    """Read a record. `snapshots` are those of its source; `absence` is what absence from one means, since `decided`."""
    there, withdrawn = _presence(row, snapshots)
    given = runs(row.addresses)
    now = _all_addresses(given[-1].values) if given else frozenset()
    roles, asserted = runs(row.roles), _asserted_end(row)
    return Record(
        row=row,
        first=row.sights[0],
        there_since=there,
        withdrawn=withdrawn,
        addresses=now,
        address_since={address: max(there, _since(given, address)) for address in now},
        address_first=_first(given, row.ever),
        lost=_lost(given, now) if len(row.ever) > len(now) else {},
        number=number_of(row),
        roles=_roles(roles[-1].values) if roles else None,
        roles_at=roles[-1].last if roles else None,
        roles_since=run_start(roles, lambda values: _roles(values) == _roles(roles[-1].values)).time if roles else None,
        end=_end(asserted, withdrawn, absence, decided),
        asserted=asserted,
        absence_ends=absence == ENDED,
    )


def number_of(row: AnyRecord) -> str | None:
    """Return the employee number that a record has now."""
    if isinstance(row, UnchangedRecord):
        return row.number
    numbers = runs(row.employee)
    return min(numbers[-1].values) if numbers else None


class Employment(NamedTuple):
    """What a record says of employment: there without a gap since when, withdrawn when, and its end. Times are milliseconds.

    `asserted` is the end that it has whatever its source's absence means.
    """

    there_since: int
    withdrawn: int | None
    end: End | None
    asserted: End | None

    def lasts(self, now: int) -> bool:
        """Say whether the record was not withdrawn, and its end is later than `now` (ms)."""
        return self.withdrawn is None and (self.end is None or self.end.instant > now)

    def instants(self) -> set[int]:
        """Return when it changes by itself, whatever absence means by then: settings that say otherwise look at no record."""
        return {instant for instant in (self.withdrawn, self.asserted and self.asserted.instant) if instant is not None}


def employment_of(row: AnyRecord, snapshots: Sequence[AppliedSnapshot], absence: str, decided: int | None) -> Employment:
    """Read of a record what `read_record` does of employment, in a fraction of its time."""
    there, withdrawn = _presence(row, snapshots)
    asserted = _asserted_end(row)
    return Employment(there, withdrawn, _end(asserted, withdrawn, absence, decided), asserted)


def describes_alike(before: StaffRecord, after: StaffRecord) -> bool:
    """Say whether a record that was observed again reads as before, but for employment and `roles_at`."""
    if before.ever != after.ever or before.fields.keys() != after.fields.keys():
        return False
    if any(field.value != after.fields[name].value for name, field in before.fields.items()):
        return False
    return (
        same_runs(before.addresses, after.addresses)
        and same_runs(before.employee, after.employee)
        and same_runs(before.roles, after.roles)
    )


def _presence(row: AnyRecord, snapshots: Sequence[AppliedSnapshot]) -> tuple[int, int | None]:
    """Return since when a record is there without a gap, and when it was withdrawn, None where it was not."""
    there, last, withdrawn = row.sights[0], row.sights[-1], None
    if snapshots or row.lacked:
        lacking = lacking_times(row, snapshots)
        if lacking:
            withdrawn = min((requested for requested in lacking if requested > last), default=None)
            gap = max((requested for requested in lacking if requested <= last), default=None)
            there = there if gap is None else min(time for time in row.sights if time >= gap)
    is_unchanged = isinstance(row, UnchangedRecord) and row.given_status != WITHDRAWN
    if is_unchanged or (len(row.status) == 1 and row.status[0].value != WITHDRAWN):  # as nearly all are
        return there, withdrawn
    status = runs(row.status)
    if status and _gone(status[-1].values):
        since = run_start(status, _gone).time
        withdrawn = since if withdrawn is None else min(since, withdrawn)
        status = [run for run in status if run.time < since]  # what was before decides since when it was there
    if any(_gone(run.values) for run in status):
        there = max(there, run_start(status, lambda values: not _gone(values)).time)
    return there, withdrawn


def lacking_times(row: AnyRecord, snapshots: Iterable[AppliedSnapshot]) -> list[int]:
    """Return when snapshots of a record's source were requested that do not have it, after it was first observed."""
    listed, first = frozenset(row.listed), row.sights[0]
    lacking = (each.requested for each in snapshots if each.number not in listed)
    return [requested for requested in (*row.lacked, *lacking) if requested > first]


def without_snapshot(row: AnyRecord, forgotten: AppliedSnapshot) -> AnyRecord:
    """Return a record as it reads once the oldest snapshot of its source is forgotten: of those that lack it, the first is kept."""
    seen = max((time for time in row.sights if time <= forgotten.requested), default=None)
    if forgotten.number in row.listed or seen is None or forgotten.requested == row.sights[0]:
        return row
    if any(seen <= time <= forgotten.requested for time in row.lacked):
        return row
    return msgspec.structs.replace(whole(row), lacked=tuple(sorted((*row.lacked, forgotten.requested)))[-_LACKED:])


def remembered(row: AnyRecord, snapshots: Sequence[AppliedSnapshot]) -> AnyRecord:
    """Return a record with what its reading needs, where it was observed many times: by which of these snapshots, and when.

    Of the times, those within a stretch without a gap are forgotten first.
    """
    if len(row.sights) <= REMEMBERED and len(row.listed) <= REMEMBERED:
        return row
    known = {each.number for each in snapshots}
    sights, lacking = list(row.sights), sorted(lacking_times(row, snapshots))
    if lacking:
        row = whole(row)  # its histories forget other times
    while len(sights) > REMEMBERED:
        pairs = enumerate(pairwise(sights[:-1]), start=1)
        within = (place for place, (before, after) in pairs if bisect_right(lacking, after) == bisect_left(lacking, before))
        del sights[next(within, 1)]
    return msgspec.structs.replace(row, sights=tuple(sights), listed=tuple(each for each in row.listed if each in known))


_LACKED: Final = 16  # gaps of a record: far more than anybody leaves and comes back, and a bound for a faulty source


def _all_addresses(values: Sequence[Sequence[str]]) -> frozenset[str]:
    return frozenset(address for value in values for address in value)


def _roles(values: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({role for value in values for role in value}))


def _since(given: list[Moment], address: str) -> int:
    """Return since when a record has an address that it has now."""
    return given[0].time if len(given) == 1 else run_start(given, lambda values: address in _all_addresses(values)).time


def _first(given: list[Moment], ever: Iterable[str]) -> dict[str, int]:
    """Return when each address was first given; one that is no longer remembered counts as given at the oldest remembered time."""
    if len(given) == 1:
        return dict.fromkeys(ever, given[0].time)
    first: dict[str, int] = {}
    for moment in given:
        for address in _all_addresses(moment.values):
            first.setdefault(address, moment.time)
    return {address: first.get(address, given[0].time) for address in ever} if given else {}


def _lost(given: list[Moment], now: frozenset[str]) -> dict[str, int]:
    lost = {}
    for address in sorted({address for moment in given for address in _all_addresses(moment.values)} - now):
        last = max(moment.time for moment in given if address in _all_addresses(moment.values))
        lost[address] = min(moment.time for moment in given if moment.time > last)
    return lost


def _gone(status: Sequence[str]) -> bool:
    return WITHDRAWN in status


def _asserted_end(row: AnyRecord) -> End | None:
    """Return the earliest end that the record asserts and did not take back itself. Withdrawn, it keeps its end."""
    ends: list[End] = []
    if isinstance(row, UnchangedRecord) and row.given_status != ENDED and row.given_ends in ((), (None,)):
        return None  # as nearly all say
    dates, asserted = runs(row.ends), row.status
    if len(asserted) != 1 or asserted[0].value == WITHDRAWN:
        asserted = tuple(each for each in asserted if each.value != WITHDRAWN)
    status = runs(asserted)
    if dates:
        given = [instant for instant in dates[-1].values if instant is not None]
        if given:
            instant = min(given)
            again = any(each.last > dates[-1].last and each.last >= instant and ENDED not in each.values for each in status)
            if not again:  # a later status of another kind employs again, once the end had come
                ends.append(End(instant, "ends"))
    if status and ENDED in status[-1].values:
        ends.append(End(run_start(status, lambda values: ENDED in values).time, "status"))
    return min(ends, key=_rank, default=None)


def _end(asserted: End | None, withdrawn: int | None, absence: str, decided: int | None) -> End | None:
    """Return the earlier of the end that a record asserts and its withdrawal, where absence ends employment."""
    if withdrawn is None or absence != ENDED:
        return asserted
    absent = End(withdrawn, "absence", decided)
    return absent if asserted is None else min(asserted, absent, key=_rank)


def _rank(end: End) -> tuple[int, bool]:
    return end.instant, end.by == "absence"
