"""C15, used seats: who has a seat shows a sign of life now and then; days without one are counted."""

from types import MappingProxyType
from typing import Final

from schemas.cloudevents import timestamp
from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    PASS,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.checks.further.activities import DAY
from streams.core.access.checks.further.outcomes import switch, unknown
from streams.core.access.state.fields import value

UNUSED_FOR: Final = 90  # days


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    seat, start = value(view.account.fields, "has_inbox_seat"), view.period.start
    if seat is False:
        return None
    if seat is None:
        return unknown(check, view, "seat_not_known", start.time)
    row, reported = view.activity(), view.workspace_activity()
    if reported is None or reported.last is None:
        return unknown(check, view, "no_signs_reported", start.time)
    last, fact = max((start.time, start.source.fact), row.last if row is not None and row.last else (0, ""))
    days = switch(check, view).days or UNUSED_FOR
    over = last + days * DAY
    parameters = {"last": timestamp(last), "days": str(days)}
    if view.at >= over:
        result = account_result(check, view, FAIL, "unused", over, person=view.owner, parameters=parameters)
        return CheckOutcome(result, (evidence.presence(view),), view.owner)
    result = account_result(check, view, PASS, "used", start.time, person=view.owner)
    return CheckOutcome(result, (), view.owner, changes=(over, fact))


SEAT_USED: Final = AccountCheck(
    id="C15",
    uid="IC-15",
    name="seat-used",
    title="A seat should be used",
    control="Review of access",
    standards=("SOC 2 TSC CC6.3", "ISO/IEC 27001:2022 A.5.18"),
    severity=2,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "unused": Wording("{who} has a seat in {app_id} and has not used it for {days} days", "The last sign of life was at {last}."),
        "used": Wording("{who} uses the seat in {app_id}", "There was a sign of life within the days allowed."),
    }),
    unknown_reasons=MappingProxyType({
        "seat_not_known": "no payload said whether the account has a seat",
        "no_signs_reported": "the workspace reports neither logins nor its activity log",
    }),
    remedy="Take the seat away, or remove the teammate.",
)  # fmt: skip
