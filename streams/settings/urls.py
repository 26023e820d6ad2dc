"""URLs in the configuration: whether a text is one, and that of a listening address, for clients on this machine."""

from urllib.parse import urlsplit


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Say whether a text is a URL of one of these schemes (like `http://`), with a host or, where the scheme has none, a path."""
    try:
        parts = urlsplit(text)
        port = parts.port  # raises for what is no port
    except ValueError:
        return False
    return text.startswith(schemes) and port != 0 and bool(parts.hostname or (parts.scheme == "unix" and parts.path))


def local_url(listen: str, path: str) -> str:
    """Return the URL of a path on `host:port`; for an address that means "all interfaces" it is the loopback's."""
    host, _, port = listen.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}{path}"  # noqa: S104  # compared, not listened on
