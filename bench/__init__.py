"""Benchmarks and their rivals, measured side by side on a real Kafka: `python -m bench NAME [--json] [--quick]`.

Every benchmark runs ours and its rivals in one run, in interleaved rounds, and states a ratio for each rival. Absolute figures depend on
the machine and its other load; the ratios of two measurements in one round depend on them far less.
"""
