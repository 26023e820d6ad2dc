"""A server with Intercom's REST API over a simulated workspace, with its limits, its quirks, and faults by request."""
