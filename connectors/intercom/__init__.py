"""Intercom: signatures, the webhook ingress."""
