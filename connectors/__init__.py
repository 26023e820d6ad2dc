"""Adapters to outside systems, one package each. Imports only `schemas`."""
