"""Benchmarks and their rivals: one module a benchmark, run by `python -m bench NAME`."""
