"""`workspace`: what becomes of what Intercom posts about a workspace."""

from streams.cli.verbs.workspace.acts import workspace

__all__ = ["workspace"]
