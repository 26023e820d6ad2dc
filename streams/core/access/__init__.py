"""Access: from a tenant's facts to findings, present answers and ledger."""
