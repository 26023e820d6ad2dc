"""Open loaded processors: agree on where each resumes, and let it go live."""

from collections.abc import Collection, Iterator
from itertools import chain

from schemas.errors import MissingRecords, MustStop
from streams.engine.encodings import Encodings
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus
from streams.engine.recovery.load_attempt import LoadAttempt, LoaderHost
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables.commit_state import CommitState, require_whole_log, resume_position


class Opener:
    """Let processors of a load go live as soon as their tables are restored; stop those whose records are missing."""

    def __init__(self, *, names: Naming, encodings: Encodings, host: LoaderHost) -> None:
        self._names = names
        self._encodings = encodings
        self._host = host

    async def open(self, processors: Collection[PartitionProcessor], attempt: LoadAttempt) -> None:
        """Open processors, if the load is still current."""
        if not processors or not attempt.is_current():
            return
        for processor in processors:
            self._open(processor, attempt)
            attempt.unlock(processor)
        await self._host.on_loaded([processor for processor in processors if processor.status is PartitionStatus.LIVE])

    def _open(self, processor: PartitionProcessor, attempt: LoadAttempt) -> None:
        restoration = attempt.restorations.get(self._names.changelog_partition(*processor.id))
        producer = attempt.producers.pop(processor)
        try:
            commit_state = self._commit_state(processor, restoration, attempt)
        except MissingRecords as missing:
            processor.producer = producer
            processor.stop(missing)
        except MustStop as error:  # another worker may run the release that can continue
            processor.producer = producer
            self._host.fatal(error)
        else:
            sources = self._names.source_partitions(processor.agent, processor.partition)
            ends = {topic: attempt.bounds.ends[tp] for topic, tp in sources.items()}
            processor.open(producer=producer, commit_state=commit_state, ends=ends)

    def _commit_state(self, processor: PartitionProcessor, restoration: Restoration | None, attempt: LoadAttempt) -> CommitState:
        """Return where the processor resumes, if changelog, group and source logs agree; raise MustStop where they do not."""
        stored = processor.commit_state if restoration is None else restoration.commit_state
        label = f"partition {processor.partition} of the {processor.agent.name} agent"
        encoding = self._encodings.of(stored.current_encoding, label, self._sibling_encodings(attempt))
        changelog = self._names.changelog(processor.agent.name)
        require_whole_log(changelog, processor.partition, 0 if restoration is None else restoration.truncated_at)
        positions = {
            topic: resume_position(
                topic,
                tp.partition,
                changelog=stored.positions.get(topic),
                group=attempt.offsets[self._names.offsets_group(processor.agent.name)].get(tp),
                table_empty=restoration is None or restoration.records == 0,
                start=attempt.bounds.starts[tp],
                end=attempt.bounds.ends[tp],
            )
            for topic, tp in self._names.source_partitions(processor.agent, processor.partition).items()
        }
        return CommitState({**stored.positions, **positions}, stored.pending_work, encoding)

    def _sibling_encodings(self, attempt: LoadAttempt) -> Iterator[int]:
        """Yield the encodings of all partitions of this process that are not empty."""
        restored = (restoration.commit_state for restoration in attempt.restorations.values())
        loaded = (processor.commit_state for processor in self._host.processors())
        encodings = (commit_state.current_encoding for commit_state in chain(restored, loaded))
        return (encoding for encoding in encodings if encoding is not None)
