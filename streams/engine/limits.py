"""Sizes and times of the engine, with their reasons."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults were measured on two cores beside the broker (docs/benchmarks.md)."""

    batch_records: int = 2_000  # below 500 the transaction's round trips show, above 2,000 little is gained
    batch_bytes: int = 4 << 20  # bounds the memory of a batch of large records
    step_seconds: float = 0.2  # above this duration of a step batches get smaller: other partitions wait meanwhile
    part_seconds: float = 0.1  # pending work: pieces for so long share a transaction, unless somebody waits
    buffer_bytes: int = 8 << 20  # per partition, beside the batch in work: one batch, or so much; one fetch may exceed it
    pending_work_limit: int = 100  # per partition: with more cursors waiting, no new record is processed
    fetch_bytes: int = (
        2 << 20
    )  # per partition and fetch, compressed, and kept until its last record is read; less makes small batches
    fetch_wait_ms: int = 100  # the longest delay of a partition that was drained after the fetch began
    session_timeout_ms: int = 10_000  # a dead worker's partitions move after this; brokers allow 6 s and more
    heartbeat_ms: int = 2_000
    group_instance: str = ""  # a worker with a name keeps its partitions over a restart that is shorter than the session
    transaction_timeout_ms: int = 10_000  # as the session: a dead worker's open transaction holds readers back
    request_timeout_ms: int = 10_000  # as a transaction: what a broker answers later comes too late
    producer_clients: int = 8  # for the producers of all partitions, each with two connections to a broker
    settle_seconds: float = 1.0  # without records for this time, positions behind transaction markers are committed
    reload_seconds: float = 0.5  # pause before a failed partition is loaded again
    dead_letter_consecutive: int = 100  # this many dead letters in a row stop the worker …
    dead_letter_share: float = 0.2  # … and so does this share of the last `dead_letter_window` records
    dead_letter_window: int = 500

    @property
    def rebalance_timeout_ms(self) -> int:
        """How long the group waits for a member, which ends its transactions first."""
        return max(30_000, self.session_timeout_ms)
