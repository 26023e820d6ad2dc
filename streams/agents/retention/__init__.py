"""What stays of a source record and what goes: checkpoints before topics delete its events, and erasure for good."""
