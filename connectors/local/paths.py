"""Where downloads and running stacks live: per user, never in the work tree, so that every clone shares one download."""

import os
from pathlib import Path


def cache_home() -> Path:
    """Say where verified downloads are kept; deleting it costs one download and nothing else."""
    return _chosen("INTERCOM_STREAMS_CACHE") or _base("XDG_CACHE_HOME", ".cache")


def stacks_home() -> Path:
    """Say where stacks keep their data, logs and process ids, one folder a name."""
    return (_chosen("INTERCOM_STREAMS_STATE") or _base("XDG_STATE_HOME", ".local/state")) / "stacks"


def _chosen(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None


def _base(variable: str, default: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    base = named if named.is_absolute() else Path.home() / default  # relative XDG paths are void by its standard
    return base / "intercom-streams"
