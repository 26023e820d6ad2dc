"""The rows of the access agent's table: all that is known of a tenant, and all that was answered."""

from typing import Any, NamedTuple, TypeAlias, Union

import msgspec

from schemas.access.facts import AccessSettings, Evidence, Policy


class Row(msgspec.Struct, frozen=True):
    """Base of all rows. Each names its own tag, which tells rows apart on the changelog: a class can be renamed, a tag cannot."""


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
    """A register: the value of the latest assertion, when that was made, by which fact, and since when it is this value."""

    value: Any
    time: int
    fact: str
    since: int

    def __repr__(self) -> str:
        return f"FieldRegister(***, {self.time}, {self.fact!r}, {self.since})"


class PresenceEvent(msgspec.Struct, frozen=True):
    """A teammate added to or removed from a workspace, or merely seen."""

    time: int
    added: bool
    source: FactReference


class Decision(msgspec.Struct, frozen=True):
    """What a person decided: the value, null once taken back, and the fact that says so."""

    value: str | None
    source: FactReference


class TenantLog(Row, frozen=True, tag="log"):
    """A tenant's place in its log: log time, number and hash of the last ledger entry, number of staff members known."""

    now: int = 0
    entries: int = 0
    head: str = ""
    people: int = 0


class AccountRow(Row, frozen=True, tag="account"):
    """A teammate's account in a workspace. `held` is the staff member it was last matched with."""

    app_id: str
    id: str
    presence_events: tuple[PresenceEvent, ...] = ()  # added and removed, in order of time
    seen: PresenceEvent | None = None  # the earliest, for an account that was never said to be added
    fields: dict[str, FieldRegister] = {}
    link: Decision | None = None
    classification: Decision | None = None
    matched: str | None = None


class StaffRecord(Row, frozen=True, tag="record"):
    """One source's record of a staff member.

    `ending` is the fact that last changed when employment ends, `listed` the last complete listing that had the record.
    """

    source: str
    id: str
    person: str
    fields: dict[str, FieldRegister]
    latest: FactReference
    ending: FactReference
    snapshot: str | None = None


class PersonRow(Row, frozen=True, tag="person"):
    """A staff member: the records attached, the accounts that hold to them, and the instant a timer waits for."""

    id: str
    records: tuple[tuple[str, str], ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()
    timer: int | None = None


class HolderIndex(Row, frozen=True, tag="holders"):
    """Who has an address: staff members and accounts."""

    people: tuple[str, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()


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
    """What a check says of a subject. `since` is when the condition became true by the source's clock, where that is known."""

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

    `failing` is the last answer that failed; `substance` hashes what a reader would call a change.
    """

    uid: str
    sequence: int
    failing: CheckResult
    opened: int
    created: int
    substance: str
    exhibits: tuple[CitedFact, ...] = ()
    closed: int | None = None  # log time of the close


class CheckRow(Row, frozen=True, tag="check", kw_only=True):
    """A check and whom it is about: the present answer, since when it stands, and the finding."""

    check_result: CheckResult | None = None
    since: int = 0
    episode: Episode | None = None


class Timer(Row, frozen=True, tag="timer"):
    """A timer: at its instant the employment of this person ends, because of that fact."""

    person: str
    fact: str


class TimerIndex(Row, frozen=True, tag="timer_index"):
    """In the partition's index of timers: whose."""

    tenant: str
    person: str


class SnapshotStaging(Row, frozen=True, tag="snapshot"):
    """A complete listing under way."""

    id: str
    source: str
    requested: int
    started: int


class StagedRecord(Row, frozen=True, tag="staged_record"):
    """A row of a listing, until it is complete. The fact stays encoded until then."""

    fact: msgspec.Raw
    source: FactReference

    def __repr__(self) -> str:
        return f"StagedRecord(***, {self.source!r})"


class SnapshotPage(Row, frozen=True, tag="snapshot_page"):
    """Ids of a listing's rows, a page of them, while a large listing is checked."""

    ids: tuple[str, ...]


class PendingAccount(Row, frozen=True, tag="pending_account"):
    """An account that a fact touched and that was not looked at yet."""


class QueuedFact(Row, frozen=True, tag="queued_fact"):
    """A fact that waits for the one before it, which is larger than a transaction."""

    fact: msgspec.Raw
    place: LogPosition

    def __repr__(self) -> str:
        return f"QueuedFact(***, {self.place!r})"


class PendingFact(Row, frozen=True, tag="pending_fact", kw_only=True):
    """A fact that is larger than a transaction, and how far it has come: its stage, and behind which row that stands.

    `aliases` are those before the fact, `listing` is the one it is about, `unseen` says that there are rows of that kind.
    """

    fact: msgspec.Raw
    place: LogPosition
    stage: str
    cursor: str = ""
    outcome: str = ""
    aliases: dict[str, str] = {}
    snapshot: str = ""
    has_pending_accounts: bool = False

    def __repr__(self) -> str:
        return f"PendingFact(***, {self.place!r}, {self.stage!r}, {self.cursor!r})"


class BacklogIndex(Row, frozen=True, tag="backlog"):
    """In the partition's index of tenants with work left over: how many facts wait, and the item of the last that was taken up."""

    queued: int = 0
    processing: str = ""


AnyRow: TypeAlias = Union[  # noqa: UP007 - the codec names it in errors, and X | Y has no name
    TenantLog, AccountRow, StaffRecord, PersonRow, HolderIndex, WorkspaceRow, PolicyRow, SettingsRow, CheckRow, Timer, TimerIndex, SnapshotStaging, StagedRecord, SnapshotPage,
    PendingAccount, QueuedFact, PendingFact, BacklogIndex,
]  # fmt: skip
