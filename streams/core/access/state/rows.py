"""The rows of the access agent's table: all that is known of a tenant, and all that was answered.

A row's tag stands on the changelog. It is written out, so that a class can be renamed without a change of any table.
"""

from typing import Any, NamedTuple, TypeAlias, Union

import msgspec

from schemas.access.facts import AccessSettings, Evidence, Policy
from streams.core.access.state.stage import Stage

Key: TypeAlias = tuple[str, ...]
AccountKey: TypeAlias = tuple[str, str]  # app id and account
SubjectKey: TypeAlias = tuple[str, str]  # check and person, the latter empty where it is about none


class Row(msgspec.Struct, frozen=True):
    """Base of all rows."""


class LogPosition(NamedTuple):
    """Where a fact lies in the log, when the broker took it (ms), the SHA-256 of its bytes, and the trace it belongs to."""

    partition: int
    offset: int
    append_time: int
    sha256: str
    trace: str | None = None


class FactReference(msgspec.Struct, frozen=True):
    """A fact, as findings cite it: what it was, where it lies in the log, and what it was made from."""

    fact: str
    kind: str
    time: int | None
    partition: int
    offset: int
    sha256: str
    inputs: tuple[Evidence, ...] = ()


class CitedFact(msgspec.Struct, frozen=True):
    """A fact as evidence, with a copy of what is cited of it; nothing personal."""

    source: FactReference
    excerpt: dict[str, str] = {}


class FieldRegister(msgspec.Struct, frozen=True):
    """A register: the value of the latest assertion, the time and fact of that assertion, and the time it first had this value."""

    value: Any
    time: int
    fact: str
    since: int

    def __repr__(self) -> str:
        return f"FieldRegister(***, {self.time}, {self.fact!r}, {self.since})"


class PresenceEvent(msgspec.Struct, frozen=True):
    """A teammate was added to a workspace, removed from it, or merely seen there."""

    time: int
    added: bool
    source: FactReference


class Decision(msgspec.Struct, frozen=True):
    """An operator's decision: the value, null once taken back, and the fact that carries it."""

    value: str | None
    source: FactReference


class TenantLog(Row, frozen=True, tag="log"):
    """A tenant's progress: log time (ms), number and hash of the last ledger entry, number of known staff members."""

    now: int = 0
    entries: int = 0
    head: str = ""
    people: int = 0


class AccountRow(Row, frozen=True, tag="account"):
    """A teammate's account in a workspace. `matched` is the person it was last matched with by address."""

    app_id: str
    id: str
    presence_events: tuple[PresenceEvent, ...] = ()  # added and removed, in order of time
    seen: PresenceEvent | None = None  # the earliest, for an account without an added event
    fields: dict[str, FieldRegister] = {}
    link: Decision | None = None
    classification: Decision | None = None
    matched: str | None = None


class StaffRecord(Row, frozen=True, tag="record"):
    """One source's record of a staff member.

    `ending` is the fact that last changed when employment ends, `snapshot` the last complete snapshot that had the record.
    """

    source: str
    id: str
    person: str
    fields: dict[str, FieldRegister]
    latest: FactReference
    ending: FactReference
    snapshot: str | None = None


class PersonRow(Row, frozen=True, tag="person"):
    """A staff member: the records attached, and the accounts matched with or linked to them."""

    id: str
    records: tuple[tuple[str, str], ...] = ()
    accounts: tuple[AccountKey, ...] = ()


class HolderIndex(Row, frozen=True, tag="holders"):
    """Who holds an address or an employee number: people and accounts."""

    people: tuple[str, ...] = ()
    accounts: tuple[AccountKey, ...] = ()


class WorkspaceRow(Row, frozen=True, tag="workspace"):
    """A monitored workspace, and the fact that first named it."""

    app_id: str
    source: FactReference


class PolicyRow(Row, frozen=True, tag="policy"):
    """The policy in force."""

    policy: Policy
    source: FactReference


class SettingsRow(Row, frozen=True, tag="settings"):
    """The settings in force."""

    settings: AccessSettings
    source: FactReference


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """A check's result for a subject. `since` is when the condition became true by the source's clock, where that is known."""

    check: str
    staff: str | None = None
    result: str
    reason: str
    since: int
    severity: int
    confidence: int = 3
    candidates: tuple[str, ...] = ()
    parameters: dict[str, str] = {}
    policy: str | None = None
    due: int | None = None


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """A finding from its opening to its close, and for ten minutes after.

    `failing` is the last result that failed; `substance` hashes what a reader would call a change.
    """

    uid: str
    sequence: int
    failing: CheckResult
    opened: int
    created: int
    substance: str
    evidence: tuple[CitedFact, ...] = ()
    closed: int | None = None  # log time of the close


class CheckRow(Row, frozen=True, tag="check", kw_only=True):
    """A check and its subject: the present result, since when it holds, and the finding."""

    check_result: CheckResult | None = None
    since: int = 0
    episode: Episode | None = None


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


class SnapshotStaging(Row, frozen=True, tag="snapshot"):
    """A snapshot of a staff source under way."""

    id: str
    source: str
    requested: int
    started: int


class StagedRecord(Row, frozen=True, tag="staged_record"):
    """A record of a snapshot, until the snapshot is complete. The fact stays encoded until then."""

    fact: msgspec.Raw
    source: FactReference

    def __repr__(self) -> str:
        return f"StagedRecord(***, {self.source!r})"


class SnapshotPage(Row, frozen=True, tag="snapshot_page"):
    """A page of the ids of a snapshot's records, while a large snapshot is checked."""

    ids: tuple[str, ...]


class PendingAccount(Row, frozen=True, tag="pending_account"):
    """An account that a fact affected and that was not evaluated yet."""


class QueuedFact(Row, frozen=True, tag="queued_fact"):
    """A fact that waits for an earlier one, which is larger than a transaction."""

    fact: msgspec.Raw
    position: LogPosition

    def __repr__(self) -> str:
        return f"QueuedFact(***, {self.position!r})"


class PendingFact(Row, frozen=True, tag="pending_fact", kw_only=True):
    """A fact that is larger than a transaction, and how far it has come: its stage, and the last row done in it (`cursor`).

    `aliases` are the alias domains before the fact, `snapshot` the one it is about; `has_pending_accounts` says that rows of
    `PendingAccount` exist.
    """

    fact: msgspec.Raw
    position: LogPosition
    stage: Stage
    cursor: str = ""
    outcome: str = ""
    aliases: dict[str, str] = {}
    snapshot: str = ""
    has_pending_accounts: bool = False

    def __repr__(self) -> str:
        return f"PendingFact(***, {self.position!r}, {self.stage!r}, {self.cursor!r})"


class BacklogIndex(Row, frozen=True, tag="backlog"):
    """Entry of the partition's index of tenants with pending work: how many facts wait, and the key of the last one taken from the queue."""

    queued: int = 0
    processing: str = ""


AnyRow: TypeAlias = Union[  # noqa: UP007 - the codec names it in errors, and X | Y has no name
    TenantLog, AccountRow, StaffRecord, PersonRow, HolderIndex, WorkspaceRow, PolicyRow, SettingsRow, CheckRow, Timer, ArmedTimer, TimerIndex, SnapshotStaging, StagedRecord, SnapshotPage,
    PendingAccount, QueuedFact, PendingFact, BacklogIndex,
]  # fmt: skip
