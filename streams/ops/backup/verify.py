"""Verify a backup before anything is made of it: every record by its hash, and the ledger of access by what it names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from connectors.backup.manifest import Manifest
from connectors.backup.record_file import StoredRecord
from schemas.codec import Avro
from streams.engine.tables import commit_state
from streams.engine.tables.commit_state import CommitState
from streams.ops.backup.topics import is_changelog
from streams.ops.ledger.access_log import FACTS, FINDINGS, LEDGER, STATE
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier

_OF_LEDGER: Final = frozenset({FACTS, FINDINGS, STATE, LEDGER})


class VerifiedBackup(NamedTuple):
    """A backup that is as it was written. `states` is where each table stood, by changelog and partition."""

    log: FilesLog
    ledger: LedgerSummary
    states: dict[str, dict[int, CommitState]]

    @property
    def manifest(self) -> Manifest:
        return self.log.manifest

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yield the records of a partition, verified again as they are read."""
        return self.log.records(topic, partition)


async def verify(folder: Path, avro: Avro, on_progress: Callable[[str, int], None]) -> VerifiedBackup:
    """Read a backup to its end. Raises DamagedBackup at the first bad record, LedgerBroken where the ledger does not hold.

    An installation that was itself restored has made some entries of its ledger again, so a run of them may stand twice.
    """
    log = FilesLog.open(folder)
    states: dict[str, dict[int, CommitState]] = {}
    for name in sorted(set(log.manifest.topics) - _OF_LEDGER):
        count = 0
        for number in log.partitions(name):
            for record in log.records(name, number):
                count += 1
                if record.key == commit_state.KEY and record.value is not None and is_changelog(name):
                    states.setdefault(name, {})[number] = commit_state.decode(record.value)
        on_progress(name, count)
    return VerifiedBackup(log, await verify_log(log, LedgerVerifier(avro, repeats=True), on_progress), states)
