"""Staff directories as CSV or NDJSON files."""
