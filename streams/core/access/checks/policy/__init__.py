"""Policies: which rule of a workspace is in force, whose access it allows, and how much time to fix a failure."""
