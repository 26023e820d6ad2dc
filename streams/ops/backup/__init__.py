"""Backups: take one of a running installation, verify it, and restore it to an empty cluster."""
