"""Wait for the outputs of a process: its topics show when it has begun and when it is done."""

import sys
import time

from bench.child import Child
from bench.cluster import Cluster, OffsetWatch, read_all
from schemas.errors import MustStop

_BEGIN_S = 120  # to the first output: start and join, on a busy machine
_STILL_S = 2  # without new output for so long, the process is done
_STUCK_S = 90  # without new output for so long before all outputs exist, the process is stuck
_POLL_S = 0.25


def wait_until_complete(child: Child, cluster: Cluster, topic: str, expected: int | None, limit_s: float) -> None:
    """Wait for the first output, then for the limit, or until no more outputs come and `expected` committed records exist.

    For a process that is stuck before that, print the end of its output and return: the caller's checks report what is missing.
    """
    watch = cluster.watch([topic])
    _wait_for_first_output(child, watch)
    began_at = moved_at = time.monotonic()
    end_offset = counted_at = 0
    while time.monotonic() - began_at < limit_s:
        child.must_run()
        reached, now = watch.total(), time.monotonic()
        if reached != end_offset:
            end_offset, moved_at = reached, now
        elif expected is not None and reached >= expected and reached != counted_at and now - moved_at > _STILL_S:
            if _records(cluster, topic) >= expected:  # end offsets include the markers of transactions
                break
            counted_at = reached
        elif expected is not None and now - moved_at > _STUCK_S:
            print(f"it stands still at offset {reached:,} for {expected:,} records:\n{child.output()[-2000:]}", file=sys.stderr)
            break
        time.sleep(_POLL_S)
    watch.close()


def _wait_for_first_output(child: Child, watch: OffsetWatch) -> None:
    started = time.monotonic()
    while watch.total() == 0:
        child.must_run()
        if time.monotonic() - started > _BEGIN_S:
            raise MustStop(f"{child.command[-2]} wrote nothing for {_BEGIN_S} s:\n{child.output()[-2000:]}")
        time.sleep(_POLL_S)


def _records(cluster: Cluster, topic: str) -> int:
    return sum(1 for _ in read_all(cluster.bootstrap, topic, cluster.prefixed("count")))
