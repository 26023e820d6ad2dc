"""Webhooks of the simulated workspace: what they say, when Intercom sends them, and when it stops."""
