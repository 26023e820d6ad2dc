"""Wait for what a process writes, from outside: its topics say when it has begun, and when it is through."""

import sys
import time

from bench.child import Child
from bench.cluster import Cluster, Watch, read_all
from schemas.errors import MustStop

_BEGIN_S = 120  # to the first output: start, join, and a machine that is busy
_STILL_S = 2  # no new output for this long means that it is through
_STUCK_S = 90  # none for this long before all are there: it will not get there
_LOOK_S = 0.25


def until_still(child: Child, cluster: Cluster, topic: str, wanted: int | None, limit_s: float) -> None:
    """Wait for the first output, then for the limit, or until nothing comes any more once `wanted` committed records are there.

    What stands still long before that has failed: its last words are shown, and it is up to the caller's checks to say what is missing.
    """
    watch = cluster.watching([topic])
    _begun(child, watch)
    began = moved = time.monotonic()
    seen = counted = 0
    while time.monotonic() - began < limit_s:
        child.must_run()
        reached, now = watch.total(), time.monotonic()
        if reached != seen:
            seen, moved = reached, now
        elif wanted is not None and reached >= wanted and reached != counted and now - moved > _STILL_S:
            if _records(cluster, topic) >= wanted:  # offsets alone say little: markers of transactions take some
                break
            counted = reached
        elif wanted is not None and now - moved > _STUCK_S:
            print(f"it stands still at offset {reached:,} for {wanted:,} records:\n{child.output()[-2000:]}", file=sys.stderr)
            break
        time.sleep(_LOOK_S)
    watch.close()


def _begun(child: Child, watch: Watch) -> None:
    started = time.monotonic()
    while watch.total() == 0:
        child.must_run()
        if time.monotonic() - started > _BEGIN_S:
            raise MustStop(f"{child.command[-2]} wrote nothing for {_BEGIN_S} s:\n{child.output()[-2000:]}")
        time.sleep(_LOOK_S)


def _records(cluster: Cluster, topic: str) -> int:
    return sum(1 for _ in read_all(cluster.bootstrap, topic, cluster.named("count")))
