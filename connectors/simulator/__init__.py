"""A company that never was: its history as Intercom would post it, signed, doubled and out of order, the same for the same seed."""
