"""Generations of tables: which are live, which agents share one, and how their names follow."""
