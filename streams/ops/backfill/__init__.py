"""Reading a workspace from Intercom's REST API into the inbound topics: everything, or what changed since the last time."""
