"""The time to restore a table from its changelog: ours, and stock Faust's."""
