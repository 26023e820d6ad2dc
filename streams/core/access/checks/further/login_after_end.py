"""C6, no login after the end of employment."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import AccountCheck, AccountInput, CheckOutcome, CheckOutcomes, Wording
from streams.core.access.checks.further.activities import LOGIN, of_types
from streams.core.access.checks.further.outcomes import after_the_end, end_of, unknown, who_left


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    people = who_left(view)
    if not people:
        return None
    if not of_types(view.activity(), [LOGIN]):
        return unknown(check, view, "logins_not_reported", view.since(end_of(people)))
    return after_the_end(check, view, people, [LOGIN], failing="login_after_end", passing="no_login_after_end")


NO_LOGIN_AFTER_END: Final = AccountCheck(
    id="C6",
    uid="IC-6",
    name="login-after-end",
    title="Nobody should log in after the end of their employment",
    control="Monitoring of offboarded access",
    standards=("SOC 2 TSC CC6.2", "SOC 2 TSC CC7.2", "ISO/IEC 27001:2022 A.8.16"),
    severity=5,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "login_after_end": Wording(
            "{who} left and has logged in to {app_id} since",
            "Employment ended at {employment_ended}; the first login after it was at {first}.",
        ),
        "no_login_after_end": Wording("{who} has not logged in to {app_id} since they left", "No login after the end of employment is known."),
    }),
    unknown_reasons=MappingProxyType({"logins_not_reported": "no login of this account was ever reported"}),
    remedy="Remove the teammate at once, and look at what the account did since: Settings, Workspace, Teammate activity log.",
)  # fmt: skip
