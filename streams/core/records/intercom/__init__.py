"""Intercom's contacts and companies as registers."""
