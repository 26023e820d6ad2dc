"""One partition of one agent."""
