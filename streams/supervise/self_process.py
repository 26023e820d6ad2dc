"""The product's own command line as a process: `run`, `demo` and `simulate` start only commands that a user could type."""

import subprocess
import sys

from schemas.errors import MustStop

NEEDS_OPERATOR = 3
"""Exit code of a process that ended with `MustStop`: a restart cannot help, an operator has to act."""


def argv(config: str | None, *arguments: str) -> list[str]:
    """Return the command line of `intercom-streams --config CONFIG ARGUMENTS` for the environment of this process."""
    return [sys.executable, "-m", "streams.cli", *(["--config", config] if config else []), *arguments]


def call(config: str | None, *arguments: str) -> str:
    """Run a verb and return its output; raise `MustStop` with its error text when it fails."""
    completed = subprocess.run(argv(config, *arguments), capture_output=True, text=True, check=False)  # noqa: S603  # own command
    if completed.returncode != 0:
        reason = (completed.stderr or completed.stdout).strip().removeprefix("Error: ")
        raise MustStop(f"`intercom-streams {' '.join(arguments)}` failed: {reason}")
    return completed.stdout
