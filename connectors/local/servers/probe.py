"""One question of the Kafka protocol, asked without a client: a client retries, logs and takes half a second to import."""

import socket
import struct
from enum import IntEnum

_FIND_COORDINATOR = 10
_VERSION = 1  # the oldest with a kind, and not in the compact encoding
_ANSWER_S = 2


class Coordinator(IntEnum):
    """The kinds of coordinator, by their number in the protocol."""

    GROUP = 0
    TRANSACTION = 1


def coordinator_known(host: str, port: int, kind: Coordinator) -> bool:
    """Say whether this broker answers, and names a coordinator; never raises."""
    key = b"probe"
    request = struct.pack(">hhihh", _FIND_COORDINATOR, _VERSION, 1, -1, len(key)) + key + bytes([kind])
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_S) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.makefile("rb").read(14)  # length, correlation id, throttle time, error code
    except OSError:
        return False
    return len(answer) == 14 and answer[12:14] == b"\0\0"  # noqa: PLR2004  the fields above
