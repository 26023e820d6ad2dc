"""A source record from its events."""
