"""C7, pending invitations: whom a workspace has invited is known to a staff source and employed.

The log names the invited only in its metadata, which is documented nowhere; an invitation that names nobody is UNKNOWN for a time.
"""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks import presence
from streams.core.access.checks.check import (
    FAIL,
    PASS,
    UNKNOWN,
    CheckOutcome,
    Wording,
    WorkspaceCheck,
    WorkspaceInput,
    workspace_result,
)
from streams.core.access.checks.further.activities import DAY
from streams.core.access.checks.further.outcomes import OPEN_FOR
from streams.core.access.checks.further.switches import Switch
from streams.core.access.state.values import CitedFact, FactReference

_CITED: Final = 5  # invitations


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    if view.workspace.monitored is False or not view.invites:
        return None
    leavers, unknown, fine, nameless = _judged(check, view)
    if leavers or unknown:
        since = min(time for time, _ in (*leavers, *unknown))
        reason = "invited_leaver" if leavers else "invited_unknown"
        parameters = {"leavers": str(len(leavers)), "unknown": str(len(unknown))}
        cited = [CitedFact(source) for _, source in sorted((*leavers, *unknown), key=lambda each: (each[0], each[1].fact))]
        return CheckOutcome(workspace_result(check, FAIL, reason, since, parameters=parameters), tuple(cited[:_CITED]))
    if nameless:
        over, since = nameless[0]
        result = workspace_result(check, UNKNOWN, "invitee_not_named", since)
        return CheckOutcome(result, changes=(over, view.workspace.source.fact))
    return CheckOutcome(workspace_result(check, PASS, "invited_employed", max(fine))) if fine else None


_Dated = list[tuple[int, FactReference]]  # since when an invitation fails (ms), and the fact that made it


def _judged(check: WorkspaceCheck, view: WorkspaceInput) -> tuple[_Dated, _Dated, list[int], list[tuple[int, int]]]:
    """Return the pending invitations of leavers, of nobody who is known, of employed people, and those that name nobody."""
    leavers: _Dated = []
    unknown: _Dated = []
    fine: list[int] = []
    nameless: list[tuple[int, int]] = []
    days = (view.switches.get(check.id) or Switch()).days or OPEN_FOR
    for address, invite in view.invites.items():
        if invite.made is None or invite.source is None or (invite.withdrawn is not None and invite.withdrawn >= invite.made):
            continue
        if not invite.is_named:
            if view.at < invite.made + days * DAY:
                nameless.append((invite.made + days * DAY, invite.made))
        elif not _has_joined(view, address, invite.made):
            assert view.directory is not None
            people = view.directory.named_by([address])
            ended = [person.end.instant for person in people if person.end is not None and person.left(view.at)]
            if ended:  # also where somebody employed has the address too: nobody knows which of them is invited
                leavers.append((max(invite.made, *ended), invite.source))
            elif all(person.silent(view.at) for person in people):  # nobody, or nobody whom a source still has
                unknown.append((invite.made, invite.source))
            else:
                fine.append(invite.made)
    return leavers, unknown, fine, sorted(nameless)


def _has_joined(view: WorkspaceInput, address: str, made: int) -> bool:
    """Say whether an account of that address is there, or was since the invitation."""
    for account in view.accounts_at(address):
        present = presence.presence_of(account, view.teammates.snapshots if view.teammates else ())
        if present.period is not None or (present.removed is not None and present.removed.time >= made):
            return True
    return False


PENDING_INVITES: Final = WorkspaceCheck(
    id="C7",
    uid="IC-7",
    name="pending-invitations",
    title="Only employed people should be invited",
    control="Provisioning of access",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.16"),
    severity=3,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "invited_leaver": Wording(
            "Workspace {app_id} has a pending invitation for somebody who left",
            "Pending invitations of people who left: {leavers}; of addresses that no staff source has: {unknown}.",
        ),
        "invited_unknown": Wording(
            "Workspace {app_id} has a pending invitation for an address that no staff source has",
            "Pending invitations of addresses that no staff source has: {unknown}.",
        ),
        "invited_employed": Wording("Workspace {app_id} has invited employed people only", "Every pending invitation is of somebody employed."),
    }),
    unknown_reasons=MappingProxyType({"invitee_not_named": "the activity log does not say who was invited"}),
    remedy="Withdraw the invitation in Intercom: Settings, Workspace, Teammates, Invited.",
)  # fmt: skip
