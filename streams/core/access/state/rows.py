"""The rows of the access agent's table: all that is known of a tenant, and all that was answered.

A row's tag stands on the changelog. It is written out, so that a class can be renamed without a change of any table.
"""

from typing import TypeAlias, Union

import msgspec

from schemas.access.facts import AccessSettings, Calendar, Policy
from streams.core.access.state.freshness import Sign
from streams.core.access.state.history import History
from streams.core.access.state.row_kinds.activity_rows import ActivityRow, ChangesRow, InviteRow
from streams.core.access.state.row_kinds.grant_rows import ApprovalId, ApprovalRow, ExemptionRow, GrantId
from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.row_kinds.rules_rows import RulesVersionRow
from streams.core.access.state.row_kinds.staff_rows import StaffRecord, UnchangedRecord
from streams.core.access.state.row_kinds.work_rows import (
    BacklogIndex,
    PendingAccount,
    PendingFact,
    QueuedFact,
    SnapshotPage,
    SnapshotStaging,
    StagedAssertion,
    StagedRecord,
)
from streams.core.access.state.values import (
    AccountKey,
    AppliedSnapshot,
    CheckResult,
    ClassificationDecision,
    DatedName,
    Decision,
    Episode,
    FactReference,
    FieldRegister,
    Key,
    PresenceEvent,
    RecordKey,
    SnapshotProblem,
    TeammateSnapshot,
)


class TenantLog(Row, frozen=True, tag="log"):
    """A tenant's progress: log time (ms), number and hash of the last ledger entry."""

    now: int = 0
    entries: int = 0
    head: str = ""


class AccountRow(Row, frozen=True, tag="account"):
    """A teammate's account in a workspace.

    `ever` has every normal address it ever had. `addresses` and `roles` are the histories of its normal address and Intercom role,
    `listed` the numbers of the workspace's remembered snapshots that have it.
    """

    app_id: str
    id: str
    presence_events: tuple[PresenceEvent, ...] = ()  # added and removed, in order of time; some by snapshots that are forgotten
    seen: PresenceEvent | None = None  # the earliest, for an account without an added event
    fields: dict[str, FieldRegister] = msgspec.field(default_factory=dict)
    addresses: History = ()
    roles: History = ()
    ever: tuple[str, ...] = ()
    listed: tuple[int, ...] = ()
    link: Decision | None = None
    classification: ClassificationDecision | None = None
    desired: Decision | None = None  # the role that it is to have in Intercom

    def __repr__(self) -> str:
        return f"AccountRow({self.app_id!r}, {self.id!r}, ***)"


class RecordId(Row, frozen=True, tag="record_id"):
    """The record that a person's id is derived from."""

    source: str
    id: str


class SourceRow(Row, frozen=True, tag="source"):
    """The latest complete snapshots of a staff source that were applied, in order of their requests, and how many there were ever.

    `problem` is about a later one that was refused; `accepted` is the log time (ms) at which the next one after such was applied.
    """

    snapshots: tuple[AppliedSnapshot, ...] = ()
    applied: int = 0
    problem: SnapshotProblem | None = None
    accepted: int | None = None


class TeammatesRow(Row, frozen=True, tag="teammates"):
    """The snapshots of a workspace's teammates: those applied, in order of their requests, and how many there were ever.

    `problem` is about a later one that was not applied. `missed` counts the removals that no webhook reported, `missed_last` those of
    the latest snapshot.
    """

    snapshots: tuple[TeammateSnapshot, ...] = ()
    applied: int = 0
    problem: SnapshotProblem | None = None
    missed: int = 0
    missed_last: int = 0


class SourceSigns(Row, frozen=True, tag="signs"):
    """The observations of a staff source that decide whether it is stale: the newest by log time, and those ahead of it."""

    signs: tuple[Sign, ...] = ()


class HolderIndex(Row, frozen=True, tag="holders"):
    """Who holds an address, an employee number or a link: staff records and accounts. Who held a number and has another is `former`."""

    records: tuple[RecordKey, ...] = ()
    accounts: tuple[AccountKey, ...] = ()
    former: tuple[RecordKey, ...] = ()


class WorkspaceRow(Row, frozen=True, tag="workspace"):
    """A workspace, and the fact that first named it.

    `seen` is the earliest date of a teammate's fact in it. `monitored` is the latest decision, made at `date`, None without one;
    `listed` says whether the settings name it.
    """

    app_id: str
    source: FactReference
    seen: int | None = None
    monitored: bool | None = None
    date: int | None = None
    listed: bool = False


