"""Messages about access: the facts that decide it, and the findings, answers and ledger entries that follow."""
