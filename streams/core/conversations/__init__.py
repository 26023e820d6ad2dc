"""Conversations and tickets from Intercom's posts and readings about them. Pure."""
