"""Folders of downloads and stacks: per user, never in the work tree, so that all clones share one download."""

import os
from pathlib import Path


def cache_home() -> Path:
    """Return the folder of verified downloads; deleting it only costs another download."""
    return _from_environment("INTERCOM_STREAMS_CACHE") or _base("XDG_CACHE_HOME", ".cache")


def stacks_home() -> Path:
    """Return the folder of the stacks, each in a folder of its name with its data, logs and process ids."""
    return (_from_environment("INTERCOM_STREAMS_STATE") or _base("XDG_STATE_HOME", ".local/state")) / "stacks"


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None


def _base(variable: str, default: str) -> Path:
    configured = Path(os.environ.get(variable, ""))
    base = configured if configured.is_absolute() else Path.home() / default  # the XDG standard voids relative paths
    return base / "intercom-streams"
