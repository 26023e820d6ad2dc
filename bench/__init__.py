"""Benchmarks and their rivals, measured side by side on a real Kafka: `python -m bench NAME [--json] [--quick]`.

Every benchmark runs ours and its rivals in one run, in interleaved rounds, and states a ratio for each rival. Absolute figures depend on
the machine and on what else it does; ratios of neighbours in one round far less.
"""
