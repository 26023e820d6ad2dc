"""A receiver of webhooks that is made to misbehave: a small HTTP server in threads, which notes every post in the order of arrival."""

import contextlib
import hashlib
import hmac
import json
import ssl
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


class Post(NamedTuple):
    """What was received, and what was answered."""

    id: str
    body: bytes
    headers: dict[str, str]
    status: int

    @property
    def event(self) -> dict:
        return json.loads(self.body)


class Receiver:
    """`answer` gets a post (its status is 0) and returns a status, or a status and headers; it may sleep."""

    def __init__(self, answer: Callable[[Post], object] = lambda _: 204, context: ssl.SSLContext | None = None) -> None:
        self.posts: list[Post] = []
        self.answer = answer
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the sender was killed on the way: HTTP says that this is no request
                post = Post(self.headers.get("webhook-id", ""), body, {k.lower(): v for k, v in self.headers.items()}, 0)
                found = receiver.answer(post)
                status, more = found if isinstance(found, tuple) else (found, {})
                with receiver._lock:
                    receiver.posts.append(post._replace(status=status))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in more.items():
                        self.send_header(name, value)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]

    def accepted(self) -> list[Post]:
        with self._lock:
            return [post for post in self.posts if 200 <= post.status < 300]

    def wait_for(self, count: int, seconds: float = 120.0) -> list[Post]:
        """Return what was accepted once so many different events were."""
        deadline = time.monotonic() + seconds
        while len({post.id for post in self.accepted()}) < count:
            assert time.monotonic() < deadline, f"{len({post.id for post in self.accepted()})} of {count} events arrived"
            time.sleep(0.02)
        return self.accepted()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no trouble of the receiver."""


@contextlib.contextmanager
def receiving(answer: Callable[[Post], object] = lambda _: 204, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(answer, context)
    thread = threading.Thread(target=receiver._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver._server.shutdown()
        receiver._server.server_close()
        thread.join()


def verified(post: Post, secret: str = SECRET) -> bool:
    """Check a signature as the specification has it, by other means than the product: concatenate, hash, compare."""
    key = b64decode(secret.removeprefix("whsec_"))
    content = ".".join([post.headers["webhook-id"], post.headers["webhook-timestamp"], post.body.decode()]).encode()
    expected = "v1," + b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return expected in post.headers["webhook-signature"].split(" ")
