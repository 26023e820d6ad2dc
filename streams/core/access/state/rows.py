"""The rows of the access agent's table: all that is known of a tenant, and all that was answered."""

from typing import Any, NamedTuple, TypeAlias, Union

import msgspec

from schemas.access.facts import Evidence, Policy, Settings


class Row(msgspec.Struct, frozen=True, tag=True):
    """Base of all rows; the tag tells them apart on the changelog."""


class Place(NamedTuple):
    """Where a fact lies in the log, when the broker took it (ms), the SHA-256 of its bytes, and the trace it belongs to."""

    partition: int
    offset: int
    append_time: int
    sha256: str
    trace: str | None = None


class Source(msgspec.Struct, frozen=True):
    """A fact, as findings cite it: what it was, where it lies in the log, and what it was made from."""

    fact: str
    kind: str
    time: int | None
    partition: int
    offset: int
    sha256: str
    inputs: tuple[Evidence, ...] = ()


class Exhibit(msgspec.Struct, frozen=True):
    """A fact as evidence, with a copy of what is cited of it; nothing personal."""

    source: Source
    cites: dict[str, str] = {}


class Field(msgspec.Struct, frozen=True):
    """A register: the value of the latest assertion, when that was made, by which fact, and since when it is this value."""

    value: Any
    time: int
    fact: str
    since: int

    def __repr__(self) -> str:
        return f"Field(***, {self.time}, {self.fact!r}, {self.since})"


class Sighting(msgspec.Struct, frozen=True):
    """A teammate added to or removed from a workspace, or merely seen."""

    time: int
    added: bool
    source: Source


class Decision(msgspec.Struct, frozen=True):
    """What a person decided: the value, null once taken back, and the fact that says so."""

    value: str | None
    source: Source


class Log(Row, frozen=True):
    """A tenant's place in its log: log time, number and hash of the last ledger entry, number of staff members known."""

    now: int = 0
    entries: int = 0
    head: str = ""
    people: int = 0


class Account(Row, frozen=True):
    """A teammate's account in a workspace. `held` is the staff member it was last matched with."""

    app_id: str
    id: str
    sightings: tuple[Sighting, ...] = ()  # added and removed, in order of time
    seen: Sighting | None = None  # the earliest, for an account that was never said to be added
    fields: dict[str, Field] = {}
    link: Decision | None = None
    classification: Decision | None = None
    held: str | None = None


class Record(Row, frozen=True):
    """One source's record of a staff member.

    `ending` is the fact that last changed when employment ends, `listed` the last complete listing that had the record.
    """

    source: str
    id: str
    person: str
    fields: dict[str, Field]
    latest: Source
    ending: Source
    listed: str | None = None


class Person(Row, frozen=True):
    """A staff member: the records attached, the accounts that hold to them, and the instant a timer waits for."""

    id: str
    records: tuple[tuple[str, str], ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()
    armed: int | None = None


class Address(Row, frozen=True):
    """Who has an address: staff members and accounts."""

    people: tuple[str, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()


class Workspace(Row, frozen=True):
    """A monitored workspace, and the fact that first named it."""

    app_id: str
    source: Source


class PolicyRow(Row, frozen=True):
    """The policy in force."""

    policy: Policy
    source: Source


class SettingsRow(Row, frozen=True):
    """The settings in force."""

    settings: Settings
    source: Source


class Answer(msgspec.Struct, frozen=True, kw_only=True):
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
    failing: Answer
    opened: int
    created: int
    substance: str
    exhibits: tuple[Exhibit, ...] = ()
    closed: int | None = None  # log time of the close


class Subject(Row, frozen=True, kw_only=True):
    """A check and whom it is about: the present answer, since when it stands, and the finding."""

    answer: Answer | None = None
    since: int = 0
    episode: Episode | None = None


class Due(Row, frozen=True):
    """A timer: at its instant the employment of this person ends, because of that fact."""

    person: str
    fact: str


class Waiting(Row, frozen=True):
    """In the partition's index of timers: whose."""

    tenant: str
    person: str


class Staging(Row, frozen=True):
    """A complete listing under way."""

    id: str
    source: str
    requested: int
    begun: int


class StagedRow(Row, frozen=True):
    """A row of a listing, until it is complete. The fact stays encoded until then."""

    fact: msgspec.Raw
    source: Source

    def __repr__(self) -> str:
        return f"StagedRow(***, {self.source!r})"


class Counted(Row, frozen=True):
    """Ids of a listing's rows, a page of them, while a large listing is checked."""

    ids: tuple[str, ...]


class Unseen(Row, frozen=True):
    """An account that a fact touched and that was not looked at yet."""


class Queued(Row, frozen=True):
    """A fact that waits for the one before it, which is larger than a transaction."""

    fact: msgspec.Raw
    place: Place

    def __repr__(self) -> str:
        return f"Queued(***, {self.place!r})"


class Work(Row, frozen=True, kw_only=True):
    """A fact that is larger than a transaction, and how far it has come: its stage, and behind which row that stands.

    `aliases` are those before the fact, `listing` is the one it is about, `unseen` says that there are rows of that kind.
    """

    fact: msgspec.Raw
    place: Place
    stage: str
    after: str = ""
    outcome: str = ""
    aliases: dict[str, str] = {}
    listing: str = ""
    unseen: bool = False

    def __repr__(self) -> str:
        return f"Work(***, {self.place!r}, {self.stage!r}, {self.after!r})"


class Busy(Row, frozen=True):
    """In the partition's index of tenants with work left over: how many facts wait, and the item of the last that was taken up."""

    queued: int = 0
    taken: str = ""


AnyRow: TypeAlias = Union[  # noqa: UP007 - the codec names it in errors, and X | Y has no name
    Log, Account, Record, Person, Address, Workspace, PolicyRow, SettingsRow, Subject, Due, Waiting, Staging, StagedRow, Counted,
    Unseen, Queued, Work, Busy,
]  # fmt: skip
