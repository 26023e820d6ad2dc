"""C14, consent to impersonation: while it lasts, Intercom's staff may act as a teammate."""

from types import MappingProxyType
from typing import Final

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
from streams.core.access.checks.further.activities import CONSENT, CONSENT_REVOKED, DAY, of_types
from streams.core.access.checks.further.outcomes import OPEN_FOR, cited, switch
from streams.core.access.state.row_kinds.activity_rows import ActivityEvent


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    longest = (switch(check, view).days or OPEN_FOR) * DAY
    lasting = [
        each
        for each in of_types(view.activity(), [CONSENT], view.period.start.time)
        if view.at < _over(each, longest) and not _is_revoked(view, each)
    ]
    if not lasting:
        return None
    over, fact = min((_over(each, longest), each.source.fact) for each in lasting)
    result = account_result(
        check, view, FAIL, "consent", lasting[0].time, person=view.owner, parameters={"consents": str(len(lasting))}
    )
    return CheckOutcome(result, (evidence.presence(view), *cited(lasting)), view.owner, changes=(over, fact))


def _over(consent: ActivityEvent, longest: int) -> int:
    """Return when a consent ends (ms): when it says so, else after as long as detections are open."""
    return int(consent.details["expires"]) if "expires" in consent.details else consent.time + longest


def _is_revoked(view: AccountInput, consent: ActivityEvent) -> bool:
    """Say whether a later revocation names the consent, or one of the two names none."""
    ids = {consent.details.get("consent_id"), None}
    later = of_types(view.workspace_activity(), [CONSENT_REVOKED], consent.time)
    return any(each.details.get("consent_id") in ids or ids == {None} for each in later)


NO_IMPERSONATION: Final = AccountCheck(
    id="C14",
    uid="IC-14",
    name="no-impersonation",
    title="Consent to impersonation should be known and short",
    control="Access by third parties",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.19"),
    severity=2,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "consent": Wording("{who} lets Intercom's staff act for them in {app_id}", "Consents that last: {consents}. The finding closes when they end or are revoked."),
    }),
    remedy="Revoke the consent once Intercom's support is done: Settings, Workspace, Security.",
)  # fmt: skip
