"""The stack on one machine: a real Kafka, Redis and, on request, a schema registry, with neither Docker nor Java installed.

`running()` is the door for programs and tests, `LocalStack` for what outlives the program that starts it.
"""

from connectors.local.addresses import Addresses, given
from connectors.local.stack import LocalStack
from connectors.local.temporary import given_or_running, running

__all__ = ["Addresses", "LocalStack", "given", "given_or_running", "running"]