class PolicyRow(Row, frozen=True, tag="policy"):
    """The policy in force, `applied` at that log time (ms).

    `since` has for each workspace since when what was in force at that time had been so: a rule, or none.
    """

    policy: Policy
    source: FactReference
    since: dict[str, int] = msgspec.field(default_factory=dict)
    applied: int = 0


class SettingsRow(Row, frozen=True, tag="settings"):
    """The settings in force.

    `since` has the date of each part that answers rest on: `aliases`, `precedence`, `absence|SOURCE`, `freshness|SOURCE`. `absences` has
    what absence from a source's lists has meant by the rules that ask for it, since when, in the order of the log: the latest of them.
    """

    settings: AccessSettings
    source: FactReference
    since: dict[str, int] = msgspec.field(default_factory=dict)
    absences: dict[str, tuple[DatedName, ...]] = msgspec.field(default_factory=dict)


class CoverageRow(Row, frozen=True, tag="coverage"):
    """Whether a workspace or a staff source is covered, since when (ms), since which snapshot, and how far the log is evaluated."""

    result: str
    reason: str
    since: int
    complete_since: int | None
    through: int


class MonitoringRow(Row, frozen=True, tag="monitoring"):
    """Log time (ms) at which monitoring started, and the decision to start it; None where it began by itself."""

    started: int
    source: FactReference | None = None


class SilenceRow(Row, frozen=True, tag="silence"):
    """When the webhooks of a workspace last ceased (ms), though there were changes, and when they last came again."""

    ceased: int | None = None
    resumed: int | None = None

    @property
    def since(self) -> int | None:
        """Since when the workspace is silent (ms); None while its webhooks come."""
        return self.ceased if self.ceased is not None and self.ceased >= (self.resumed or 0) else None


class AlarmTestRow(Row, frozen=True, tag="alarm_test"):
    """A test of the alarm that is open: its id, since when (ms of log time), the severity of its finding, and the fact that opened it."""

    id: str
    since: int
    severity: int
    source: FactReference


class SourceChoice(Row, frozen=True, tag="source_choice"):
    """The source that is right about the employment of a person, None once taken back, and the decision.

    `since` is the date of the first of an unbroken run of decisions for this source; None where it was never otherwise. `made` are the
    decisions, the latest of them.
    """

    choice: str | None
    source: FactReference
    since: int | None
    made: tuple[DatedName, ...] = ()

    @property
    def decision(self) -> Decision:
        """Return the decision as those about other matters are."""
        return Decision(self.choice, self.source, self.since)


class CalendarRow(Row, frozen=True, tag="calendar"):
    """The working days of a calendar."""

    calendar: Calendar
    source: FactReference


class CheckRow(Row, frozen=True, kw_only=True, tag="check"):
    """A check and its subject: the present result, the open finding, and those closed within the last ten minutes."""

    check_result: CheckResult | None = None
    episode: Episode | None = None
    closed: tuple[Episode, ...] = ()


class Timer(Row, frozen=True, tag="timer"):
    """Timer of a check for its subject, a person or an account; `fact` is the one the deadline rests on."""

    check: str
    subject: Key
    fact: str


class ArmedTimer(Row, frozen=True, tag="armed_timer"):
    """The instant (ms) the timer of a check and its subject is armed for."""

    at: int


class TimerIndex(Row, frozen=True, tag="timer_index"):
    """Entry of the partition's index of timers."""

    tenant: str


AnyRow: TypeAlias = Union[  # noqa: UP007 - the codec names it in errors, and X | Y has no name
    TenantLog, AccountRow, StaffRecord, UnchangedRecord, RecordId, SourceRow, SourceSigns, TeammatesRow, HolderIndex, WorkspaceRow, PolicyRow, SettingsRow, CalendarRow, CoverageRow, MonitoringRow, AlarmTestRow, SilenceRow, RulesVersionRow, ActivityRow, ChangesRow, InviteRow, ExemptionRow, GrantId, ApprovalRow, ApprovalId,
    SourceChoice, CheckRow, Timer, ArmedTimer,
    TimerIndex, SnapshotStaging, StagedRecord, StagedAssertion, SnapshotPage, PendingAccount, QueuedFact, PendingFact, BacklogIndex,
]  # fmt: skip
