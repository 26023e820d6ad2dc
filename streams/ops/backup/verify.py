"""Verify a backup before anything is made of it: every record by its hash, and the ledger of access by what it names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.backup.manifest import BackedUpTopic, Manifest, read_manifest
from connectors.backup.record_file import DamagedBackup, StoredRecord, read_records
from schemas.access import facts
from schemas.codec import Avro
from streams.engine.tables import commit_state
from streams.engine.tables.commit_state import CommitState
from streams.ops.backup.topics import is_changelog
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier

_LEDGER_LAST = ("access.violations", "access.ledger")


class VerifiedBackup(NamedTuple):
    """A backup that is as it was written. `states` is where each table stood, by changelog and partition."""

    folder: Path
    manifest: Manifest
    ledger: LedgerSummary
    states: dict[str, dict[int, CommitState]]

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yield the records of a partition, verified again as they are read."""
        return _records(self.folder, topic, self.manifest.topics[topic], partition)


def verify(folder: Path, avro: Avro, on_progress: Callable[[str, int], None]) -> VerifiedBackup:
    """Read a backup to its end. Raises DamagedBackup at the first bad record, LedgerBroken where the ledger does not hold."""
    manifest = read_manifest(folder)
    ledger = LedgerVerifier(avro)
    states: dict[str, dict[int, CommitState]] = {}
    for name in sorted(manifest.topics, key=lambda name: (name in _LEDGER_LAST, name == _LEDGER_LAST[1], name)):
        topic, count = manifest.topics[name], 0
        for number in range(len(topic.partitions)):
            for record in _records(folder, name, topic, number):
                count += 1
                if name == facts.TOPIC:
                    ledger.add_fact(number, record)
                elif name == _LEDGER_LAST[0]:
                    ledger.add_finding(record)
                elif name == _LEDGER_LAST[1]:
                    ledger.add_entry(record)
                elif record.key == commit_state.KEY and record.value is not None and is_changelog(name):
                    states.setdefault(name, {})[number] = commit_state.decode(record.value)
        on_progress(name, count)
    return VerifiedBackup(folder, manifest, ledger.summary(), states)


def _records(folder: Path, name: str, topic: BackedUpTopic, number: int) -> Iterator[StoredRecord]:
    part = topic.partitions[number]
    path = (folder / part.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise DamagedBackup(f"the manifest of {folder} names a file outside of it; it was not written by this product")
    return read_records(path, name, number, records=part.records, head=part.head)
