"""C13, credentials left behind: what somebody who left has made outlives their account, so it is also judged without the account.

No entry of the activity log says which token or secret ended. Where each may have ended the answer is UNKNOWN and the finding stays; an
exemption closes the matter.
"""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import (
    FAIL,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.checks.further.activities import CREDENTIALS, listed, made_by, of_types
from streams.core.access.checks.further.outcomes import certain_owner, cited, end_of, who_left


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    people, owner = who_left(view), certain_owner(view)
    made = of_types(view.activity(), CREDENTIALS)
    if not people or not made:
        return None
    held = max(end_of(people), made[0].time)
    ended = [
        each
        for type_, ends in CREDENTIALS.items()
        if (events := of_types(view.activity(), [type_]))
        for each in of_types(view.workspace_activity(), [ends], events[0].time)
    ]
    works = any(
        not of_types(view.workspace_activity(), [ends], event.time)
        for type_, ends in CREDENTIALS.items()
        for event in of_types(view.activity(), [type_])
    )
    known = owner is not None and works
    reason = "credentials_left" if known else "account_not_identified" if owner is None else "may_be_revoked"
    since = held if known else max([held, *(each.time for each in ended)])
    result = account_result(
        check, view, FAIL if known else UNKNOWN, reason, since, person=owner, held=held, people=people,
        candidates=people if owner is None else (), parameters={"credentials": listed(made_by(view.activity()))},
    )  # fmt: skip
    return CheckOutcome(result, cited([*made, *ended]), owner, people if owner is None else ())


CREDENTIALS_LEFT: Final = AccountCheck(
    id="C13",
    uid="IC-13",
    name="credentials-left-behind",
    title="Credentials made by an offboarded user should be revoked",
    control="Access removal on termination",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"),
    severity=4,
    further=True,
    without_presence=True,
    answer=_answer,
    wording=MappingProxyType({
        "credentials_left": Wording(
            "{who} left, and credentials that they made in {app_id} may still work",
            "Made by the account, and not known to be revoked: {credentials}.",
        ),
    }),
    unknown_reasons=MappingProxyType({
        "may_be_revoked": "something of that kind was revoked in the workspace since, and no entry says which",
    }),
    remedy="Revoke or replace what the account made: Settings, Integrations, Developer Hub. Then accept the finding: intercom-streams exempt grant.",
)  # fmt: skip
