"""The table of kinds of facts: the meaning of each, its required parts, and whether this release's checks use it.

A kind with support "later" has its final schema and is recorded in the log and in the ledger; no check of this release uses it. A
kind that is not in the table is treated the same, so that a newer writer never stops an older reader.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec


class Support(StrEnum):
    """Whether this release's checks use a kind."""

    NOW = "now"
    LATER = "later"


class FactKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind: `parts` are required, and a decision names the decision it replaces."""

    name: str
    parts: tuple[str, ...] = ()
    support: Support = Support.NOW
    decision: bool = False
    about: str


_ACCOUNT: Final = ("app_id", "account")
_LATER: Final = Support.LATER

_ALL: Final = (
    FactKind(name="admin.added", parts=(*_ACCOUNT, "time"), about="a teammate was added to a workspace"),
    FactKind(name="admin.removed", parts=(*_ACCOUNT, "time"), about="a teammate was removed from a workspace"),
    FactKind(name="admin.seen", parts=(*_ACCOUNT, "time"), about="a teammate did something: creates an account that was unknown"),
    FactKind(name="admin.logged_in", parts=(*_ACCOUNT, "time"), about="a teammate logged in"),
    FactKind(name="admin.logged_out", parts=(*_ACCOUNT, "time"), about="a teammate logged out"),
    FactKind(name="admin.activity", parts=("app_id", "activity", "time"),
             about="an event of the activity log relevant to access"),
    FactKind(name="admins.snapshot.started", parts=("app_id", "snapshot"), about="a listing of teammates begins"),
    FactKind(name="admins.snapshot.row", parts=(*_ACCOUNT, "snapshot"), about="one teammate of a listing"),
    FactKind(name="admins.snapshot.ended", parts=("app_id", "snapshot"),
             about="a listing is complete: whom it lacks was removed"),
    FactKind(name="staff.record", parts=("record", "time"), about="a source's record of one staff member"),
    FactKind(name="staff.group", parts=("record",), support=_LATER,
             about="a group of a staff source; its members' records say that they are in it"),
    FactKind(name="staff.snapshot.started", parts=("snapshot",), about="a complete listing of a staff source begins"),
    FactKind(name="staff.snapshot.row", parts=("snapshot", "record"), about="one record of a listing"),
    FactKind(name="staff.snapshot.ended", parts=("snapshot",), about="a listing is complete: what it lacks is withdrawn"),
    FactKind(name="snapshot.confirmed", parts=("snapshot",), decision=True,
             about="a refused snapshot is confirmed: of teammates (`app_id`), or of a staff source"),
    FactKind(name="staff.decided", parts=("staff", "choice"), decision=True,
             about="which of two contradicting sources is right"),
    FactKind(name="account.linked", parts=(*_ACCOUNT, "staff"), decision=True, about="an account belongs to a staff member"),
    FactKind(name="account.unlinked", parts=_ACCOUNT, decision=True, about="a link is withdrawn"),
    FactKind(name="account.classified", parts=(*_ACCOUNT, "classification"), decision=True,
             about="the kind of an account, and who answers for it"),
    FactKind(name="account.unclassified", parts=_ACCOUNT, decision=True, about="a classification is withdrawn"),
    FactKind(name="role.desired", parts=(*_ACCOUNT, "role"), decision=True,
             about="which role a teammate is to have in Intercom; C4 compares it, by rules 2"),
    FactKind(name="policy.applied", parts=("policy",), decision=True, about="who may have an account in each workspace"),
    FactKind(name="exemption.granted", parts=("grant",), decision=True,
             about="a failing check of `account`, or of the workspace `app_id`, is accepted for a time; for whom it is says `staff`: without it another owner does not void it"),
    FactKind(name="exemption.revoked", parts=("grant",), decision=True, about="an exemption is withdrawn"),
    FactKind(name="approval.granted", parts=("grant",), decision=True, about="a request for access was approved"),
    FactKind(name="approval.revoked", parts=("grant",), decision=True, about="an approval is withdrawn"),
    FactKind(name="finding.handled", parts=("case",),
             about="a finding was acknowledged, assigned or commented; `app_id`, and `account` if it has one, are those of the finding, else it is `void`"),
    FactKind(name="workspace.monitored", parts=("app_id",), about="a workspace is monitored"),
    FactKind(name="workspace.unmonitored", parts=("app_id",), about="a workspace is no longer monitored"),
    FactKind(name="workspace.silent", parts=("app_id", "time"),
             about="webhooks of a workspace ceased at that time, though Intercom shows changes since: what is known of it may be out of date"),
    FactKind(name="workspace.resumed", parts=("app_id", "time"), about="webhooks of a workspace come again"),
    FactKind(name="settings.applied", parts=("settings",), decision=True, about="the configuration that affects check results"),
    FactKind(name="calendar.set", parts=("calendar",), about="the working days of a calendar"),
    FactKind(name="rules.activated", parts=("rules",), support=_LATER, decision=True, about="the code that evaluates checks"),
    FactKind(name="monitoring.started", decision=True, about="later findings are no longer the baseline"),
    FactKind(name="alarm.tested", parts=("app_id", "test"), about="an operator opens or closes a finding to test the alarm"),
    FactKind(name="clock.ticked", about="time has passed; it only advances log time"),
)  # fmt: skip

KINDS: Final = MappingProxyType({kind.name: kind for kind in _ALL})
