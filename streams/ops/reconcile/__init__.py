"""Comparing tables with Intercom, and closing the difference."""
