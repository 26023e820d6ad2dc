"""C2: nobody who left has an account."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.support.access_oracle.beginnings import chosen_since, employed_since, nobody_left_since
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.freshness import end_stale_since, person_stale_since
from tests.support.access_oracle.matching import ids_of, leavers, uncertain
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Row


def offboarded(check: CheckInput, c1: Row) -> Row:
    """The design: C2 fails while the account is active and the end of its owner's employment is at or before now."""
    state = check.state
    base = latest(check.stay.since, check.link.date)
    if check.link.value is not None:
        person = state.person_of(check.link.value)
        if person is None:
            return check.row("C2", "UNKNOWN", "staff_not_known", base, person=check.link.value)
        return _unless_stale(check, person, _of_owner(check, person, latest(base, person.first), uncertain(state, person), None))
    named = leavers(state, check.account)
    if check.classification.value is not None and not named:  # C2 and C4 are not evaluated for accounts of nobody
        return check.row("C2", "NONE", "classified", latest(base, check.classification.date))
    people = check.match.people
    if len(people) == 1:
        person = people[0][0]
        others = [p for p in named if p.id != person.id]
        return _unless_stale(check, person, _of_owner(check, person, c1.since, others, check.match.alias_date))
    return _without_owner(check, named, c1.since)


def _unless_stale(check: CheckInput, person: Person, row: Row) -> Row:
    """Edge case 10: "staff source silent … C2, C4 UNKNOWN with reason; open findings stay open"."""
    rests_on = {"PASS": person_stale_since, "FAIL": end_stale_since}.get(row.status)
    stale_since = rests_on(check.state, person) if rests_on else None
    if stale_since is None:
        return row
    since = latest(row.since, stale_since)
    return replace(row, status="UNKNOWN", reason="stale", since=since, since_settled=False, confidence=3)


def _without_owner(check: CheckInput, named: Sequence[Person], since: int) -> Row:
    """C2 of an account whose address names nobody, or several people."""
    people = check.match.people
    reason = "ambiguous" if people else "not_identified"
    candidates = tuple(person.id for person, _ in people)
    if not named:
        return check.row("C2", "UNKNOWN", reason, since, candidates=candidates)
    if not people and all(person.is_silent(check.state.now) for person in named):
        reason = "withdrawn"
    finding = _finding(check, named)
    return check.row("C2", "UNKNOWN", reason, latest(since, finding["finding_since"]), candidates=candidates, **finding)


def _employed(check: CheckInput, person: Person) -> int | None:
    if check.link.value is not None:
        return employed_since(check.state, person)
    return nobody_left_since(check.state, check.account, person)


def _finding(check: CheckInput, named: Sequence[Person], *more: int | None) -> dict[str, Any]:
    """A leaver is named, so a finding is open: "Loss of data never closes a finding and never stops its deadline"."""
    ends = [latest(person.end.date, chosen_since(check.state, person)) for person in named if person.end]
    since = latest(check.stay.since, check.link.date, min(ends), *more)
    return {"has_finding": True, "finding_since": since, "finding_people": ids_of(named)}


def _of_owner(check: CheckInput, person: Person, identified: int, others: Sequence[Person], alias_date: int | None) -> Row:
    """C2 of an account whose owner is known; `others` are leavers who may be the owner, or whom the address names besides."""
    owner = {"person": person.id, "person_ids": person.ids}
    end, silent = person.end, person.is_silent(check.state.now)
    silent_since = max((record.withdrawn or 0 for record in person.records), default=0) if silent else None
    if end is not None and person.has_left(check.state.now):
        # The design: `time` = max(access_end, added_at); and not before the link or the settings that are a cause.
        finding = _finding(check, [person], alias_date)
        finding["finding_people"] = ids_of([person, *others])
        if silent:  # fault C: "C2 of the linked person stays open (UNKNOWN while the record is gone from its source)"
            since = latest(finding["finding_since"], silent_since)
            return check.row("C2", "UNKNOWN", "withdrawn", since, silent=True, **owner, **finding)
        finding["confidence"] = 2 if end.by == "absence" else 3
        since = finding["finding_since"]
        return check.row("C2", "FAIL", "employment_ended", since, since_settled=True, **owner, **finding)
    if others:  # the owner is active, but may be somebody who left: neither PASS nor FAIL [N5], [N7]
        finding = _finding(check, others)
        return check.row("C2", "UNKNOWN", "names_a_leaver", latest(identified, finding["finding_since"]), **owner, **finding)
    if silent:
        return check.row("C2", "UNKNOWN", "withdrawn", latest(identified, silent_since), silent=True, **owner)
    return check.row("C2", "PASS", "employed", latest(identified, _employed(check, person)), **owner)
