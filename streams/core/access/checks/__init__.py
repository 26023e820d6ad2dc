"""The checks: one file each, and the table of all."""
