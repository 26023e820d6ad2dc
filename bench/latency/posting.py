"""Signed posts on one keep-alive connection."""

import contextlib
import http.client
from collections.abc import Iterator

from bench.product import SECRET, WEBHOOKS
from connectors.simulator.post import webhook_headers
from schemas.errors import Unavailable
from schemas.tenancy import Secret


def post(connection: http.client.HTTPConnection, body: bytes) -> None:
    """Post a webhook and read the response; raise `Unavailable` for any status but 200."""
    connection.request("POST", WEBHOOKS, body, webhook_headers(body, Secret(SECRET)))
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise Unavailable(f"a post was answered {response.status} instead of 200")


@contextlib.contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to a server on this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    yield connection
    connection.close()
