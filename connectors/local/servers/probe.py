"""One request of the Kafka protocol, sent without a client: a client retries, logs and takes half a second to import."""

import socket
import struct
from enum import IntEnum

_FIND_COORDINATOR = 10
_VERSION = 1  # the oldest with a kind, and not in the compact encoding
_TIMEOUT_S = 2


class Coordinator(IntEnum):
    """The kinds of coordinator, with their numbers in the protocol."""

    GROUP = 0
    TRANSACTION = 1


def coordinator_known(host: str, port: int, kind: Coordinator) -> bool:
    """Return whether this broker answers with a coordinator; never raises."""
    key = b"probe"
    request = struct.pack(">hhihh", _FIND_COORDINATOR, _VERSION, 1, -1, len(key)) + key + bytes([kind])
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_S) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            response = connection.makefile("rb").read(14)  # length, correlation id, throttle time, error code
    except OSError:
        return False
    return len(response) == 14 and response[12:14] == b"\0\0"  # noqa: PLR2004  the fields above
