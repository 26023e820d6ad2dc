"""Webhooks that the product posts: signed, to checked addresses, with every failure explained."""
