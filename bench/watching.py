"""Wait for what a process writes, from outside: its topics say when it has begun, and when it is through."""

import time

from bench.child import Child
from bench.cluster import Watch
from schemas.errors import MustStop

_BEGIN_S = 120  # to the first output: start, join, and a machine that is busy
_STILL_S = 2  # no new output for this long means that it is through
_LOOK_S = 0.25


def until_still(child: Child, watch: Watch, wanted: int | None, limit_s: float) -> None:
    """Wait for the first output, then for the limit, or until nothing comes any more once `wanted` are there. Closes the watch."""
    started = time.monotonic()
    while watch.total() == 0:
        child.must_run()
        if time.monotonic() - started > _BEGIN_S:
            raise MustStop(f"{child.command[-2]} wrote nothing for {_BEGIN_S} s:\n{child.output()[-2000:]}")
        time.sleep(_LOOK_S)
    began = moved = time.monotonic()
    seen = 0
    while time.monotonic() - began < limit_s:
        child.must_run()
        reached = watch.total()
        if reached != seen:
            seen, moved = reached, time.monotonic()
        elif wanted is not None and reached >= wanted and time.monotonic() - moved > _STILL_S:
            break
        time.sleep(_LOOK_S)
    watch.close()
