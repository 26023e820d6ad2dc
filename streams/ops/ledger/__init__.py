"""The ledger of access, verified by what it names."""
