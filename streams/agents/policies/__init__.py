"""Policies in the tables of agents: each partition keeps those of all tenants, and goes through its rows when one changes."""
