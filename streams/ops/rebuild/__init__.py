"""Rebuild tables from the logs beside the live ones, compare them, and let them take over."""
