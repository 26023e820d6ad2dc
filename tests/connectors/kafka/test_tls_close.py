"""A TLS connection that is closed leaves nothing open, though its other side never answers."""

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from connectors.kafka.settings import KafkaSettings

HOST = "127.0.0.1"


@contextmanager
def silent_server(authority: trustme.CA) -> Iterator[tuple[int, list[bytes]]]:
    """Accept one TLS connection, read it to its end, and say nothing. Yield the port and what was read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    read: list[bytes] = []
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        with accepted, context.wrap_socket(accepted, server_side=True) as connection:
            while received := connection.recv(100):
                read.append(received)
            read.append(b"")
            ended.wait(60)

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], read
        finally:
            ended.set()
            thread.join(60)


async def connect_and_close(port: int, context: ssl.SSLContext) -> None:
    _, writer = await asyncio.open_connection(HOST, port, ssl=context)
    writer.write(b"asked")
    writer.close()


def test_a_connection_whose_broker_does_not_close_its_side_is_closed_when_the_process_ends(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = KafkaSettings(security_protocol="SSL", ssl_cafile=str(tmp_path / "ca.pem")).ssl_context()
    assert context is not None
    with silent_server(authority) as (port, read), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(connect_and_close(port, context))
        gc.collect()
    assert not [warning for warning in caught if issubclass(warning.category, ResourceWarning)]
    assert read == [b"asked", b""], "what was written arrived, and the close was announced"
