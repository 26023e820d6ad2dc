"""Connecting a workspace: is the token its own, what may it read, what has to be subscribed, and does a post arrive."""
