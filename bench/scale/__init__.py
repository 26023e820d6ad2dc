"""How throughput grows with workers, measured and compared with the formula of docs/sizing.md."""
