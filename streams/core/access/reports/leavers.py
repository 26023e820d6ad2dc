"""The section about offboarded staff: whose employment had ended, what became of their accounts, how that is known, and how late it was."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.access.report_lines import ReportedLeaver
from schemas.cloudevents import timestamp
from streams.core.access.checks import matching, presence
from streams.core.access.checks.presence import Presence
from streams.core.access.reports.accounts import known_by
from streams.core.access.reports.lives import FindingLife
from streams.core.access.reports.view import ReportView, instant, seconds
from streams.core.access.state.fields import value
from streams.core.access.state.person import Person
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.values import PresenceEvent, TeammateSnapshot

REVOKED, ACTIVE, UNCERTAIN, NOT_FOUND = "Revoked", "Active", "Unknown", "Not found"
_GRACE = "grace"  # a parameter of a finding's compliance


class _Account(NamedTuple):
    row: AccountRow
    presence: Presence


def people(view: ReportView) -> dict[str, Person]:
    """Return everybody of whom a staff record is known, by id."""
    return {person.id: person for _, row in view.state.records.walk() if (person := view.directory.person((row.source, row.id)))}


def leavers(view: ReportView, everybody: Mapping[str, Person]) -> Iterator[ReportedLeaver]:
    """Yield everybody whose employment had ended, once for each account, by name and id."""
    left = {id_: person for id_, person in everybody.items() if person.left(view.at)}
    accounts = _accounts_by_person(view) if left else {}
    for _, row in view.state.checks.walk():
        if row.episode is not None:
            view.record.lives.name(row.episode.uid, row.episode.people)
    for person in sorted(left.values(), key=lambda each: (_ended(each), each.id)):
        if view.scope.since is None or _is_of_period(view, person, accounts.get(person.id, ())):
            found = accounts.get(person.id)
            for account in found or (None,):
                yield _leaver(view, person, account)


def _accounts_by_person(view: ReportView) -> dict[str, list[_Account]]:
    """Return the accounts of leavers: by link, and without one by any address, present or former."""
    found: dict[str, list[_Account]] = {}
    for app_id, _ in view.state.workspaces.walk():
        snapshots = view.state.snapshots_of(app_id)
        for _, row in view.state.accounts.walk(app_id):
            named = _named(view, row)
            if not named:
                continue
            present = presence.presence_of(row, snapshots)
            if _was_there(row, present, snapshots):
                for id_ in named:
                    found.setdefault(id_, []).append(_Account(row, present))
    return found


def _was_there(row: AccountRow, present: Presence, snapshots: Sequence[TeammateSnapshot]) -> bool:
    """Say whether an account ever was a teammate's: one that is known by a decision alone, and that a listing lacks, never was."""
    if present.period is not None or present.unsettled is not None:
        return True
    if present.removed is None or not present.removed.snapshot:
        return present.removed is not None
    return bool(presence.periods(presence.timeline(row, snapshots)))


def _named(view: ReportView, row: AccountRow) -> list[str]:
    link = row.link.value if row.link else None
    if link:
        person = view.directory.person_of(link)
        return [person.id] if person is not None and person.left(view.at) else []
    return [person.id for person in matching.named_leavers(row, view.directory, view.at)]


def _is_of_period(view: ReportView, person: Person, accounts: Sequence[_Account]) -> bool:
    """Say whether somebody left in the period, or still had an account in it."""
    since = view.scope.since or 0
    return _ended(person) >= since or any(_removal(each.presence) is None or _gone(each.presence) >= since for each in accounts)


def _leaver(view: ReportView, person: Person, account: _Account | None) -> ReportedLeaver:
    ending, end = person.ending, person.end
    assert ending is not None
    assert end is not None
    given = value(ending.row.fields, "ends") if end.by == "ends" else None
    row = account.row if account else None
    life = view.record.lives.of_leaver(row.app_id, row.id, person.ids) if row else None
    removal = _removal(account.presence) if account else None
    due = max(end.instant, _due(view, life)) if life else end.instant
    until = view.at if removal is None else removal.time
    late = None if account is None else max(0, until - due)
    return ReportedLeaver(
        person=view.person(person),
        last_day=str(given["given"]) if given is not None else timestamp(end.instant)[:10],
        ended=timestamp(end.instant),
        ended_by=end.by,
        ended_source=ending.key[0],
        workspace=row.app_id if row else None,
        account=row.id if row else None,
        address=view.address(row),
        status=NOT_FOUND if account is None else _status(account.presence),
        revoked=instant(removal.time) if removal else None,
        known_by=known_by(removal) if removal else None,
        fact=removal.source.fact if removal else None,
        due=timestamp(due) if account else None,
        grace=_grace(life),
        within_grace=None if late is None else late == 0,
        late_seconds=None if late is None else seconds(late),
    )


def _due(view: ReportView, life: FindingLife) -> int:
    """Return when access had to be gone by the finding (ms): its deadline, or its start, of an open one as it is known now."""
    extra = life.latest.unmapped
    row = view.state.checks.get(extra.app_id, extra.account or "", extra.check)
    episode = row.episode if row else None
    is_open = episode is not None and episode.uid == life.latest.finding_info.uid
    start = episode.since if episode is not None and is_open else life.latest.start_time
    return start if extra.due_time is None else extra.due_time


def _grace(life: FindingLife | None) -> str | None:
    parameters = life.latest.compliance.control_parameters if life else ()
    return next((each.value for each in parameters if each.name == _GRACE), None)


def _status(present: Presence) -> str:
    return UNCERTAIN if present.unsettled is not None else ACTIVE if present.period is not None else REVOKED


def _removal(present: Presence) -> PresenceEvent | None:
    return present.removed if present.unsettled is None and present.period is None else None


def _gone(present: Presence) -> int:
    removal = _removal(present)
    return removal.time if removal else 0


def _ended(person: Person) -> int:
    return person.end.instant if person.end else 0
