"""The identity agent with a tenant of a million records, all in one partition."""
