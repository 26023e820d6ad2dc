"""`backfill` as a process of its own that takes an earlier one for dead at once: a test cannot wait for the twenty seconds."""

import sys

from streams.cli.main import root
from streams.ops.backfill import run

if __name__ == "__main__":
    run.ALIVE_MS = -1  # type: ignore[misc]  # only here
    root(sys.argv[1:])
