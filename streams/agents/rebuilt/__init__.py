"""What a rebuild compares in each agent's table, and what it publishes where a rebuilt row differs from the live one."""
