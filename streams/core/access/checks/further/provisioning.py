"""C9, changes by the provisioning path: roles and seats are changed by those accounts alone that the settings name."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import UNKNOWN, AccountCheck, AccountInput, CheckOutcome, CheckOutcomes, Wording
from streams.core.access.checks.further.activities import CHANGES
from streams.core.access.checks.further.outcomes import detected, run_of, switch


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    allowed = switch(check, view).accounts
    run = run_of(check, view, CHANGES)
    if run is None or view.account.id in allowed:
        return None
    if not allowed:
        return detected(check, view, run, "path_not_configured", result=UNKNOWN)
    return detected(check, view, run, "changed_by_hand")


BY_PROVISIONING: Final = AccountCheck(
    id="C9",
    uid="IC-9",
    name="changes-by-provisioning",
    title="Roles and seats should be changed by the provisioning path",
    control="Provisioning of access",
    standards=("SOC 2 TSC CC6.3", "ISO/IEC 27001:2022 A.5.18"),
    severity=3,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "changed_by_hand": Wording(
            "{who} changed roles or seats in {app_id}, and does not belong to the provisioning path",
            "Changes in the activity log: {events}. Whom they affect is not in it for certain.",
        ),
    }),
    unknown_reasons=MappingProxyType({
        "path_not_configured": "roles or seats were changed, and the settings name no account that provisions",
    }),
    remedy="Make the change through the identity provider, or name the account in the settings: [tenants.checks.C9] accounts.",
)  # fmt: skip
