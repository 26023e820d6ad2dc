"""`rebuild`: make tables again from the logs."""

from streams.cli.verbs.rebuild.command import rebuild

__all__ = ["rebuild"]
