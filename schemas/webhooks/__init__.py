"""Webhooks that the product sends: the state of each endpoint, and what is posted."""
