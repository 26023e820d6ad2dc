"""What further checks have in common: detections, which are open for a time after an event, and who has left.

A detection is about something that happened, so nothing can undo it. Its finding is open for some days after the latest such event (30
unless the settings say otherwise), closes before that with the account's removal, and can be exempted or acknowledged meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schemas.cloudevents import timestamp
from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    PASS,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    account_result,
)
from streams.core.access.checks.further.activities import DAY, Run, last_run, of_types
from streams.core.access.checks.further.switches import Switch
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.activity_rows import ActivityEvent
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.values import CitedFact

OPEN_FOR: Final = 30  # days
_CITED: Final = 5  # events: the latest of a long run


def switch(check: AccountCheck, view: AccountInput) -> Switch:
    """Return how the tenant wants the check done."""
    return view.switches.get(check.id) or Switch()


def run_of(check: AccountCheck, view: AccountInput, types: Iterable[str]) -> Run | None:
    """Return the run of events of these types in the account's presence that still counts, or None."""
    return counting(check, view, of_types(view.activity(), types, view.period.start.time))


def counting(check: AccountCheck, view: AccountInput, events: Sequence[ActivityEvent]) -> Run | None:
    """Return the last run of these events, or None once its time is over."""
    found = last_run(events, (switch(check, view).days or OPEN_FOR) * DAY)
    return found if found is not None and view.at < found.over else None


def detected(
    check: AccountCheck, view: AccountInput, run: Run, reason: str, *, result: str = FAIL,
    parameters: Mapping[str, str] | None = None,
) -> CheckOutcome:  # fmt: skip
    """Return that something happened, since the first of a run of events and until its time is over."""
    given = {"events": str(len(run.events)), **(parameters or {})}
    return CheckOutcome(
        account_result(check, view, result, reason, run.since, person=view.owner, parameters=given),
        (evidence.presence(view), *cited(run.events)),
        view.owner,
        changes=(run.over, run.last.source.fact),
    )


def unknown(check: AccountCheck, view: AccountInput, reason: str, since: int, *, held: int | None = None) -> CheckOutcome:
    """Return that the input lacks what is needed."""
    return CheckOutcome(account_result(check, view, UNKNOWN, reason, since, person=view.owner, held=held), owner=view.owner)


def cited(events: Sequence[ActivityEvent]) -> tuple[CitedFact, ...]:
    """Cite the latest of these events, each once."""
    facts = {event.source.fact: CitedFact(event.source, dict(event.details)) for event in events[-_CITED:]}
    return tuple(facts.values())


def certain_owner(view: AccountInput) -> Person | None:
    """Return whose account it is. By the rules of version 5 that is not certain of an address that also names somebody who left, as in C2."""
    owner = view.owner
    doubted = owner is not None and not view.link and bool(view.leavers) and not owner.left(view.at)
    return None if doubted and follows(view.rules, WITH_DOUBT) else owner


def who_left(view: AccountInput) -> tuple[Person, ...]:
    """Return whom the account belongs to and who has left; where no owner is certain, whom an address names and who has left."""
    owner = certain_owner(view)
    if owner is None:
        return view.leavers
    return (owner,) if owner.left(view.at) else ()


def end_of(people: Sequence[Person]) -> int:
    """Return the earliest end of employment of these people (ms)."""
    return min(person.end.instant for person in people if person.end)


def after_the_end(
    check: AccountCheck, view: AccountInput, people: tuple[Person, ...], types: Iterable[str], *, failing: str, passing: str
) -> CheckOutcome:
    """Return whether the account did something of these types after people had left whom it belongs to, or may belong to."""
    end, owner = end_of(people), certain_owner(view)
    events = of_types(view.activity(), types, max(end, view.period.start.time))
    if not events and owner is None:
        return unknown(check, view, "account_not_identified", view.since(end))
    if not events:
        return CheckOutcome(account_result(check, view, PASS, passing, view.since(end), person=owner), owner=owner)
    held = view.since(events[0].time)
    candidates = people if owner is None else ()
    result = account_result(
        check, view, UNKNOWN if owner is None else FAIL, "account_not_identified" if owner is None else failing, held, person=owner,
        held=held, people=people, candidates=candidates,
        parameters={"employment_ended": timestamp(end), "first": timestamp(events[0].time), "events": str(len(events))},
    )  # fmt: skip
    return CheckOutcome(result, (evidence.presence(view), *evidence.link(view), *cited(events)), owner, candidates)
