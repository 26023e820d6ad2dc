"""Our own command line as a process: what `run` supervises and what `demo` and `simulate` call is what a person could type."""

import subprocess
import sys

from schemas.errors import MustStop

NEEDS_OPERATOR = 3
"""Exit code of a process that ended with `MustStop`: starting it again cannot help, a person has to act."""


def argv(config: str | None, *words: str) -> list[str]:
    """Return the command line of `intercom-streams --config … words`, in the environment this process runs in."""
    return [sys.executable, "-m", "streams.cli", *(["--config", config] if config else []), *words]


def call(config: str | None, *words: str) -> str:
    """Run a verb to its end and return what it printed; raise `MustStop` with its own words when it fails."""
    done = subprocess.run(argv(config, *words), capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if done.returncode != 0:
        told = (done.stderr or done.stdout).strip().removeprefix("Error: ")
        raise MustStop(f"`intercom-streams {' '.join(words)}` failed: {told}")
    return done.stdout
