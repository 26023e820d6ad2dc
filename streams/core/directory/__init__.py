"""Which teams and agents a workspace has, and which of them are imported. Pure."""
