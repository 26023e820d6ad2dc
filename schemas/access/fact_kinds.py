"""The table of kinds of facts: what each says, which parts it carries, and whether this release's answers depend on it.

A kind with effect "later" has its final form and is kept in the log and in the ledger; no check of this release looks at it. A kind
that is not in the table is treated the same, so a newer writer never stops an older reader.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec


class Effect(StrEnum):
    """What the access agent does with a kind."""

    NOW = "now"
    LATER = "later"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind: `parts` must be there, a decision is bound to what it replaces."""

    name: str
    parts: tuple[str, ...] = ()
    effect: Effect = Effect.NOW
    decision: bool = False
    about: str


_ACCOUNT: Final = ("app_id", "account")

_ALL = (
    Kind(name="admin.added", parts=(*_ACCOUNT, "time"), about="a teammate was added to a workspace"),
    Kind(name="admin.removed", parts=(*_ACCOUNT, "time"), about="a teammate was removed from a workspace"),
    Kind(name="admin.seen", parts=(*_ACCOUNT, "time"), about="a teammate did something: creates an account never known"),
    Kind(name="admin.logged_in", parts=(*_ACCOUNT, "time"), about="a teammate logged in"),
    Kind(name="admin.logged_out", parts=(*_ACCOUNT, "time"), about="a teammate logged out"),
    Kind(name="admin.activity", parts=("app_id", "activity", "time"), about="an event of the activity log that bears on access"),
    Kind(name="admins.snapshot.started", parts=("app_id", "snapshot"), effect=Effect.LATER, about="a listing of teammates begins"),
    Kind(name="admins.snapshot.row", parts=(*_ACCOUNT, "snapshot"), effect=Effect.LATER, about="one teammate of a listing"),
    Kind(name="admins.snapshot.ended", parts=("app_id", "snapshot"), effect=Effect.LATER, about="a listing is complete"),
    Kind(name="staff.record", parts=("record", "time"), about="a source's record of one staff member"),
    Kind(name="staff.snapshot.started", parts=("snapshot",), about="a complete listing of a staff source begins"),
    Kind(name="staff.snapshot.row", parts=("snapshot", "record"), about="one record of a listing"),
    Kind(name="staff.snapshot.ended", parts=("snapshot",), about="a listing is complete: what it lacks is withdrawn"),
    Kind(name="snapshot.confirmed", parts=("snapshot",), effect=Effect.LATER, decision=True,
         about="a refused snapshot is right after all"),
    Kind(name="staff.decided", parts=("staff",), effect=Effect.LATER, decision=True, about="which of two contradicting sources holds"),
    Kind(name="account.linked", parts=(*_ACCOUNT, "staff"), decision=True, about="an account belongs to a staff member"),
    Kind(name="account.unlinked", parts=_ACCOUNT, decision=True, about="a link is taken back"),
    Kind(name="account.classified", parts=(*_ACCOUNT, "classification"), decision=True, about="an account is nobody's own"),
    Kind(name="account.unclassified", parts=_ACCOUNT, decision=True, about="a classification is taken back"),
    Kind(name="policy.applied", parts=("policy",), decision=True, about="who may have an account in each workspace"),
    Kind(name="exemption.granted", parts=("grant",), effect=Effect.LATER, decision=True, about="a failing check is accepted for a time"),
    Kind(name="exemption.revoked", parts=("grant",), effect=Effect.LATER, decision=True, about="an exemption is taken back"),
    Kind(name="approval.granted", parts=("grant",), effect=Effect.LATER, decision=True, about="a request for access was approved"),
    Kind(name="approval.revoked", parts=("grant",), effect=Effect.LATER, decision=True, about="an approval is taken back"),
    Kind(name="finding.handled", parts=("case",), effect=Effect.LATER, about="a finding was acknowledged, assigned or commented"),
    Kind(name="workspace.monitored", parts=("app_id",), about="a workspace is watched"),
    Kind(name="workspace.unmonitored", parts=("app_id",), effect=Effect.LATER, about="a workspace is no longer watched"),
    Kind(name="settings.applied", parts=("settings",), decision=True, about="the configuration that decides answers"),
    Kind(name="calendar.set", parts=("calendar",), effect=Effect.LATER, about="the working days of a calendar"),
    Kind(name="rules.activated", parts=("rules",), effect=Effect.LATER, decision=True, about="the code that evaluates checks"),
    Kind(name="monitoring.started", effect=Effect.LATER, decision=True, about="findings from here on are no longer the baseline"),
    Kind(name="clock.ticked", about="time has passed; it only makes log time move"),
)  # fmt: skip

KINDS = MappingProxyType({kind.name: kind for kind in _ALL})
