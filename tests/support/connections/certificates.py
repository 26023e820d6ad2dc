"""The certificates that HTTP clients trust are read once for a process of tests, not for each client: it takes 30 ms of CPU.

A client that a test gives its own certificates, or that trusts all, is as it is anywhere.
"""

import os
import ssl
from functools import cache

import httpx
from httpx._transports import default

_create = httpx.create_ssl_context


def _shared(verify: ssl.SSLContext | str | bool = True, cert: object = None, trust_env: bool = True) -> ssl.SSLContext:
    if verify is True and cert is None:
        return _usual(trust_env, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return _create(verify, cert, trust_env)


@cache
def _usual(trust_env: bool, *named: str | None) -> ssl.SSLContext:
    return _create(trust_env=trust_env)


httpx.create_ssl_context = default.create_ssl_context = _shared
