"""Workspaces that are paused, archived, restored and deleted."""
