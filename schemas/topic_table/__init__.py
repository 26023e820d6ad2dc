"""The parts of the table of topics."""
