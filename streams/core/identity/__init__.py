"""Which records are one person: a function of a tenant's current claims, never of the order in which they arrived."""
