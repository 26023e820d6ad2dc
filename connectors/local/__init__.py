"""The stack on one machine: a real Kafka, Redis and, on request, a schema registry, with neither Docker nor Java installed.

`temporary_stack()` runs one for a program or a test; `LocalStack` is one that outlives the program that starts it.
"""

from connectors.local.addresses import Addresses, configured_addresses
from connectors.local.stack import LocalStack
from connectors.local.temporary import existing_or_temporary, temporary_stack

__all__ = ["Addresses", "LocalStack", "configured_addresses", "existing_or_temporary", "temporary_stack"]
