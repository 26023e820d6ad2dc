"""Intercom's REST API, read only: requests, listings of pages, the shared budget of calls, and the client that joins them."""
