"""C5, governed account: somebody answers for an account of no single person, and an external one has an end."""

from types import MappingProxyType
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
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.state.person import Person
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import Due
from streams.core.access.state.values import CitedFact, ClassificationDecision

TIMER: Final = "classification"  # in the place of a check: of the timers for accounts whose access ends by decision
EXTERNAL: Final = "external"
_SHARED: Final = "shared"


def next_change(account: AccountRow, now: int) -> Due | None:
    """Return the instant after `now` (ms) at which an external account's access ends, and the fact that says so."""
    decision = account.classification
    if decision is None or decision.kind != EXTERNAL or decision.expires is None or decision.expires <= now:
        return None
    return Due(decision.expires, decision.source.fact)


def arm(state: TenantState, account: AccountRow, now: int) -> None:
    """Arm, move or disarm the timer of an account's classification."""
    state.timers.arm(TIMER, (account.app_id, account.id), next_change(account, now))


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    decision = view.account.classification
    if decision is None or not decision.value or view.link:
        return None
    owner = view.directory.person_of(decision.owner) if decision.owner else None
    since = view.since(decision.settled)
    result, reason, date = _judged(decision, owner, since, view.at)
    if result == PASS and owner is not None:
        date = max(date, view.employed_since(owner) or date)
    parameters = {
        "classification": decision.value,
        **({"access_ends": timestamp(decision.expires)} if decision.expires is not None else {}),
        **({"employment_ended": timestamp(owner.end.instant)} if owner and owner.end and reason == "owner_left" else {}),
    }
    people = [owner] if owner else []
    cited = (evidence.presence(view), CitedFact(decision.source, {"classification": decision.value}), *evidence.records(*people))
    return CheckOutcome(
        account_result(
            check,
            view,
            result,
            reason,
            date,
            person=owner or (decision.owner if reason == "staff_not_known" else None),
            parameters=parameters,
        ),
        cited,
        owner,
    )


def _judged(decision: ClassificationDecision, owner: Person | None, since: int, at: int) -> tuple[str, str, int]:
    """Return the result, its reason and its date. Of several failures the first counts."""
    external, ends = decision.kind == EXTERNAL, decision.expires
    if owner is not None and owner.end is not None and owner.left(at):
        return FAIL, "owner_left", max(since, owner.end.date)
    if external and ends is None:
        return FAIL, "external_without_end", since
    if external and ends is not None and ends <= at:
        return FAIL, "external_ended", max(since, ends)
    if decision.kind == _SHARED and decision.owner is None:
        return FAIL, "shared_without_owner", since
    if decision.owner is not None and owner is None:
        return UNKNOWN, "staff_not_known", since
    return PASS, "governed", max(since, owner.first) if owner else since


GOVERNED: Final = AccountCheck(
    id="C5",
    uid="IC-5",
    name="governed-account",
    title="Account of no single person is governed",
    control="Ownership of shared, service and external accounts",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.16"),
    severity=3,
    answer=_answer,
    has_grace=True,
    wording=MappingProxyType({
        "owner_left": Wording(
            "{who}, a {classification} account of {app_id}, is answered for by somebody who left",
            "The employment of who answers for the account ended at {employment_ended}.",
        ),
        "external_without_end": Wording(
            "{who} is an external account of {app_id} whose access has no end", "External access was granted without an end.",
        ),
        "external_ended": Wording(
            "{who} is an external account of {app_id} whose access has ended, and is still active",
            "The access of this external account ended at {access_ends}.",
        ),
        "shared_without_owner": Wording(
            "{who} is a shared account of {app_id} that nobody answers for", "No owner was named for this shared account.",
        ),
        "governed": Wording("{who} is a {classification} account, and governed", "Its owner and its end are as they should be."),
    }),
    unknown_reasons=MappingProxyType({"staff_not_known": "no staff record of who answers for the account has arrived yet"}),
    remedy="Name an owner who is employed and an end: intercom-streams account classify ACCOUNT KIND --owner ID --until DATE; "
    "or remove the teammate.",
)  # fmt: skip
