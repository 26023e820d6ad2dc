"""The parts that rows are made of: keys, cited facts, registers, decisions, results and episodes.

They are trees of frozen values, as rows are. No cycle can begin in one, so the collector of cycles does not walk them (`gc=False`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec

from schemas.access.facts import Evidence, Fact
from schemas.encoded import holds

PERSON: Final = "person"  # a kind of account: that of one person, as if it were not classified
Key: TypeAlias = tuple[str, ...]
AccountKey: TypeAlias = tuple[str, str]  # app id and account
RecordKey: TypeAlias = tuple[str, str]  # source and record


class LogPosition(NamedTuple):
    """Where a fact lies in the log, when the broker took it (ms), the SHA-256 of its bytes, and the trace it belongs to."""

    partition: int
    offset: int
    append_time: int
    sha256: str
    trace: str | None = None


class FactReference(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A fact, as findings cite it: what it was, where it lies in the log, and what it was made from.

    `date` (ms) is its time, or log time where it has none: a null time means log time.
    """

    fact: str
    kind: str
    time: int | None
    date: int
    partition: int
    offset: int
    sha256: str
    inputs: tuple[Evidence, ...] = ()

    @classmethod
    def of(cls, fact: Fact, date: int, partition: int, offset: int, sha256: str) -> "FactReference":
        """Return a fact as it is cited that lies there in the log."""
        return cls(fact.id, fact.kind, fact.time, date, partition, offset, sha256, fact.evidence)


EncodedReference: TypeAlias = Annotated[msgspec.Raw, holds(FactReference)]
"""A reference that stays encoded in its row: nearly all are passed on, or given up for a later one, unread."""

_decode_reference: Final = msgspec.msgpack.Decoder(FactReference).decode
_encode_reference: Final = msgspec.msgpack.Encoder().encode


def encoded_reference(reference: FactReference) -> msgspec.Raw:
    """Return the bytes of a reference."""
    return msgspec.Raw(_encode_reference(reference))


def decoded_reference(reference: msgspec.Raw) -> FactReference:
    """Return the reference of `encoded_reference` bytes."""
    return _decode_reference(reference)


class CitedFact(msgspec.Struct, frozen=True, gc=False):
    """A fact as evidence, with a copy of what is cited of it; nothing personal."""

    source: FactReference
    excerpt: dict[str, str] = {}


class FieldRegister(msgspec.Struct, frozen=True, gc=False):
    """A register: the value of the latest assertion, the time and fact of that assertion, and the time it first had this value."""

    value: Any
    time: int
    fact: str
    since: int

    def __repr__(self) -> str:
        return f"FieldRegister(***, {self.time}, {self.fact!r}, {self.since})"


class PresenceEvent(msgspec.Struct, frozen=True, gc=False):
    """A teammate was added to a workspace, removed from it, or merely seen there; with `snapshot`, listed in one, or lacking in it."""

    time: int
    added: bool
    source: FactReference
    snapshot: bool = False


class AppliedSnapshot(NamedTuple):
    """A complete snapshot of a staff source: when it was requested (ms), its id, and its number among those applied."""

    requested: int
    id: str
    number: int


class TeammateSnapshot(msgspec.Struct, frozen=True, gc=False):
    """A complete snapshot of a workspace's teammates that was applied: when it was requested (ms), its id, its number among those.

    `source` is the fact that completed it.
    """

    requested: int
    id: str
    number: int
    source: FactReference


class SnapshotProblem(msgspec.Struct, frozen=True, gc=False):
    """Why the latest snapshot of a workspace's teammates or a staff source was not applied, since when (ms), and what it was about.

    `reason` is refused or incomplete. Of a refused one, `absent` of the `heads` that were there are not in it. `requested` (ms) is when it was;
    None in rows of before.
    """

    reason: str
    id: str
    since: int
    source: FactReference
    heads: int = 0
    absent: int = 0
    requested: int | None = None


class Decision(msgspec.Struct, frozen=True, gc=False):
    """An operator's decision: the value, null once taken back, and the fact that carries it.

    `since` is the date of the first of an unbroken run of decisions with this value; None where it was never otherwise.
    """

    value: str | None
    source: FactReference
    since: int | None


class ClassificationDecision(msgspec.Struct, frozen=True, gc=False):
    """What an account is decided to be: its kind, null once taken back, who answers for it, and when its access ends (ms).

    `since` is the date of the first of an unbroken run of decisions with this meaning for its owner's identity (a person's account is one
    like any that was never classified), `settled` of those with the same content.
    """

    kind: str | None
    owner: str | None
    expires: int | None
    source: FactReference
    since: int | None
    settled: int | None

    @property
    def value(self) -> str | None:
        """The kind of an account of no single person; None for a person's."""
        return None if self.kind == PERSON else self.kind

    @property
    def content(self) -> tuple[str | None, str | None, int | None]:
        """All that is decided; of a person's account as of one that was never classified."""
        return (self.kind, self.owner, self.expires) if self.value else (None, None, None)


class DatedName(NamedTuple):
    """A name that a decision gives, its date (ms), and its place in the log."""

    name: str | None
    date: int
    offset: int


def name_at(made: Sequence[DatedName], at: int) -> str | None:
    """Return the name that counted at an instant (ms), of names in the order of the log; None where there was none yet."""
    return next((each.name for each in reversed(made) if each.date <= at), None)


class Exemption(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The exemption that a result rests on; the grant that it is. Times are milliseconds."""

    id: str
    starts: int
    expires: int | None = None
    approver: str | None = None
    evidence_sha256: str | None = None
    reason: str | None = None

    def __repr__(self) -> str:
        return f"Exemption({self.id!r}, {self.starts}, {self.expires}, ***)"


class FindingHandling(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What people did about a finding: the last action with its comment, who it was assigned to, whether anybody acknowledged it.

    `facts` are those that say so, the last one at the end; one that is read again changes nothing.
    """

    action: str
    facts: tuple[str, ...]
    assignee: str | None = None
    acknowledged: bool = False
    comment: str | None = None

    def __repr__(self) -> str:
        return f"FindingHandling({self.action!r}, {self.facts!r}, ***)"


class CheckResult(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A check's result for a subject. `since` (ms) is when it began, by the clocks of the facts and decisions it rests on.

    `held` is since when a finding has had to be open, None where none has. `people` are the ids of the person it is about.
    `due` is the finding's deadline, with its `sla_state`; of a result that passes, when it will change.
    """

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
    sla_state: str | None = None
    held: int | None = None
    people: tuple[str, ...] = ()
    exemption: Exemption | None = None


class Episode(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A finding from its opening to its close, and for ten minutes after.

    `created` is the time of its Create event, `since` its start as known now; `presence` is when the account's presence began.
    `reported` is the last result that failed, or, if none did, that kept it open; `substance` hashes what a reader would call a change.
    `due` is the deadline, fixed at the Create with what is shown of its `grace`; `baseline` says that monitoring had not started then.
    """

    uid: str
    staff: str
    people: tuple[str, ...]
    sequence: int
    reported: CheckResult
    created: int
    since: int
    created_log: int
    presence: int | None
    substance: str
    evidence: tuple[CitedFact, ...] = ()
    due: int | None = None
    grace: dict[str, str] = {}
    baseline: bool = False
    closed: int | None = None  # log time of the close
    handling: FindingHandling | None = None
    next_handling: FindingHandling | None = None  # not published yet
