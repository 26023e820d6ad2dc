"""Restoring tables."""
