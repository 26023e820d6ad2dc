"""Policies of profiles: apply them, read their history, and see what one would change."""
