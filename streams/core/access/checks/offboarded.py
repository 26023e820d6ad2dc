"""C2, offboarded access: it was removed when employment ended.

A leaver never passes: who left and is named by a link, or by an address that either side has or ever had, holds a finding open, until a
link names another person or the end is taken back. Loss of data opens and closes nothing by itself.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from schemas.cloudevents import timestamp
from streams.core.access.checks import evidence, freshness
from streams.core.access.checks.check import (
    CRITICAL_SEVERITY,
    FAIL,
    HIGH,
    MEDIUM,
    PASS,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Deadline,
    Wording,
    account_result,
)
from streams.core.access.checks.further.activities import LOGIN, listed, made_by, of_types
from streams.core.access.state.fields import value
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.rules_rows import WITH_BEGINNINGS, WITH_DOUBT, follows
from streams.core.access.state.row_kinds.staff_rows import StaffRecord
from streams.core.access.state.staff import Employment
from streams.core.access.state.values import CitedFact


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    if view.link:
        if view.linked is None:
            return CheckOutcome(account_result(check, view, UNKNOWN, "staff_not_known", view.since(), person=view.link))
        others = [person for person in view.directory.uncertain([view.linked], ended=True) if person.left(view.at)]
        return _of_owner(check, view, view.linked, identified=view.since(view.linked.first), others=others, alias=None)
    if view.classification and not view.leavers:
        return None
    owner = view.match.owner
    identified = before["C1"].result.since
    if owner is not None:
        others = [person for person in view.leavers if person.id != owner.id]
        return _of_owner(check, view, owner, identified=identified, others=others, alias=view.match.alias_date)
    return _without_owner(check, view, identified)


def _without_owner(check: AccountCheck, view: AccountInput, since: int) -> CheckOutcome:
    candidates = [candidate.person for candidate in view.match.candidates]
    reason = "ambiguous" if candidates else "account_not_identified"
    if not view.leavers:
        return CheckOutcome(account_result(check, view, UNKNOWN, reason, since, candidates=candidates))
    silent = not candidates and all(person.silent(view.at) for person in view.leavers)
    held = _held(view, view.leavers)
    return _open(
        check,
        view,
        "staff_withdrawn" if silent else reason,
        max(since, held),
        held=held,
        leavers=view.leavers,
        candidates=candidates,
    )


def _of_owner(
    check: AccountCheck, view: AccountInput, owner: Person, *, identified: int, others: Sequence[Person], alias: int | None
) -> CheckOutcome:
    doubt = _doubt(view, owner)
    if owner.left(view.at):
        held = _held(view, [owner], alias)
        leavers = [owner, *others]
        if doubt is not None:
            reason, since = doubt
            return _open(check, view, reason, view.since(held, since), held=held, leavers=leavers, owner=owner)
        return _failing(check, view, owner, held, leavers)
    if others:
        held = _held(view, others)
        return _open(check, view, "names_a_leaver", max(identified, held), held=held, leavers=others, owner=owner)
    if doubt is not None:
        reason, since = doubt
        return CheckOutcome(
            account_result(check, view, UNKNOWN, reason, view.since(identified, since), person=owner), owner=owner
        )
    due = owner.end.instant if owner.end else None
    others = [] if view.link or not follows(view.rules, WITH_DOUBT) else view.directory.named_by(view.account.ever)
    since = max(identified, view.employed_since(owner, *others) or identified)
    result = account_result(check, view, PASS, "employed", since, person=owner, due=due, parameters=_decided([owner]))
    return CheckOutcome(result, _decisions([owner]), owner)


def _doubt(view: AccountInput, owner: Person) -> tuple[str, int] | None:
    """Return why what is known of the owner may no longer hold, and since when (ms); None where it does."""
    if owner.silent(view.at):
        return "staff_withdrawn", max((record.withdrawn or 0 for record in owner.records), default=0)
    stale = (freshness.end_stale_since if owner.left(view.at) else freshness.stale_since)(view, owner)
    return None if stale is None else (freshness.STALE, stale)


def _failing(check: AccountCheck, view: AccountInput, owner: Person, held: int, leavers: Sequence[Person]) -> CheckOutcome:
    end, ending = owner.end, owner.ending
    assert end is not None
    assert ending is not None
    logins = of_types(view.activity(), [LOGIN], max(end.instant, view.period.start.time))
    made = made_by(view.activity())
    result = account_result(
        check, view, FAIL, "employment_ended", held, person=owner, people=leavers, held=held,
        severity=CRITICAL_SEVERITY if logins else None,
        confidence=MEDIUM if end.by == "absence" else HIGH,
        parameters={
            "employment_ended": timestamp(end.instant),
            "ended": _given_end(ending.row, end.instant) or (timestamp(end.instant) if follows(view.rules, WITH_BEGINNINGS) else ""),
            **({"evidence": "absence"} if end.by == "absence" else {}),
            **_decided([owner]),
            **({"login_after_end": timestamp(logins[0].time)} if logins else {}),
            **({"credentials": listed(made)} if made else {}),
        },
    )  # fmt: skip
    cited = (evidence.ending(ending.row), *(CitedFact(each.source) for each in logins[-1:]))
    return CheckOutcome(result, (evidence.presence(view), *evidence.link(view), *cited, *_decisions([owner])), owner)


def _open(
    check: AccountCheck, view: AccountInput, reason: str, since: int, *, held: int, leavers: Sequence[Person],
    owner: Person | None = None, candidates: Sequence[Person] = (),
) -> CheckOutcome:  # fmt: skip
    """Return UNKNOWN with a finding that is open: somebody who left may still have access."""
    end = min(person.end.instant for person in leavers if person.end)
    result = account_result(
        check, view, UNKNOWN, reason, since, person=owner, held=held, people=leavers, candidates=candidates or leavers,
        parameters={"employment_ended": timestamp(end), **_decided(leavers)},
    )  # fmt: skip
    cited = tuple(evidence.ending(person.ending.row) for person in leavers if person.ending)
    cited += _decisions(leavers)
    return CheckOutcome(result, (evidence.presence(view), *evidence.link(view), *cited), owner, tuple(candidates or leavers))


def _decided(people: Sequence[Person]) -> dict[str, str]:
    """Return which sources are decided to be right about the employment of these people."""
    sources = sorted({person.decided for person in people if person.decided})
    return {"decided": ", ".join(sources)} if sources else {}


def _decisions(people: Sequence[Person]) -> tuple[CitedFact, ...]:
    """Cite the decisions which source is right."""
    made = [(person.choice.source, person.decided) for person in people if person.choice and person.decided]
    return tuple(CitedFact(source, {"employment": decided}) for source, decided in made)


def _held(view: AccountInput, leavers: Sequence[Person], *times: int | None) -> int:
    """Return since when a finding about leavers has to be open: the latest of the presence, the link and the earliest end."""
    return view.since(min(person.end.date for person in leavers if person.end), *times)


def _given_end(record: StaffRecord, ends: int) -> str:
    """Return the end of employment as its source gave it, where it gave a date."""
    given = value(record.fields, "ends")
    return str(given["given"]) if given is not None else timestamp(ends)


OFFBOARDED: Final = AccountCheck(
    id="C2",
    uid="IC-2",
    name="offboarded-access",
    title="Access should be removed for offboarded user",
    control="Access removal on termination",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"),
    severity=4,
    answer=_answer,
    has_grace=True,
    deadline=Deadline("employment.ended", Employment.instants),
    wording=MappingProxyType({
        "employment_ended": Wording(
            "{who} left ({ended}) and is still an active Intercom teammate of {app_id}",
            "Employment ended at {employment_ended}; the account is still active.",
        ),
        "staff_withdrawn": Wording(
            "{who} left and is still an active Intercom teammate of {app_id}, as far as was last known",
            "Employment ended at {employment_ended}; no staff source has the person any more.",
        ),
        "staff_stale": Wording(
            "{who} left and is still an active Intercom teammate of {app_id}, as far as was last known",
            "Employment ended at {employment_ended}; the staff source that says so has missed three of its intervals.",
        ),
        "names_a_leaver": Wording(
            "{who} may be somebody who left and is still an active Intercom teammate of {app_id}",
            "An address of the account, present or former, is that of somebody whose employment ended at {employment_ended}.",
        ),
        "employed": Wording("{who} is employed", "No source says that employment has ended."),
    }),
    remedy="Remove the teammate in Intercom: Settings, Workspace, Teammates; reassign open conversations first.",
    remedies=MappingProxyType({"credentials": "Revoke or replace what the account made, which outlives it: {credentials}."}),
)  # fmt: skip
