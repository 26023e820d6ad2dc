"""The rows of the access agent's table about work under way: snapshots being staged, facts in parts, facts that wait."""

from schemas.access.facts import EncodedFact, Fact, decode_raw
from streams.core.access.state.row_kinds.assertion import EncodedAssertion
from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.stage import Stage
from streams.core.access.state.values import EncodedReference, FactReference, LogPosition, decoded_reference


class SnapshotStaging(Row, frozen=True, tag="snapshot"):
    """A snapshot under way: when it was requested (ms), and the `first` of its facts with the log time it `started` at.

    A complete one that the guard `refused` waits to be `confirmed`. Of the workspace's `heads` teammates counted so far, `absent` are
    not in it.
    """

    requested: int
    started: int
    first: FactReference
    confirmed: bool = False
    refused: bool = False
    heads: int = 0
    absent: int = 0


class StagedRow(Row, frozen=True):
    """A row of a snapshot until the snapshot is complete, in either of its forms."""


class StagedRecord(StagedRow, frozen=True, tag="staged_record"):
    """A row of a snapshot of teammates: the fact, which stays encoded, and where it lies in the log. Earlier releases staged staff so too."""

    fact: EncodedFact
    partition: int
    offset: int
    sha256: str

    def read(self, requested: int) -> tuple[Fact, FactReference]:
        """Return the fact, and as what findings cite it, as of the snapshot's request (ms)."""
        fact = decode_raw(self.fact)
        return fact, FactReference.of(fact, requested, self.partition, self.offset, self.sha256)

    def __repr__(self) -> str:
        return f"StagedRecord(***, {self.partition}, {self.offset})"


class StagedAssertion(StagedRow, frozen=True, tag="staged_assertion"):
    """A row of a staff source's snapshot, until the snapshot is complete: what it asserts, and the fact as findings cite it, both encoded as records have them."""

    source: EncodedReference
    asserted: EncodedAssertion

    def __repr__(self) -> str:
        return f"StagedAssertion({decoded_reference(self.source)!r}, ***)"


class SnapshotPage(Row, frozen=True, tag="snapshot_page"):
    """A page of the ids of a snapshot's records, while a large snapshot is checked."""

    ids: tuple[str, ...]


class PendingAccount(Row, frozen=True, tag="pending_account"):
    """An account that a fact affected and that was not evaluated yet."""


class QueuedFact(Row, frozen=True, tag="queued_fact"):
    """A fact that waits for an earlier one, which is larger than a transaction."""

    fact: EncodedFact
    position: LogPosition

    def __repr__(self) -> str:
        return f"QueuedFact(***, {self.position!r})"


class PendingFact(Row, frozen=True, tag="pending_fact", kw_only=True):
    """A fact that is larger than a transaction, and how far it has come: its stage, and the last row done in it (`cursor`).

    `has_pending_accounts` says that rows of `PendingAccount` exist, `all_accounts` that every account is evaluated in the end.
    """

    fact: EncodedFact
    position: LogPosition
    stage: Stage
    cursor: str = ""
    outcome: str = ""
    has_pending_accounts: bool = False
    all_accounts: bool = False

    def __repr__(self) -> str:
        return f"PendingFact(***, {self.position!r}, {self.stage!r}, {self.cursor!r})"


class BacklogIndex(Row, frozen=True, tag="backlog"):
    """Entry of the partition's index of tenants with pending work: how many facts wait, and the key of the last one taken from the queue."""

    queued: int = 0
    processing: str = ""
