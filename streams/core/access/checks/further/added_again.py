"""C8, added again: somebody whom an event removed is a teammate once more. Mostly on purpose, so it is a detection."""

from types import MappingProxyType
from typing import Final

from schemas.cloudevents import timestamp
from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.checks.further.activities import DAY
from streams.core.access.checks.further.outcomes import OPEN_FOR, switch


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    removed, start = view.period.removed_before, view.period.start
    over = start.time + (switch(check, view).days or OPEN_FOR) * DAY
    if removed is None or view.at >= over:
        return None
    result = account_result(
        check, view, FAIL, "added_again", start.time, person=view.owner, parameters={"removed": timestamp(removed)}
    )
    return CheckOutcome(result, (evidence.presence(view),), view.owner, changes=(over, start.source.fact))


ADDED_AGAIN: Final = AccountCheck(
    id="C8",
    uid="IC-8",
    name="added-again",
    title="A removed user should not be added again unnoticed",
    control="Access removal on termination",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"),
    severity=3,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "added_again": Wording("{who} was removed from {app_id} and is a teammate again", "Removed at {removed}, and added again since."),
    }),
    remedy="Ask who added the teammate again and why; remove them, or acknowledge the finding. It closes by itself after some days.",
)  # fmt: skip
