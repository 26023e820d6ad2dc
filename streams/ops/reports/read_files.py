"""Read a tenant's facts from an export of the ledger, or a backup, into a report: an auditor makes it again without any broker."""

from schemas.access.facts import TOPIC
from schemas.access.reports import AccessReport
from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.partition import partition_of
from streams.core.access.reports.build import report
from streams.core.access.reports.scope import ReportScope
from streams.ops.ledger.files_log import FilesLog
from streams.ops.reports.read_log import report_log


def read_report_of_files(files: FilesLog, avro: Avro, tenant: str, scope: ReportScope) -> AccessReport:
    """Return the report of a tenant, with the bytes that it has from Kafka.

    Raises BadConfiguration for an offset that the files do not have, and for an instant that they may not reach: the log may have had further
    facts by then. Raises DamagedBackup where the files were altered.
    """
    if not (partitions := files.partitions(TOPIC)):
        raise BadConfiguration(f"{files.folder} has no {TOPIC}: a report rests on nothing else.")
    partition = partition_of(tenant.encode(), len(partitions))
    end = files.manifest.topics[TOPIC].partitions[partition].end
    if scope.known_at is not None and scope.known_at >= end:
        raise BadConfiguration(
            f"The files do not reach offset {scope.known_at}: the last one of partition {partition} is {end - 1}."
        )
    log, may_count, last = report_log(avro, tenant, scope), True, 0
    for record in files.records(TOPIC, partition):  # to the end, where the file proves itself
        may_count = may_count and log.take(partition, record)
        last = record.timestamp
    if may_count and scope.known_at is None:
        raise BadConfiguration(
            f"The files end at {timestamp(last)}, and there may be later facts that count by {timestamp(scope.as_of)}. Choose an instant before "
            f"that end, export the ledger again, or say with --known-at {end - 1} that these facts alone count."
        )
    return report(log.finished())
