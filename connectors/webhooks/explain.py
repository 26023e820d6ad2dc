"""Why a post did not arrive, in a sentence that says what to do, without anything of the body or the URL's path."""

import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpcore

from connectors.webhooks.checked_backend import AddressRefused

_CERTIFICATE: Final = {
    9: "is not valid yet; look at the clocks of both machines",
    10: "has expired; the receiver has to get a new one",
    18: "is signed by itself; name it in `ca_file` of the endpoint if that is meant",
    19: "comes from an authority that is not known here; name it in `ca_file` of the endpoint if that is meant",
    20: "comes from an authority that is not known here, or the receiver does not send the certificates between; name the authority in "
    "`ca_file` of the endpoint if that is meant",
    62: "is for another name; the URL has to have the name that it is for",
    64: "is for a name, or for another address; the URL has to have the name that it is for",
}
"""By OpenSSL's code of the failed verification (x509_vfy.h)."""


def explained(error: BaseException, host: str, seconds: float) -> str:
    """Return the sentence about an error of connecting, sending or receiving."""
    if isinstance(error, AddressRefused):
        return str(error)
    cause = _of(error, ssl.SSLError)
    if isinstance(cause, ssl.SSLCertVerificationError):
        what = _CERTIFICATE.get(cause.verify_code, f"is refused: {cause.verify_message}")
        return f"the certificate of {host} {what}"
    if cause is not None:
        return f"{host} and this machine do not agree on TLS ({cause.reason or type(cause).__name__}); is it https on that port?"
    return next(
        (sentence for kinds, sentence in _sentences(error, host, seconds) if isinstance(error, kinds)), _broke(error, host)
    )


def _sentences(error: BaseException, host: str, seconds: float) -> Iterator[tuple[tuple[type[BaseException], ...], str]]:
    yield (TimeoutError, httpcore.TimeoutException), f"{host} did not answer within {seconds:g} s"
    yield (httpcore.ConnectError,), f"{host} cannot be reached: {_reason(error)}"
    yield (httpcore.RemoteProtocolError,), f"{host} closed the connection without an answer, or does not speak HTTP"


def _broke(error: BaseException, host: str) -> str:
    return f"the connection to {host} broke ({type(error).__name__})"


def _of(error: BaseException, kind: type[ssl.SSLError]) -> ssl.SSLError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _reason(error: BaseException) -> str:
    """Return the system's own words, of the innermost error that has any."""
    seen: BaseException | None = error
    words = str(error)
    while seen is not None:
        if isinstance(seen, socket.gaierror):
            words = seen.strerror or words
        elif isinstance(seen, OSError) and seen.errno:
            words = os.strerror(seen.errno)
        seen = seen.__cause__ or seen.__context__
    return words or type(error).__name__
