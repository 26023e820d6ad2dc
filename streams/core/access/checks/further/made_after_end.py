"""C12, no token, secret or export made after the end of employment."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import AccountCheck, AccountInput, CheckOutcome, CheckOutcomes, Wording
from streams.core.access.checks.further.activities import CREDENTIALS, EXPORTS, LOG
from streams.core.access.checks.further.outcomes import after_the_end, end_of, unknown, who_left


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    people, reported = who_left(view), view.workspace_activity()
    if not people:
        return None
    if reported is None or LOG not in reported.events:
        return unknown(check, view, "activity_log_not_reported", view.since(end_of(people)))
    types = [*CREDENTIALS, *EXPORTS]
    return after_the_end(check, view, people, types, failing="made_after_end", passing="nothing_made_after_end")


NOTHING_MADE_AFTER_END: Final = AccountCheck(
    id="C12",
    uid="IC-12",
    name="made-after-end",
    title="Nobody should make credentials or exports after the end of their employment",
    control="Monitoring of offboarded access",
    standards=("SOC 2 TSC CC6.2", "SOC 2 TSC CC7.2", "ISO/IEC 27001:2022 A.8.16"),
    severity=5,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "made_after_end": Wording(
            "{who} left and has made tokens, secrets or exports in {app_id} since",
            "Employment ended at {employment_ended}; the first of {events} was made at {first}.",
        ),
        "nothing_made_after_end": Wording("{who} has made nothing in {app_id} since they left", "No token, secret or export after the end of employment is known."),
    }),
    unknown_reasons=MappingProxyType({"activity_log_not_reported": "the workspace has not reported its activity log"}),
    remedy="Remove the teammate at once, and revoke what the account made since.",
)  # fmt: skip
