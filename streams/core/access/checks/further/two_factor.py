"""C10, two-factor authentication stays on."""

from types import MappingProxyType
from typing import Final

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
from streams.core.access.checks.further.activities import TWO_FACTOR, of_types
from streams.core.access.checks.further.outcomes import cited


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    events = of_types(view.activity(), [TWO_FACTOR], view.period.start.time)
    if not events:
        return None
    clear = [event for event in events if "enabled" in event.details]
    last = clear[-1] if clear else None
    off = last is not None and last.details["enabled"] == "false"
    held = last.time if last is not None and off else None
    if last is None or last is not events[-1]:
        result, reason, since = UNKNOWN, "metadata_unknown", events[-1].time
    else:
        result, reason, since = (FAIL, "two_factor_off", last.time) if off else (PASS, "two_factor_on", last.time)
    return CheckOutcome(
        account_result(check, view, result, reason, since, person=view.owner, held=held),
        (evidence.presence(view), *cited(events[-1:])),
        view.owner,
    )


TWO_FACTOR_ON: Final = AccountCheck(
    id="C10",
    uid="IC-10",
    name="two-factor-on",
    title="Two-factor authentication should stay on",
    control="Secure authentication",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.8.5"),
    severity=4,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "two_factor_off": Wording("{who} switched two-factor authentication off in {app_id}", "The activity log says so, and not that it is on again."),
        "two_factor_on": Wording("{who} has two-factor authentication on", "The latest entry of the activity log says so."),
    }),
    unknown_reasons=MappingProxyType({"metadata_unknown": "the activity log does not say whether it was switched on or off"}),
    remedy="Have the teammate switch it on again, or require it: Settings, Workspace, Security.",
)  # fmt: skip
