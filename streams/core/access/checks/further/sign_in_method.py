"""C11, only allowed methods are used to sign in: none that Intercom refused, and none that the settings do not name."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    PASS,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
)
from streams.core.access.checks.further.activities import LOGIN, UNAUTHORIZED, of_types
from streams.core.access.checks.further.outcomes import counting, detected, run_of, switch


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    allowed = switch(check, view).methods
    refused = of_types(view.activity(), [UNAUTHORIZED], view.period.start.time)
    logins = of_types(view.activity(), [LOGIN], view.period.start.time) if allowed else ()
    wrong = [each for each in logins if each.details.get("sign_in_method", allowed[0]) not in allowed]
    events = sorted((*refused, *wrong), key=lambda each: (each.time, each.source.fact))
    run = counting(check, view, events)
    if run is not None:
        methods = sorted({each.details["sign_in_method"] for each in run.events if "sign_in_method" in each.details})
        return detected(check, view, run, "other_method", parameters={"methods": evidence.listed(methods) or "-"})
    reported = any("sign_in_method" in each.details for each in logins)
    used = run_of(check, view, [LOGIN]) if allowed else None
    if used is None:
        return None
    if not reported:
        return detected(check, view, used, "method_not_reported", result=UNKNOWN)
    return detected(check, view, used, "allowed_method", result=PASS)


ALLOWED_METHOD: Final = AccountCheck(
    id="C11",
    uid="IC-11",
    name="allowed-sign-in-method",
    title="Teammates should sign in by the allowed methods",
    control="Secure authentication",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.8.5"),
    severity=4,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "other_method": Wording("{who} signed in, or tried to, to {app_id} by a method that is not allowed", "The methods were: {methods}."),
        "allowed_method": Wording("{who} signs in by an allowed method", "So the logins say that name their method."),
    }),
    unknown_reasons=MappingProxyType({"method_not_reported": "the logins do not say by which method"}),
    remedy="Require single sign-on: Settings, Workspace, Security, Authentication; and end the teammate's sessions.",
)  # fmt: skip
