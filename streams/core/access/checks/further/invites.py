"""C7, pending invitations: whom a workspace has invited is known to a staff source and employed.

The log names the invited only in its metadata, which is documented nowhere; an invitation that names nobody is UNKNOWN for a time.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

import msgspec

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
from streams.core.access.state.row_kinds.activity_rows import FORGOTTEN
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.values import CitedFact, FactReference, TeammateSnapshot

_CITED: Final = 5  # invitations


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    if view.workspace.monitored is False or not view.invites:
        return None
    leavers, unknown, fine, nameless = _judged(view)
    if leavers or unknown:
        since = min(time for time, _ in (*leavers, *unknown))
        reason = "invited_leaver" if leavers else "invited_unknown"
        parameters = {"leavers": str(len(leavers)), "unknown": str(len(unknown))}
        cited = [CitedFact(source) for _, source in sorted((*leavers, *unknown), key=lambda each: (each[0], each[1].fact))]
        return CheckOutcome(workspace_result(check, FAIL, reason, since, parameters=parameters), tuple(cited[:_CITED]))
    days = (view.switches.get(check.id) or Switch()).days or OPEN_FOR
    if (last := _last_forgotten(view)) is not None and view.at < last + days * DAY:
        result = workspace_result(check, UNKNOWN, "invitations_forgotten", last)
        held = msgspec.structs.replace(result, held=result.since)  # one of them may be a leaver's
        return CheckOutcome(held, changes=(last + days * DAY, view.workspace.source.fact))
    if pending := sorted(made for made in nameless if view.at < made + days * DAY):
        result = workspace_result(check, UNKNOWN, "invitee_not_named", pending[0])
        return CheckOutcome(result, changes=(pending[0] + days * DAY, view.workspace.source.fact))
    return CheckOutcome(workspace_result(check, PASS, "invited_employed", max(fine))) if fine else None


_Dated = list[tuple[int, FactReference]]  # since when an invitation fails (ms), and the fact that made it


def _judged(view: WorkspaceInput) -> tuple[_Dated, _Dated, list[int], list[int]]:
    """Return the pending invitations of leavers, of nobody who is known, of employed people, and those that name nobody."""
    leavers: _Dated = []
    unknown: _Dated = []
    fine: list[int] = []
    nameless: list[int] = []
    for address, invite in view.invites.items():
        if invite.made is None or invite.source is None or not invite.is_pending or address == FORGOTTEN:
            continue
        if not invite.is_named:
            nameless.append(invite.made)
        elif not has_joined(view.accounts_at(address), view.teammates.snapshots if view.teammates else (), invite.made):
            assert view.directory is not None
            people = view.directory.named_by([address])
            ended = [person.end.instant for person in people if person.end is not None and person.left(view.at)]
            if ended:  # also where somebody employed has the address too: nobody knows which of them is invited
                leavers.append((max(invite.made, *ended), invite.source))
            elif all(person.silent(view.at) for person in people):  # nobody, or nobody whom a source still has
                unknown.append((invite.made, invite.source))
            else:
                fine.append(invite.made)
    return leavers, unknown, fine, nameless


def _last_forgotten(view: WorkspaceInput) -> int | None:
    row = view.invites.get(FORGOTTEN)
    return row.made if row else None


def has_joined(accounts: Iterable[AccountRow], snapshots: tuple[TeammateSnapshot, ...], made: int) -> bool:
    """Say whether one of the accounts with the invited address is there, or was since the invitation was made (ms)."""
    for account in accounts:
        present = presence.presence_of(account, snapshots)
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
    unknown_reasons=MappingProxyType({
        "invitee_not_named": "the activity log does not say who was invited",
        "invitations_forgotten": "there were too many invitations to remember them all",
    }),
    remedy="Withdraw the invitation in Intercom: Settings, Workspace, Teammates, Invited.",
)  # fmt: skip
