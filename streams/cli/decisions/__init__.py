"""Decisions of operators at the command line: who decides, what stands, what becomes of a decision."""
