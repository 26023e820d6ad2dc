"""The URL of a listening address, for clients on this machine."""


def local_url(listen: str, path: str) -> str:
    """Return the URL of a path on `host:port`; for an address that means "all interfaces" it is the loopback's."""
    host, _, port = listen.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}{path}"  # noqa: S104  # compared, not listened on
