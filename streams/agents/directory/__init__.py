"""The directory agent: teams and agents of workspaces, and which of them are imported."""
