"""Kinds of rows that `streams.core.access.state.rows` does not define itself, and the base of all."""
