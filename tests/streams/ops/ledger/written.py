"""A company's topics in files, as `access ledger export` and `backup` write them.

`python -m tests.streams.ops.ledger.written FOLDER SEED` writes those of a generated history. `recorded/` was written so by the first code that had a
ledger, and is never written again: old ledgers verify with each later release.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from connectors.backup.manifest import BackedUpTopic, Manifest, PartitionFile, write_manifest
from connectors.backup.record_file import RecordFileWriter, StoredRecord
from tests.streams.ops.ledger.history import Records, Topics, topics_of
from tests.support.access_histories.history import history
from tests.support.access_laws.product import records_of
from tests.support.company import Company

SIZE = 40


def generated(seed: int) -> Topics:
    """Return the topics of a company with a generated history."""
    company = Company()
    company.log = list(records_of(history(seed, SIZE)))
    for record in company.log:
        company.process([record])
    return topics_of(company)


def write(folder: Path, topics: Mapping[str, Records]) -> None:
    """Write topics of one partition each into a new folder."""
    found: dict[str, BackedUpTopic] = {}
    for topic, records in topics.items():
        path = folder / topic / "0.records"
        path.parent.mkdir(parents=True)
        with path.open("xb") as file:
            writer = RecordFileWriter(file, topic, 0)
            for record in records:
                writer.append(StoredRecord.of(record))
            writer.close()
        part = PartitionFile.of(writer, f"{topic}/0.records", 0, len(records))
        found[topic] = BackedUpTopic(partitions=(part,))
    write_manifest(folder, Manifest(product="unreleased", taken=0, cluster="", prefix="", topics=found, groups={}))


if __name__ == "__main__":
    write(Path(sys.argv[1]), generated(int(sys.argv[2])))
