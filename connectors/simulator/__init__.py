"""A simulated company: its history as Intercom would post it, signed, duplicated and reordered, the same for the same seed."""
