"""The conversations agent."""
