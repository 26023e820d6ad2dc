"""Facts that say what somebody did about a finding: acknowledged it, assigned it, or commented on it."""

from typing import Final

import msgspec

from schemas.access.facts import Case, Fact
from streams.core.access.facts.effect import Effect
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference, FindingHandling
from streams.core.normal_forms.names import seen

ACKNOWLEDGED: Final = "acknowledged"
ASSIGNED: Final = "assigned"
COMMENTED: Final = "commented"
REMEMBERED: Final = 32  # facts of a finding: a bound for a sender who never ends
_ACTIONS: Final = (ACKNOWLEDGED, ASSIGNED, COMMENTED)


def handled(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `finding.handled`: the open finding carries it. For one that is not open the fact is void."""
    case, app_id, account = fact.case, fact.app_id or "", fact.account or ""
    assert case is not None
    read = seen if follows(state.rules_version, WITH_DOUBT) else str
    if case.action not in _ACTIONS or (case.action == ASSIGNED and not read(case.assignee or "")):
        return Effect("void")
    for check, row in state.check_rows(app_id, account).items():
        episode = row.episode
        if episode is None or episode.uid != case.finding:
            continue
        before = episode.next_handling or episode.handling
        if before is not None and fact.id in before.facts:
            return Effect("superseded")
        carried = msgspec.structs.replace(episode, next_handling=_after(before, case, fact))
        state.checks.put(msgspec.structs.replace(row, episode=carried), app_id, account, check)
        return Effect("applied", accounts={(app_id, account)}) if account else Effect("applied", workspaces={app_id})
    return Effect("void")


def _after(before: FindingHandling | None, case: Case, fact: Fact) -> FindingHandling:
    return FindingHandling(
        action=case.action,
        facts=(*(before.facts if before else ()), fact.id)[-REMEMBERED:],
        assignee=case.assignee if case.action == ASSIGNED else before.assignee if before else None,
        acknowledged=case.action == ACKNOWLEDGED or (before is not None and before.acknowledged),
        comment=fact.person.text if fact.person else None,
    )
